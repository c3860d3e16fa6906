"""Sums up what jobs used, from the tables that Snakemake's ``benchmark`` writes."""

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class RuleResources:
    """What the jobs of one rule used."""

    rule: str
    n_jobs: int
    seconds: float
    """Of all jobs, by the clock."""
    longest_s: float
    peak_mb: float
    """Largest resident memory of a job on its first node."""
    cpu_s: float


def rule_resources(folder: Path, experiment: str) -> list[RuleResources]:
    """Return a row for each rule with a table of ``folder/{rule}/{experiment}``.

    What Snakemake could not measure (NA, in jobs of a second or so) counts as nothing.
    """
    rows = []
    for rule in sorted(path for path in folder.glob("*") if path.is_dir()):
        tables = [*rule.glob(f"{experiment}/**/*.tsv"), *rule.glob(f"{experiment}.tsv")]
        jobs = [row for path in sorted(tables) for row in _rows(path)]
        if jobs:
            seconds = [_number(job, "s") for job in jobs]
            rows.append(
                RuleResources(
                    rule=rule.name,
                    n_jobs=len(jobs),
                    seconds=sum(seconds),
                    longest_s=max(seconds),
                    peak_mb=max(_number(job, "max_rss") for job in jobs),
                    cpu_s=sum(_number(job, "cpu_time") for job in jobs),
                )
            )
    return rows


def _rows(path: Path) -> Iterable[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        yield from csv.DictReader(file, delimiter="\t")


def _number(row: dict[str, str], name: str) -> float:
    try:
        return float(row[name])
    except (KeyError, ValueError):
        return 0.0

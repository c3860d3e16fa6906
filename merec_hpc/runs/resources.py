"""Sums up what jobs used, from the tables that Snakemake's ``benchmark`` writes."""

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class RuleResources:
    """What the jobs of one rule, or of one method of a rule for several, used."""

    rule: str
    method: str
    """A selector, where the rule runs several; else empty."""
    n_jobs: int
    seconds: float
    """Of all jobs, by the clock."""
    longest_s: float
    peak_mb: float
    """Largest resident memory of a job on its first node."""
    cpu_s: float


def rule_resources(folder: Path, experiment: str) -> list[RuleResources]:
    """Return a row for each rule with a table of ``folder/{rule}/{experiment}``.

    A rule that runs several methods has a folder, and here a row, for each; a sweep has one row.
    What Snakemake could not measure (NA, in jobs of a second or so) counts as nothing.
    """
    rows = []
    for rule in sorted(path for path in folder.glob("*") if path.is_dir()):
        by_method: dict[str, list[dict[str, str]]] = {}
        tables = [*rule.glob(f"{experiment}/**/*.tsv"), *rule.glob(f"{experiment}.tsv")]
        for path in sorted(tables):
            inner = path.relative_to(rule).parts[1:-1]
            is_method = inner and "~" not in inner[0]  # name~value is a sweep's
            by_method.setdefault(inner[0] if is_method else "", []).extend(_rows(path))
        for method, jobs in sorted(by_method.items()):
            if not jobs:
                continue
            seconds = [_number(job, "s") for job in jobs]
            rows.append(
                RuleResources(
                    rule=rule.name,
                    method=method,
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

"""Tells how far an experiment has come, from the files that its jobs write."""

import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from merec_hpc.config import Config
from merec_hpc.dataset.catalog import read_catalog
from merec_hpc.errors import MerecError
from merec_hpc.evaluation.folds import SubjectFold
from merec_hpc.store.checkpoint import read_state
from merec_hpc.store.selection import read_selection
from merec_hpc.sweep import variants_of
from merec_hpc.tables import read_rows

State = Literal["done", "failed", "interrupted", "searching", "waiting"]

SILENT_S = 600.0
"""A search that has not written anything for so long is taken for interrupted."""

# What a command that failed wrote last, and what an interrupted one did.
_FAILURE = re.compile(r"^(merec: .*|\w*(Error|Exception|Interrupt)\b.*|.*[Kk]illed.*)$")
_INTERRUPTED = re.compile(r"^merec: stopped after generation")


@dataclass(frozen=True)
class SearchRow:
    """One fold's search."""

    search: str
    """"genetic", or the variant of a sweep."""
    fold: str
    state: State
    generation: int | None
    n_generations: int
    best_fitness: float | None
    minutes_left: float | None
    """By the pace between the last two checkpoints."""
    said: str
    """The last line of the log of a search that failed or was interrupted."""


@dataclass(frozen=True)
class StageRow:
    """One stage: how many of its files are there, of those that are known to be needed."""

    stage: str
    n_done: int
    n_wanted: int | None


def stage_rows(results: Path, config: Config) -> list[StageRow]:
    """Count the files of each stage, in the order in which the data flows."""
    subjects = _subjects(results / "catalog.tsv")
    folds = _folds(results)
    n_subjects = len(subjects) if subjects else None
    n_folds = len(folds) if folds else None
    rows = [StageRow("catalog", int(subjects is not None), 1)]
    rows += [
        StageRow(stage, len(list((results / stage).glob("*.h5"))), n_subjects)
        for stage in ("faces", "clips")
    ]
    store = results / "features" / f"{config.features.network}.h5"
    rows.append(StageRow("features", int(store.exists()), 1))
    rows += [
        StageRow(
            f"selection {name}", len(list((results / "selection" / name).glob("*.h5"))), n_folds
        )
        for name in config.evaluation.methods
    ]
    rows.append(StageRow("report", int((results / "report" / "index.html").exists()), 1))
    return rows


def search_rows(
    results: Path, logs: Path, config: Config, *, sweep: bool, now: float | None = None
) -> list[SearchRow]:
    """Describe each fold's search, or those of all variants of a sweep.

    Parameters
    ----------
    results, logs
        Folder of the experiment's results, and the folder of all logs.
    now
        Seconds since the epoch; without it the present.
    """
    experiment, folds = results.name, _folds(results) or []
    if sweep:
        places = [
            (
                variant.path,
                results / "sweep" / "selection" / variant.path,
                logs / "sweep_select_genetic" / experiment / variant.path,
            )
            for variant in variants_of(config)
        ]
    else:
        folder = results / "selection" / "genetic"
        places = [("genetic", folder, logs / "select_genetic" / experiment)]
    return [
        _search_row(name, folder, log, fold, config.genetic.n_generations, now or time.time())
        for name, folder, log in places
        for fold in folds
    ]


def failures(logs: Path, experiment: str) -> list[tuple[str, str]]:
    """Return the log and the last line of every command that failed, except searches."""
    found = []
    for log in sorted(logs.glob(f"*/{experiment}*/**/*.log")) + sorted(
        logs.glob(f"*/{experiment}.log")
    ):
        if log.relative_to(logs).parts[0].endswith("select_genetic"):
            continue
        said = _last_failure(log)
        if said:
            found.append((str(log), said))
    return found


def _search_row(
    name: str, folder: Path, logs: Path, fold: str, n_generations: int, now: float
) -> SearchRow:
    output, log = folder / f"{fold}.h5", logs / f"{fold}.log"
    checkpoint = folder / f"{fold}.h5.checkpoint"
    if output.exists():
        chosen, _ = read_selection(output)
        done = len(chosen.history.best_fitness) - 1
        best = float(chosen.history.best_fitness[-1])
        return SearchRow(name, fold, "done", done, n_generations, best, 0.0, "")
    said = _last_failure(log)
    state = read_state(checkpoint)
    if state is None:
        waits: State = "failed" if said else "searching" if _age(log, now) < SILENT_S else "waiting"
        return SearchRow(name, fold, waits, None, n_generations, None, None, said)
    best, left = float(state.hall_of_fame.fitness[0]), None
    former = checkpoint.with_name(checkpoint.name + ".former")
    before = read_state(former)
    if before is not None and before.generation < state.generation:
        pace_s = checkpoint.stat().st_mtime - former.stat().st_mtime
        pace_s /= state.generation - before.generation
        left = pace_s * (n_generations - state.generation) / 60
    silent = min(_age(checkpoint, now), _age(log, now))
    what: State = "interrupted" if silent > SILENT_S else "searching"
    if said:
        what = "interrupted" if _INTERRUPTED.match(said) else "failed"
    return SearchRow(name, fold, what, state.generation, n_generations, best, left, said)


def _age(path: Path, now: float) -> float:
    return now - path.stat().st_mtime if path.exists() else float("inf")


def _last_failure(log: Path) -> str:
    """Return the last line of a log if it tells of a failure, else an empty text."""
    if not log.exists():
        return ""
    lines = [line.strip() for line in log.read_text(errors="replace").splitlines()]
    last = next((line for line in reversed(lines) if line), "")
    return last if _FAILURE.match(last) else ""


def _subjects(catalog: Path) -> set[str] | None:
    try:
        return {clip.subject for clip in read_catalog(catalog)}
    except MerecError:
        return None


def _folds(results: Path) -> list[str] | None:
    try:
        return [row.fold for row in read_rows(results / "folds.tsv", SubjectFold)]
    except MerecError:
        return None

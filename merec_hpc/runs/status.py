"""Tells how far an experiment has come, from the files that its jobs write."""

import re
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

from merec_hpc.config.selection import GeneticSettings
from merec_hpc.config.whole import Config
from merec_hpc.dataset.catalog import read_catalog
from merec_hpc.dataset.folds import FoldSize
from merec_hpc.errors import MerecError
from merec_hpc.files.rows import read_rows
from merec_hpc.records import SearchState
from merec_hpc.runs.experiment import features_name
from merec_hpc.runs.variants import genetic_settings, variants_of
from merec_hpc.store.checkpoint import read_state
from merec_hpc.store.selection import read_selection

State = Literal["done", "failed", "interrupted", "searching", "waiting"]

SILENT_S = 600.0
"""A search that has not written anything for so long is taken for interrupted."""

# What commands, launchers and SLURM write when something fails; launchers write after the
# command has.
_FAILURE = re.compile(
    r"^(merec: .+|\w*(Error|Exception|KeyboardInterrupt)\b.*|.*\b[Kk]illed\b.*|.*oom.kill.*"
    r"|slurmstepd: error: .*|srun: error: .*|.*BAD TERMINATION.*|Abort\(.*)$"
)
_INTERRUPTED = re.compile(r"^merec: stopped after generation")
_TIME = re.compile(r"^(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)")
_N_LAST_LINES = 30


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
    """What the log of a search that failed or was interrupted says."""


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
    store = results / "features" / f"{features_name(config)}.h5"
    rows.append(StageRow("features", int(store.exists()), 1))
    rows += [
        StageRow(
            f"selection {name}", len(list((results / "selection" / name).glob("*.h5"))), n_folds
        )
        for name in dict.fromkeys(method.selector for method in config.evaluation.methods)
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
                genetic_settings(config, variant.criterion, variant.seed),
            )
            for variant in variants_of(config)
        ]
    else:
        folder = results / "selection" / "genetic"
        places = [("genetic", folder, logs / "select_genetic" / experiment, config.genetic)]
    return [
        _search_row(name, folder, log, fold, settings, now or time.time())
        for name, folder, log, settings in places
        for fold in folds
    ]


def failures(logs: Path, experiment: str) -> list[tuple[str, str]]:
    """Return log and reason of what failed, except searches.

    Commands say it in their own logs; of jobs that were killed only SLURM's log knows, of which
    the newest of each kind counts.
    """
    found = []
    own = [*logs.glob(f"*/{experiment}/**/*.log"), *logs.glob(f"*/{experiment}.log")]
    newest = [
        max(jobs, key=lambda path: path.stat().st_mtime)
        for kind in sorted((logs / "slurm").glob("*"))
        if (jobs := list(kind.rglob("*.log"))) and "select_genetic" not in kind.name
    ]
    for log in [*sorted(own), *newest]:
        if log.relative_to(logs).parts[0].endswith("select_genetic"):
            continue
        said = _last_failure(log)
        if said:
            found.append((str(log), said))
    return found


def _search_row(
    name: str, folder: Path, logs: Path, fold: str, settings: GeneticSettings, now: float
) -> SearchRow:
    output, log = folder / f"{fold}.h5", logs / f"{fold}.log"
    checkpoint = folder / f"{fold}.h5.checkpoint"
    n_generations = settings.n_generations
    if output.exists():
        chosen, _ = read_selection(output)
        done = len(chosen.history.best_fitness) - 1
        best = float(chosen.history.best_fitness[-1])
        return SearchRow(name, fold, "done", done, n_generations, best, 0.0, "")
    said = _last_failure(log)
    state = read_state(checkpoint, settings)
    if state is None or state.generation == n_generations:
        # Not begun, or done once: a lost selection is written again from what was kept.
        waits: State = "searching" if _age(log, now) < SILENT_S else "waiting"
        if said:
            waits = "interrupted" if _INTERRUPTED.match(said) else "failed"
        return SearchRow(name, fold, waits, None, n_generations, None, None, said)
    best = float(state.hall_of_fame.fitness[0])
    silent = min(_age(checkpoint, now), _age(log, now))
    what: State = "interrupted" if silent > SILENT_S else "searching"
    if said:
        what = "interrupted" if _INTERRUPTED.match(said) else "failed"
    left = _minutes_left(checkpoint, log, state, settings) if what == "searching" else None
    return SearchRow(name, fold, what, state.generation, n_generations, best, left, said)


def _minutes_left(
    checkpoint: Path, log: Path, state: SearchState, settings: GeneticSettings
) -> float | None:
    """Return the time that is left by the pace of the last checkpoints of the present job."""
    former = checkpoint.with_name(checkpoint.name + ".former")
    before = read_state(former, settings)
    if before is None or before.generation >= state.generation:
        return None
    try:
        earlier, later = former.stat().st_mtime, checkpoint.stat().st_mtime
    except FileNotFoundError:  # renamed in this moment
        return None
    if earlier < _start(log):  # of the job before: it may have waited in the queue since
        return None
    pace_s = (later - earlier) / (state.generation - before.generation)
    return pace_s * (settings.n_generations - state.generation) / 60


def _start(log: Path) -> float:
    """Return when the first line of a log was written, in seconds since the epoch."""
    lines = log.read_text(errors="replace").splitlines() if log.exists() else []
    told = next((found for line in lines if (found := _TIME.match(line))), None)
    return datetime.fromisoformat(told[1]).timestamp() if told else 0.0


def _age(path: Path, now: float) -> float:
    try:
        return now - path.stat().st_mtime
    except FileNotFoundError:
        return float("inf")


def _last_failure(log: Path) -> str:
    """Return what the end of a log says of a failure, a command's own words first."""
    if not log.exists():
        return ""
    lines = [line.strip() for line in log.read_text(errors="replace").splitlines()]
    told = [line for line in lines[-_N_LAST_LINES:] if _FAILURE.match(line)]
    own = [line for line in told if line.startswith("merec: ")]
    return (own or told or [""])[-1]


def _subjects(catalog: Path) -> set[str] | None:
    try:
        return {clip.subject for clip in read_catalog(catalog)}
    except MerecError:
        return None


def _folds(results: Path) -> list[str] | None:
    try:
        return [row.fold for row in read_rows(results / "folds.tsv", FoldSize)]
    except MerecError:
        return None

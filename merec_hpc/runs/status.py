"""Tells how far an experiment has come, from the files that its jobs write."""

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Literal

from merec_hpc.config.selection import GeneticSettings
from merec_hpc.config.whole import Config
from merec_hpc.dataset.catalog import read_catalog
from merec_hpc.dataset.clip import Clip
from merec_hpc.dataset.folds import FoldSize
from merec_hpc.dataset.sources import Folder
from merec_hpc.errors import MerecError
from merec_hpc.files.running import Mark, read_mark
from merec_hpc.records import SearchState
from merec_hpc.runs.experiment import results_folder, selectors_of
from merec_hpc.runs.extent import Extent, extent_of
from merec_hpc.runs.jobs import Job, jobs_of
from merec_hpc.runs.remaining import State, job_states
from merec_hpc.runs.variants import genetic_settings, variants_of
from merec_hpc.store.checkpoint import read_state
from merec_hpc.store.selection import read_selection

SearchStage = Literal["done", "out of date", "failed", "interrupted", "searching", "waiting"]

SILENT_S = 600.0
"""A search on another host that has not written anything for so long is taken for interrupted."""

# What commands, launchers and SLURM write when something fails; launchers write after the
# command has.
_FAILURE = re.compile(
    r"^(merec: .+|\w*(Error|Exception|KeyboardInterrupt)\b.*|.*\b[Kk]illed\b.*|.*oom.kill.*"
    r"|slurmstepd: error: .*|srun: error: .*|.*BAD TERMINATION.*|.*EXIT STRING: .*|Abort\(.*)$"
)
# Somebody has ended it, as Ctrl-C (status 130) and kill do.
_INTERRUPTED = re.compile(
    r"^(merec: stopped after generation|KeyboardInterrupt"
    r"|Abort\((130|137|143)\)|.*EXIT STRING: (Interrupt|Terminated|Killed|Hangup))"
)
_TIME = re.compile(r"^(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)")
_N_LAST_LINES = 30
_N_NAMED = 5  # of what is left over

# In the order in which the data flows.
_STAGES = {
    "index_dataset": "catalog",
    "register_faces": "faces",
    "collect_failures": "folds",
    "find_apexes": "apexes",
    "interpolate_clips": "clips",
    "draw_contact_sheets": "contact sheets",
    "extract_features": "features",
    "join_features": "features side by side",
    "select": "selection",
    "select_genetic": "selection genetic",
    "evaluate_folds": "evaluation",
    "evaluate_blocks": "evaluation of blocks",
    "run_permutation": "permutation",
    "collect_predictions": "predictions",
    "render_report": "report",
    "sweep_extract_features": "sweep features",
    "sweep_select_genetic": "sweep selection",
    "sweep_evaluate_folds": "sweep evaluation",
    "sweep_evaluate_seeds": "sweep evaluation of seeds",
    "collect_sweep": "sweep table",
}
_BY_CLIP = {"register_faces", "interpolate_clips", "draw_contact_sheets"}
_BY_FOLD = {"select", "select_genetic", "sweep_select_genetic"}
_UNKNOWN = Extent((Clip("?", "?", "?", Folder("")),), (1,), (), (FoldSize("?", 0, 0),), "")


@dataclass(frozen=True)
class SearchRow:
    """One fold's search."""

    search: str
    """"genetic", or the variant of a sweep."""
    fold: str
    state: SearchStage
    generation: int | None
    n_generations: int
    best_fitness: float | None
    minutes_left: float | None
    """By the pace between the last two checkpoints."""
    said: str
    """What the log of a search that failed or was interrupted says."""


@dataclass(frozen=True)
class StageRow:
    """One stage: how many of its files are there, of those that are needed."""

    stage: str
    n_done: int
    n_wanted: int | None
    """``None`` before it is known."""
    n_out_of_date: int = 0
    """Of another configuration, or older than what they are made of: they will be made again."""


def stage_rows(folder: Path, config: Config, *, sweep: bool = False) -> list[StageRow]:
    """Count the files of each stage, in the order in which the data flows.

    A file counts as done if it is what the configuration would make: see ``remaining``.

    Parameters
    ----------
    folder
        Where ``results`` and ``logs`` lie.
    """
    extent = _known_extent(folder, config)
    jobs = jobs_of(config, extent or _UNKNOWN, sweep=sweep)
    states = job_states(jobs, folder)
    stages: dict[str, list[tuple[Job, State]]] = {}
    for job, state in zip(jobs, states, strict=True):
        if job.rule in _STAGES:
            part = job.part if job.rule in {"select", "run_permutation"} else ""
            stages.setdefault(f"{_STAGES[job.rule]} {part}".rstrip(), []).append((job, state))
    rows = []
    for stage, found in stages.items():
        rule = found[0][0].rule
        is_known = extent is not None and (bool(extent.members) or rule not in _BY_FOLD)
        n_wanted = len(found) if is_known or rule not in _BY_CLIP | _BY_FOLD else None
        n_done = sum(state == "done" and _is_there(folder, job) for job, state in found)
        n_old = sum(state == "out of date" for _, state in found)
        rows.append(StageRow(stage, n_done, n_wanted, n_old))
    return rows


def left_over(folder: Path, config: Config) -> list[str]:
    """Say which results are of folds, methods or subjects that the configuration does not have."""
    extent = _known_extent(folder, config)
    if extent is None or not extent.members:
        return []
    wanted = {name for job in jobs_of(config, extent) for name in job.outputs}
    results = results_folder(config)

    def others(pattern: str) -> list[Path]:
        found = sorted((folder / results).glob(pattern))
        return [path for path in found if str(path.relative_to(folder)) not in wanted]

    said = []
    known = selectors_of(config.evaluation.methods)
    by_selector: dict[str, list[str]] = {}
    for path in others("selection/*/*.h5"):
        by_selector.setdefault(path.parent.name, []).append(path.stem)
    for selector, folds in by_selector.items():
        if selector in known:
            what = f"by {selector} of folds that the protocol does not have: {_listed(folds)}"
        else:
            what = f"by {selector}, which evaluation.methods does not name"
        said.append(f"{_counted(len(folds), 'selection')} {what}")
    for pattern, noun, of_what in (
        ("faces/*.h5", "file", "of faces of subjects that the catalog does not have"),
        ("clips/*.h5", "file", "of clips of subjects that the catalog does not have"),
        ("features/*.h5", "file", "of features that the configuration does not use"),
        ("evaluation/*/*.csv", "evaluation", "that the configuration does not name"),
        (
            "permutations/*/*.csv",
            "table",
            "of permutations that the configuration does not ask for",
        ),
    ):
        paths = others(pattern)
        if paths:
            n_above = pattern.count("/")
            names = ["/".join(path.with_suffix("").parts[-n_above:]) for path in paths]
            said.append(f"{_counted(len(paths), noun)} {of_what}: {_listed(names)}")
    return said


def search_rows(
    folder: Path, config: Config, *, sweep: bool, now: float | None = None
) -> list[SearchRow]:
    """Describe each fold's search, or those of all variants of a sweep.

    Parameters
    ----------
    folder
        Where ``results`` and ``logs`` lie.
    now
        Seconds since the epoch; without it the present.
    """
    extent = _known_extent(folder, config)
    if extent is None or not extent.members:
        return []
    jobs = jobs_of(config, extent, sweep=sweep)
    rule = "sweep_select_genetic" if sweep else "select_genetic"
    settings = {
        variant.path: genetic_settings(config, variant.criterion, variant.seed)
        for variant in variants_of(config)
    }
    rows = []
    for job, state in zip(jobs, job_states(jobs, folder), strict=True):
        if job.rule == rule:
            search, _, fold = job.unit.rpartition("/")
            log = folder / "logs" / rule / config.experiment / f"{job.unit}.log"
            rows.append(
                _search_row(
                    _Search(search or "genetic", fold, folder / job.outputs[0], log),
                    settings.get(search, config.genetic),
                    state,
                    now or time.time(),
                )
            )
    return rows


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


@dataclass(frozen=True)
class _Search:
    """Where a search leaves what."""

    name: str
    fold: str
    output: Path
    log: Path

    @property
    def checkpoint(self) -> Path:
        return self.output.with_name(self.output.name + ".checkpoint")


def _search_row(search: _Search, settings: GeneticSettings, made: State, now: float) -> SearchRow:
    n_generations = settings.n_generations
    if made == "done" and search.output.exists():
        chosen, _ = read_selection(search.output)
        done = len(chosen.history.best_fitness) - 1
        best = float(chosen.history.best_fitness[-1])
        return SearchRow(search.name, search.fold, "done", done, n_generations, best, 0.0, "")
    kept = read_state(search.checkpoint, settings)
    # One that is done once counts as not begun: a lost selection is written again from it.
    state = None if kept is None or kept.generation == n_generations else kept
    said = _last_failure(search.log)
    what = _search_stage(search, state, made, said, now)
    return SearchRow(
        search.name,
        search.fold,
        what,
        None if state is None else state.generation,
        n_generations,
        None if state is None else float(state.hall_of_fame.fitness[0]),
        _minutes_left(search, state, settings) if state and what == "searching" else None,
        "" if what in {"searching", "out of date"} else said,
    )


def _search_stage(
    search: _Search, state: SearchState | None, made: State, said: str, now: float
) -> SearchStage:
    mark = read_mark(search.output)
    if mark is not None and mark.runs:
        return "searching"
    if made == "out of date":
        return "searching" if _may_run(mark, search, now) else "out of date"
    if said:
        return "interrupted" if _INTERRUPTED.match(said) else "failed"
    if _may_run(mark, search, now):
        return "searching"
    return "waiting" if state is None and mark is None else "interrupted"


def _may_run(mark: Mark | None, search: _Search, now: float) -> bool:
    """Return whether a search runs on another host, by when it last wrote something."""
    if mark is None or mark.is_here:
        return False
    return min(_age(search.checkpoint, now), _age(search.log, now)) < SILENT_S


def _minutes_left(search: _Search, state: SearchState, settings: GeneticSettings) -> float | None:
    """Return the time that is left by the pace of the last checkpoints of the present job."""
    checkpoint = search.checkpoint
    former = checkpoint.with_name(checkpoint.name + ".former")
    before = read_state(former, settings)
    if before is None or before.generation >= state.generation:
        return None
    try:
        earlier, later = former.stat().st_mtime, checkpoint.stat().st_mtime
    except FileNotFoundError:  # renamed in this moment
        return None
    if earlier < _start(search.log):  # of the job before: it may have waited in the queue since
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


def _known_extent(folder: Path, config: Config) -> Extent | None:
    """Return what the catalog says, ``None`` without one; no members if folds cannot be."""
    try:
        clips = read_catalog(folder / results_folder(config) / "catalog.tsv")
    except MerecError:
        return None
    n_frames = [0] * len(clips)  # which nobody asks for
    try:
        return extent_of(config, clips, n_frames, "", folder)
    except MerecError:
        return replace(_UNKNOWN, clips=tuple(clips), n_frames=tuple(n_frames))


def _is_there(folder: Path, job: Job) -> bool:
    return (folder / job.outputs[0]).exists()


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _N_NAMED} more" if len(names) > _N_NAMED else ""
    return ", ".join(names[:_N_NAMED]) + more

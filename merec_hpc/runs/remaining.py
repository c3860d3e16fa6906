"""Tells which jobs are still to run, from the files that are there: as Snakemake does.

A job runs if a file of it is missing that is asked for, if an input is newer than its outputs,
if they are not what the configuration would make, or if it follows from one that runs.
Snakemake also knows what is not written in the files, such as a changed command.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal

from merec_hpc.runs.jobs import Job

State = Literal["done", "out of date", "missing"]


def job_states(jobs: Sequence[Job], folder: Path = Path()) -> list[State]:
    """Return the state of each job: of those that are to run, whether its outputs are there.

    Parameters
    ----------
    jobs
        Every job after those that it depends on; the last one is the target.
    folder
        Below which the files lie.
    """
    times = {name: _time(folder / name) for job in jobs for name in (*job.inputs, *job.outputs)}
    makers = {name: place for place, job in enumerate(jobs) for name in job.outputs}
    before: list[dict[int, list[str]]] = [{} for _ in jobs]
    after: list[dict[int, list[str]]] = [{} for _ in jobs]
    for place, job in enumerate(jobs):
        for name in job.inputs:
            maker = makers.get(name)
            if maker is not None:
                before[place].setdefault(maker, []).append(name)
                after[maker].setdefault(place, []).append(name)
    running = _first_to_run(jobs, times, after, folder)
    waiting = deque(sorted(running))
    while waiting:
        place = waiting.popleft()
        found = [maker for maker, names in before[place].items() if _missing(names, times)]
        found += [
            later
            for later, names in after[place].items()
            if not jobs[later].ancient.issuperset(names)
        ]
        for other in found:
            if other not in running:
                running.add(other)
                waiting.append(other)
    return [
        "done"
        if place not in running
        else "missing"
        if not job.outputs or _missing(job.outputs, times)
        else "out of date"
        for place, job in enumerate(jobs)
    ]


def _first_to_run(
    jobs: Sequence[Job],
    times: dict[str, float | None],
    after: Sequence[dict[int, list[str]]],
    folder: Path,
) -> set[int]:
    """Return the jobs that run by themselves; of what follows from them nothing is asked."""
    oldest: list[float | None] = [None] * len(jobs)
    for place in reversed(range(len(jobs))):
        own = [time for name in jobs[place].outputs if (time := times[name]) is not None]
        later = [time for other in after[place] if (time := oldest[other]) is not None]
        # Of a job without outputs those that need them tell whether an input is newer.
        oldest[place] = min(own) if own else next(iter(later), None)
    running: set[int] = set()
    follows: set[int] = set()
    for place, job in enumerate(jobs):
        if place in follows:
            continue
        is_target = place == len(jobs) - 1
        if (is_target and _missing(job.inputs, times)) or _is_stale(
            job, times, oldest[place], folder
        ):
            running.add(place)
            follows |= _all_after(place, after)
    return running


def _is_stale(job: Job, times: dict[str, float | None], oldest: float | None, folder: Path) -> bool:
    """Return whether the outputs of a job are older than its inputs, or of something else."""
    if oldest is not None:
        for name in job.inputs:
            time = times[name]
            if name not in job.ancient and time is not None and time > oldest:
                return True
    if job.is_current is None or not job.outputs or times[job.outputs[0]] is None:
        return False
    return not job.is_current(folder / job.outputs[0])


def _all_after(place: int, after: Sequence[dict[int, list[str]]]) -> set[int]:
    found: set[int] = set()
    waiting = [place]
    while waiting:
        new = set(after[waiting.pop()]) - found
        found |= new
        waiting += new
    return found


def _missing(names: Iterable[str], times: dict[str, float | None]) -> bool:
    return any(times[name] is None for name in names)


def _time(path: Path) -> float | None:
    """Return when a file was changed; of a folder what Snakemake keeps for it."""
    stamp = path / ".snakemake_timestamp"
    try:
        return (stamp if stamp.exists() else path).stat().st_mtime
    except OSError:
        return None

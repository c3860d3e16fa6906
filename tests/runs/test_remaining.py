"""Which jobs run again, told from files; test_jobs asks Snakemake the same."""

import os
from pathlib import Path

from merec_hpc.runs.jobs import Job
from merec_hpc.runs.remaining import job_states

CHAIN = [
    Job("first", "", "", ("given",), ("a",)),
    Job("second", "", "", ("a",), ("b", "b.png")),
    Job("third", "", "", ("b",), ("c",), frozenset({"b"})),
    Job("all", "", "", ("b", "c"), ()),
]


def touch(folder: Path, **times: int) -> None:
    for name, when in times.items():
        path = folder / name.replace("_", ".")
        path.touch()
        os.utime(path, (when, when))


def states(folder: Path, jobs: list[Job] = CHAIN) -> list[str]:
    return list(job_states(jobs, folder))


def test_nothing_runs_where_everything_is_newer_than_what_it_is_made_of(tmp_path: Path) -> None:
    touch(tmp_path, given=1, a=2, b=3, b_png=3, c=4)
    assert states(tmp_path) == ["done"] * 4


def test_everything_runs_where_nothing_is(tmp_path: Path) -> None:
    assert states(tmp_path) == ["missing"] * 4


def test_what_is_newer_makes_all_that_follows_run_but_not_what_does_not_mind(
    tmp_path: Path,
) -> None:
    touch(tmp_path, given=9, a=2, b=3, b_png=3, c=4)
    assert states(tmp_path) == ["out of date", "out of date", "done", "missing"]


def test_a_missing_file_is_made_if_somebody_asks_for_it(tmp_path: Path) -> None:
    touch(tmp_path, given=1, a=2, b=3, c=4)
    assert states(tmp_path) == ["done"] * 4
    (tmp_path / "c").unlink()
    assert states(tmp_path) == ["done", "done", "missing", "missing"]
    (tmp_path / "b").unlink()
    assert states(tmp_path)[1] == "missing"


def test_what_comes_before_is_made_only_if_it_is_needed(tmp_path: Path) -> None:
    touch(tmp_path, given=1, b=3, b_png=3, c=4)
    assert states(tmp_path) == ["done"] * 4
    (tmp_path / "b").unlink()
    assert states(tmp_path) == ["missing", "missing", "done", "missing"]


def test_an_output_that_another_configuration_made_runs_again(tmp_path: Path) -> None:
    touch(tmp_path, given=1, a=2, b=3, b_png=3, c=4)
    jobs = [Job("first", "", "", ("given",), ("a",), is_current=lambda _: False), *CHAIN[1:]]
    assert states(tmp_path, jobs) == ["out of date", "out of date", "done", "missing"]

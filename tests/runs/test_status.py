"""How far an experiment has come, told from its files."""

import os
import time
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
from store.test_checkpoint import make_state

from merec_hpc.config.selection import GeneticSettings
from merec_hpc.config.sweep import SweepSettings
from merec_hpc.config.whole import Config
from merec_hpc.dataset.catalog import write_catalog
from merec_hpc.dataset.clip import Clip
from merec_hpc.dataset.folds import FoldSize
from merec_hpc.dataset.sources import Folder
from merec_hpc.files.rows import write_rows
from merec_hpc.records import SearchState, Selection
from merec_hpc.runs.status import StageRow, failures, search_rows, stage_rows
from merec_hpc.store.checkpoint import Checkpoints, search_key
from merec_hpc.store.selection import SelectionOrigin, write_selection

CONFIG = Config(experiment="small", genetic=GeneticSettings(n_generations=20))
FOLDS = ("s1", "s2", "s3")


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """An experiment of three subjects whose folds are known."""
    folder = tmp_path / "results" / "small"
    write_catalog(
        folder / "catalog.tsv", [Clip(f"{fold}_1", fold, "a", Folder(fold)) for fold in FOLDS]
    )
    write_rows(folder / "folds.tsv", FoldSize, [FoldSize(fold, 1, 2) for fold in FOLDS])
    return folder


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    folder = tmp_path / "logs" / "select_genetic" / "small"
    folder.mkdir(parents=True)
    return tmp_path / "logs"


def save(results: Path, fold: str, states: list[SearchState], folder: str = "genetic") -> None:
    """Write checkpoints, one a minute up to now."""
    path = results / "selection" / folder / f"{fold}.h5.checkpoint"
    checkpoints = Checkpoints(path, search_key("program", CONFIG.genetic, "data"), 1)
    for back, state in enumerate(reversed(states)):
        when = time.time() - 60 * (len(states) - 1 - back)
        checkpoints.save(state)
        os.utime(path, (when, when))


def make_selection(generations: int) -> Selection:
    state = make_state(generations)
    return Selection(
        state.history.best_masks[-1],
        1.0,
        0.5,
        0,
        state.history,
        state.hall_of_fame,
        state.islands[0],
    )


def test_stages_are_counted_in_the_order_of_the_data(results: Path) -> None:
    (results / "faces").mkdir()
    (results / "faces" / "s1.h5").touch()
    assert stage_rows(results, CONFIG) == [
        StageRow("catalog", 1, 1),
        StageRow("faces", 1, 3),
        StageRow("clips", 0, 3),
        StageRow("features", 0, 1),
        StageRow("selection all_features", 0, 3),
        StageRow("selection genetic", 0, 3),
        StageRow("report", 0, 1),
    ]


def test_before_the_catalog_nobody_knows_how_many(tmp_path: Path) -> None:
    rows = {row.stage: row.n_wanted for row in stage_rows(tmp_path / "absent", CONFIG)}
    assert rows["faces"] is None
    assert search_rows(tmp_path / "absent", tmp_path / "logs", CONFIG, sweep=False) == []


def test_searches_are_done_under_way_or_waiting(results: Path, logs: Path) -> None:
    done, state = make_selection(20), make_state(9)
    origin = SelectionOrigin("genetic", "s1", 0, "{}", "none")
    write_selection(results / "selection" / "genetic" / "s1.h5", done, origin)
    save(results, "s2", [state, make_state(5)])
    first, second, third = search_rows(results, logs, CONFIG, sweep=False)
    assert (first.state, first.generation, first.minutes_left) == ("done", 20, 0.0)
    assert first.best_fitness == done.history.best_fitness[-1]
    assert (second.state, second.generation) == ("searching", 9)
    assert second.best_fitness == state.hall_of_fame.fitness[0]
    # Four generations took a minute, eleven are left.
    assert second.minutes_left == pytest.approx(11 / 4, rel=0.01)
    assert (third.state, third.generation, third.best_fitness) == ("waiting", None, None)


@pytest.mark.parametrize(
    ("said", "state"),
    [
        ("merec: stopped after generation 9 of 20\n", "interrupted"),
        ("2026-11-25 INFO start\nmerec: s2: a fold expected, found none\n", "failed"),
        ("Traceback\nMemoryError\n", "failed"),
        ("slurmstepd: error: Detected 1 oom_kill event in StepId=7.0.\n\n", "failed"),
        ("srun: error: n1: task 0: Killed\n", "failed"),
        ("slurmstepd: error: *** STEP 7.0 ON n1 CANCELLED DUE TO TIME LIMIT ***\n", "failed"),
        ("2026-11-25 INFO generations: 9 of 20, 3 s\n", "searching"),
    ],
)
def test_the_log_says_why_a_search_ended(results: Path, logs: Path, said: str, state: str) -> None:
    save(results, "s2", [make_state(9)])
    (logs / "select_genetic" / "small" / "s2.log").write_text(said)
    row = search_rows(results, logs, CONFIG, sweep=False)[1]
    assert row.state == state
    assert row.said == (said.strip().splitlines()[-1] if state != "searching" else "")


@pytest.mark.parametrize(
    ("own", "state"),
    [
        ("merec: stopped after generation 9 of 20", "interrupted"),
        ("merec: 2 rank(s) expected (--ranks), found 1", "failed"),
    ],
)
def test_what_the_launcher_adds_does_not_hide_the_reason(
    results: Path, logs: Path, own: str, state: str
) -> None:
    save(results, "s2", [make_state(9)])
    added = "Abort(75) on node 0 (rank 0 in comm 0)\nsrun: error: n1: task 0: Exited with exit code 75\n"
    (logs / "select_genetic" / "small" / "s2.log").write_text(f"start\n{own}\n{added}")
    row = search_rows(results, logs, CONFIG, sweep=False)[1]
    assert (row.state, row.said, row.minutes_left) == (state, own, None)


def test_a_checkpoint_of_other_settings_or_of_a_finished_search_does_not_count(
    results: Path, logs: Path
) -> None:
    save(results, "s2", [make_state(9)])
    other = replace(CONFIG, genetic=replace(CONFIG.genetic, seed=1))
    row = search_rows(results, logs, other, sweep=False)[1]
    assert (row.state, row.generation) == ("waiting", None)
    save(results, "s3", [make_state(20)])
    row = search_rows(results, logs, CONFIG, sweep=False)[2]
    assert (row.state, row.generation) == ("waiting", None)


def test_time_in_the_queue_is_not_taken_for_a_slow_search(results: Path, logs: Path) -> None:
    save(results, "s2", [make_state(9), make_state(5)])
    started = datetime.fromtimestamp(time.time() - 30).isoformat(sep=" ", timespec="seconds")
    (logs / "select_genetic" / "small" / "s2.log").write_text(f"{started},123 INFO start\n")
    assert search_rows(results, logs, CONFIG, sweep=False)[1].minutes_left is None


def test_a_search_that_has_been_silent_is_interrupted(results: Path, logs: Path) -> None:
    save(results, "s2", [make_state(9)])
    row = search_rows(results, logs, CONFIG, sweep=False, now=time.time() + 3600)[1]
    assert row.state == "interrupted"


def test_a_torn_checkpoint_is_no_error(results: Path, logs: Path) -> None:
    save(results, "s2", [make_state(9)])
    (results / "selection" / "genetic" / "s2.h5.checkpoint").write_bytes(b"torn")
    assert search_rows(results, logs, CONFIG, sweep=False)[1].generation is None


def test_a_sweep_lists_every_variant(results: Path, logs: Path) -> None:
    config = replace(CONFIG, sweep=SweepSettings(seeds=(0, 1)))
    rows = search_rows(results, logs, config, sweep=True)
    assert len(rows) == 6
    assert {row.search.rsplit("/", 1)[1] for row in rows} == {"seed~0", "seed~1"}


def test_failures_of_other_commands_are_found(logs: Path) -> None:
    for name, text in {
        "register_faces/small/s1.log": "start\nmerec: s1: frames expected, found none\n",
        "register_faces/small/s2.log": "start\ndone\n",
        "register_faces/other/s1.log": "merec: not of this experiment\n",
        "simulate/small.log": "merec: no room\n",
        "select_genetic/small/s1.log": "merec: told by its own row\n",
        "register_faces/small_too/s1.log": "merec: of another experiment\n",
        "slurm/rule_extract_features/small/7.log": "x\nslurmstepd: error: Detected 1 oom_kill\n",
    }.items():
        (logs / name).parent.mkdir(parents=True, exist_ok=True)
        (logs / name).write_text(text)
    assert failures(logs, "small") == [
        (str(logs / "register_faces/small/s1.log"), "merec: s1: frames expected, found none"),
        (str(logs / "simulate/small.log"), "merec: no room"),
        (
            str(logs / "slurm/rule_extract_features/small/7.log"),
            "slurmstepd: error: Detected 1 oom_kill",
        ),
    ]

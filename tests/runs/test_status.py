"""How far an experiment has come, told from its files."""

import json
import os
import time
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
from runs.made_up import make_up
from store.test_checkpoint import make_state

from merec_hpc.config.base import to_json
from merec_hpc.config.evaluation import EvaluationSettings, Method, PermutationSettings
from merec_hpc.config.faces import ClipSettings, FaceSettings, InterpolationSettings
from merec_hpc.config.features import FeatureSettings
from merec_hpc.config.scaling import CalibrationSettings
from merec_hpc.config.selection import GeneticSettings, RankingSettings
from merec_hpc.config.sweep import SweepSettings
from merec_hpc.config.whole import Config
from merec_hpc.dataset.catalog import write_catalog
from merec_hpc.dataset.clip import Clip
from merec_hpc.dataset.sources import Folder
from merec_hpc.files.running import marked_running
from merec_hpc.records import SearchState, Selection
from merec_hpc.runs.status import (
    SearchRow,
    StageRow,
    failures,
    left_over,
    search_rows,
    stage_rows,
)
from merec_hpc.store.checkpoint import Checkpoints, search_key
from merec_hpc.store.selection import SelectionOrigin, write_selection

CONFIG = Config(experiment="small", genetic=GeneticSettings(n_generations=20))
FOLDS = ("s1", "s2", "s3")


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """The results of an experiment of three subjects."""
    folder = tmp_path / "results" / "small"
    clips = [Clip(f"{fold}_{label}", fold, label, Folder(fold)) for fold in FOLDS for label in "ab"]
    write_catalog(folder / "catalog.tsv", clips)
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


def mark(results: Path, fold: str, host: str = "", started: str = "") -> None:
    """Say that a fold's search runs: here, or on a host that started it."""
    path = results / "selection" / "genetic" / f"{fold}.h5"
    with marked_running(path):
        beside = path.with_name(path.name + ".running")
        told = json.loads(beside.read_text())
    beside.write_text(json.dumps({**told, **({"host": host} if host else {}),
                                  **({"started": started} if started else {})}))  # fmt: skip


def searches(results: Path, config: Config = CONFIG, now: float | None = None) -> list[SearchRow]:
    return search_rows(results.parents[1], config, sweep=False, now=now)


def make_selection(generations: int) -> Selection:
    state = make_state(generations)
    return Selection(
        state.history.best_masks[-1],
        1.0,
        0.0,
        0.5,
        0,
        state.history,
        state.hall_of_fame,
        state.islands[0],
    )


def test_stages_are_counted_in_the_order_of_the_data(tmp_path: Path) -> None:
    kept = {"clips": {"keep": True}}
    made = make_up(tmp_path, kept, 3, without={"render_report", "select_genetic"})
    (tmp_path / "results" / "small" / "clips" / "s02.h5").unlink()
    (tmp_path / "results" / "small" / "features" / "flow.h5").unlink()
    assert stage_rows(tmp_path, made.config) == [
        StageRow("catalog", 1, 1),
        StageRow("faces", 3, 3),
        StageRow("folds", 1, 1),
        StageRow("apexes", 1, 1),
        StageRow("clips", 2, 3),
        StageRow("contact sheets", 3, 3),
        StageRow("features", 0, 1),
        StageRow("selection all_features", 0, 3, 3),
        StageRow("selection genetic", 0, 3),
        StageRow("evaluation", 0, 3, 3),
        StageRow("predictions", 0, 1, 1),
        StageRow("report", 0, 1),
    ]


def old(folder: Path, config: Config) -> dict[str, tuple[int, int]]:
    """Return how many files of each stage are done and out of date, if any are out of date."""
    rows = stage_rows(folder, config)
    return {row.stage: (row.n_done, row.n_out_of_date) for row in rows if row.n_out_of_date}


AFTER = {"predictions": (0, 1), "report": (0, 1)}


def test_what_another_configuration_made_is_out_of_date(tmp_path: Path) -> None:
    methods = {"methods": ["all_features", "fisher", "genetic"]}
    permutation = {"n_permutations": 40, "methods": ["fisher"]}
    kept = {"clips": {"keep": True}}
    changes = {"evaluation": methods, "permutation": permutation, **kept}
    config = make_up(tmp_path, changes, 3).config
    assert old(tmp_path, config) == {}
    assert left_over(tmp_path, config) == []
    # Defaults that are written out are no other settings, and neither is what only a report has.
    same = replace(config, genetic=GeneticSettings(n_islands=4))
    assert old(tmp_path, same) == {}
    seeded = replace(config, genetic=GeneticSettings(seed=1))
    later = {"evaluation": (2, 1), **AFTER}
    assert old(tmp_path, seeded) == {"selection genetic": (0, 3), **later}
    assert {row.state for row in search_rows(tmp_path, seeded, sweep=False)} == {"out of date"}
    ranked = replace(config, ranking=RankingSettings(n_selected=7))
    assert old(tmp_path, ranked) == {"selection fisher": (0, 3), **later}
    unscaled = replace(config, scaling="none")
    assert old(tmp_path, unscaled)["selection all_features"] == (0, 3)
    assert "features" not in old(tmp_path, unscaled)
    shrunk = replace(config, scaling="transductive_shrunk")
    assert old(tmp_path, shrunk)["selection all_features"] == (0, 3)
    interpolated = replace(config, interpolation=InterpolationSettings(n_frames=6))
    found = old(tmp_path, interpolated)
    assert found["clips"] == (0, 3)
    # Flow is taken between frames as filmed.
    assert found == {"clips": (0, 3)}
    halved = replace(config, clips=ClipSettings(keep=True, format="float16"))
    assert old(tmp_path, halved) == {"clips": (0, 3)}
    cropped = replace(config, faces=FaceSettings(crop="shape"))
    assert old(tmp_path, cropped)["faces"] == (0, 3)
    dealt = replace(config, permutation=replace(config.permutation, permutations_per_job=30))
    assert old(tmp_path, dealt) == {"permutation fisher": (0, 2), "report": (0, 1)}


def test_what_another_calibration_selected_is_out_of_date(tmp_path: Path) -> None:
    changes = {
        "scaling": "transductive_full",
        "evaluation": {"methods": ["all_features", "genetic"]},
    }
    config = make_up(tmp_path, changes, 3).config
    assert old(tmp_path, config) == {}
    few = replace(config, calibration=CalibrationSettings(min_clips=2))
    selected = {"selection all_features": (0, 3), "selection genetic": (0, 3)}
    assert selected.items() <= old(tmp_path, few).items()
    idle = replace(config, calibration=CalibrationSettings(kappa=2.0))
    assert old(tmp_path, idle) == {}


def test_folds_and_methods_that_the_configuration_does_not_have_are_left_over(
    tmp_path: Path,
) -> None:
    changes = {
        "evaluation": {"methods": ["fisher", "genetic", "genetic+ensemble"]},
        "permutation": {"n_permutations": 1, "methods": ["fisher"]},
    }
    config = make_up(tmp_path, changes, 6).config
    fewer = EvaluationSettings(
        methods=(Method("genetic"),), protocol="subject_folds", n_folds=3, classifier="linear_svm"
    )
    other = replace(config, evaluation=fewer, permutation=PermutationSettings())
    assert left_over(tmp_path, other) == [
        "6 selections by fisher, which evaluation.methods does not name",
        (
            "6 selections by genetic of folds that the protocol does not have: "
            "s00, s01, s02, s03, s04 and 1 more"
        ),
        (
            "2 evaluations that the configuration does not name: fisher/linear_svm, "
            "genetic+ensemble/linear_svm"
        ),
        "1 table of permutations that the configuration does not ask for: fisher/0",
    ]
    rows = {row.stage: row for row in stage_rows(tmp_path, other)}
    assert rows["folds"] == StageRow("folds", 0, 1, 1)
    assert rows["selection genetic"] == StageRow("selection genetic", 0, 3)
    assert rows["report"] == StageRow("report", 0, 1, 1)
    lbp_top = replace(config, features=FeatureSettings(extractor="lbp_top"))
    assert left_over(tmp_path, lbp_top) == [
        "1 file of features that the configuration does not use: flow"
    ]


def test_a_sweep_has_stages_of_its_own(tmp_path: Path) -> None:
    config = make_up(tmp_path, {"sweep": {"seeds": [0, 1]}}, 3, sweep=True).config
    found = {row.stage: row.n_done for row in stage_rows(tmp_path, config, sweep=True)}
    assert found["sweep selection"] == 6
    assert found["sweep evaluation of seeds"] == found["sweep table"] == 1


def test_before_the_catalog_nobody_knows_how_many(tmp_path: Path) -> None:
    rows = {row.stage: row.n_wanted for row in stage_rows(tmp_path, CONFIG)}
    assert rows["faces"] is None
    assert rows["selection genetic"] is None
    assert rows["report"] == 1
    assert search_rows(tmp_path, CONFIG, sweep=False) == []
    assert left_over(tmp_path, CONFIG) == []


def test_folds_that_cannot_be_are_not_known(results: Path) -> None:
    asked = EvaluationSettings(protocol="subject_folds", n_folds=4)
    rows = {
        row.stage: row.n_wanted
        for row in stage_rows(results.parents[1], replace(CONFIG, evaluation=asked))
    }
    assert (rows["faces"], rows["selection genetic"]) == (3, None)


def test_searches_are_done_under_way_or_waiting(results: Path, logs: Path) -> None:
    done, state = make_selection(20), make_state(9)
    origin = SelectionOrigin("genetic", "s1", 0, to_json(CONFIG.genetic), "standard")
    write_selection(results / "selection" / "genetic" / "s1.h5", done, origin)
    save(results, "s2", [state, make_state(5)])
    mark(results, "s2")
    first, second, third = searches(results)
    assert first.state == "out of date"  # of features that are not there
    assert (second.state, second.generation) == ("searching", 9)
    assert second.best_fitness == state.hall_of_fame.fitness[0]
    # Four generations took a minute, eleven are left.
    assert second.minutes_left == pytest.approx(11 / 4, rel=0.01)
    assert (third.state, third.generation, third.best_fitness) == ("waiting", None, None)


def test_a_search_that_is_done_tells_its_generations(tmp_path: Path) -> None:
    config = make_up(tmp_path, {}, 3).config
    path = tmp_path / "results" / "small" / "selection" / "genetic" / "s01.h5"
    when = path.stat().st_mtime
    chosen = make_selection(20)
    for other in path.parent.glob("*.h5"):
        origin = SelectionOrigin("genetic", other.stem, 0, to_json(config.genetic), "standard")
        write_selection(other, chosen, origin)
        os.utime(other, (when, when))
    row = search_rows(tmp_path, config, sweep=False)[1]
    assert (row.state, row.generation, row.minutes_left) == ("done", 20, 0.0)
    assert row.best_fitness == chosen.history.best_fitness[-1]


def test_a_search_whose_process_is_gone_is_interrupted_at_once(results: Path, logs: Path) -> None:
    save(results, "s1", [make_state(9)])  # Ctrl-C: no mark
    save(results, "s2", [make_state(9), make_state(5)])  # kill -9: a mark of nobody
    mark(results, "s2", started="long ago")
    mark(results, "s3", started="long ago")  # before the first checkpoint
    rows = searches(results)
    assert [row.state for row in rows] == ["interrupted"] * 3
    assert [row.generation for row in rows] == [9, 9, None]
    assert all(row.minutes_left is None for row in rows)


def test_a_search_on_another_host_runs_while_it_writes(results: Path, logs: Path) -> None:
    save(results, "s1", [make_state(9)])
    mark(results, "s1", host="elsewhere")
    (logs / "select_genetic" / "small" / "s2.log").write_text("INFO start\n")
    mark(results, "s2", host="elsewhere")
    assert [row.state for row in searches(results)] == ["searching", "searching", "waiting"]
    rows = searches(results, now=time.time() + 3600)
    assert [row.state for row in rows] == ["interrupted", "interrupted", "waiting"]


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
        ("Traceback\nKeyboardInterrupt\n", "interrupted"),
        ("Abort(130) on node 1 (rank 1 in comm 0): MPI_Abort\n", "interrupted"),
        ("=\nYOUR APPLICATION TERMINATED WITH THE EXIT STRING: Killed (signal 9)\n", "interrupted"),
        (
            "=\nYOUR APPLICATION TERMINATED WITH THE EXIT STRING: Segmentation fault (signal 11)\n",
            "failed",
        ),
    ],
)
def test_the_log_says_why_a_search_ended(results: Path, logs: Path, said: str, state: str) -> None:
    save(results, "s2", [make_state(9)])
    mark(results, "s2", host="elsewhere")
    (logs / "select_genetic" / "small" / "s2.log").write_text(said)
    row = searches(results)[1]
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
    row = searches(results)[1]
    assert (row.state, row.said, row.minutes_left) == (state, own, None)


def test_a_checkpoint_of_other_settings_or_of_a_finished_search_does_not_count(
    results: Path, logs: Path
) -> None:
    save(results, "s2", [make_state(9)])
    other = replace(CONFIG, genetic=replace(CONFIG.genetic, seed=1))
    row = searches(results, other)[1]
    assert (row.state, row.generation) == ("waiting", None)
    save(results, "s3", [make_state(20)])
    row = searches(results)[2]
    assert (row.state, row.generation) == ("waiting", None)


def test_time_in_the_queue_is_not_taken_for_a_slow_search(results: Path, logs: Path) -> None:
    save(results, "s2", [make_state(9), make_state(5)])
    mark(results, "s2")
    started = datetime.fromtimestamp(time.time() - 30).isoformat(sep=" ", timespec="seconds")
    (logs / "select_genetic" / "small" / "s2.log").write_text(f"{started},123 INFO start\n")
    assert searches(results)[1].minutes_left is None


def test_a_torn_checkpoint_is_no_error(results: Path, logs: Path) -> None:
    save(results, "s2", [make_state(9)])
    (results / "selection" / "genetic" / "s2.h5.checkpoint").write_bytes(b"torn")
    assert searches(results)[1].generation is None


def test_a_sweep_lists_every_variant(results: Path, logs: Path) -> None:
    config = replace(CONFIG, sweep=SweepSettings(seeds=(0, 1)))
    rows = search_rows(results.parents[1], config, sweep=True)
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

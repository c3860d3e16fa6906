"""Nothing of the held-out subject reaches a selection: neither its labels nor its features."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from merec_hpc.commands import evaluate_folds, predict, select, select_genetic
from merec_hpc.config.evaluation import DECIDERS
from merec_hpc.config.features import FeatureSettings
from merec_hpc.config.selection import (
    AllFeaturesSettings,
    AntColonySettings,
    AnySettings,
    ForwardSettings,
    RandomMasksSettings,
    RankingSettings,
    RuleSettings,
)
from merec_hpc.evaluation.predictions import Prediction
from merec_hpc.files.rows import read_rows
from merec_hpc.records import Features
from merec_hpc.selection.ranking import RANKINGS
from merec_hpc.selection.selectors import LEAKY, RANKED, SELECTORS
from merec_hpc.store.features import write_features

HELD_OUT = "s02"
GENETIC = {
    "n_islands": 2,
    "n_individuals": 8,
    "n_random_migrants": 2,
    "n_generations": 4,
    "migration_interval": 2,
    "hall_of_fame_size": 3,
}


def run_genetic(store: Path, output: Path, scaling: str) -> None:
    select_genetic.run(store, [output], json.dumps(GENETIC), scaling, [HELD_OUT])


def run_units(method: str, **settings: object) -> "Run":
    """Choose among groups of features, as a table has them."""

    def run(store: Path, output: Path, scaling: str) -> None:
        table = store.with_name("units.csv")
        rows = [f"feature{number:02d},g{number % 8}" for number in range(30)]
        table.write_text("\n".join(["feature,group", *rows]))
        text = json.dumps({**settings, "unit": "custom", "unit_table": str(table)})
        if method == "genetic":
            select_genetic.run(store, [output], text, scaling, [HELD_OUT])
        else:
            select.run(store, method, [output], text, scaling, [HELD_OUT])

    return run


def run_by(method: str, **settings: object) -> "Run":
    def run(store: Path, output: Path, scaling: str) -> None:
        if SELECTORS[method].decides and scaling in TRANSDUCTIVE:  # refused: a rule has its own
            scaling = "standard"
        select.run(store, method, [output], json.dumps(settings), scaling, [HELD_OUT])

    return run


def run_genetic_front(store: Path, output: Path, scaling: str) -> None:
    settings = json.dumps(GENETIC | {"objectives": ["fitness", "n_features"]})
    select_genetic.run(store, [output], settings, scaling, [HELD_OUT])


Run = Callable[[Path, Path, str], None]
SETTINGS: dict[type[AnySettings], dict[str, object]] = {
    AllFeaturesSettings: {"C_values": [0.001, 0.01, 1.0, 100.0]},
    RandomMasksSettings: {"n_masks": 9},
    RankingSettings: {"n_selected_values": [2, 5, 9], "bias": ["none", 0.3]},
    ForwardSettings: {"n_steps": 4, "bias": "none"},
    AntColonySettings: {"n_ants": 3, "n_iterations": 2, "bias": ["none", 0.3]},
    RuleSettings: {"C_values": [0.1, 1.0], "n_individuals": 5, "n_generations": 2},
}
LIKE_OTHERS = {
    f"{leaky}{RANKED}{name}" for leaky in ("", LEAKY) for name in RANKINGS if name != "gini"
}
# A forest takes as long as a thousand machines.
FOREST = {
    "classifier": "random_forest",
    "oversampling": "smote",
    "n_ants": 2,
    "n_iterations": 1,
    "bias": "none",
}
RUNS: dict[str, Run] = {
    "genetic": run_genetic,
    "genetic, front": run_genetic_front,
    **{
        name: run_by(name, **SETTINGS[selector.settings])
        for name, selector in SELECTORS.items()
        if name != "genetic" and name not in LIKE_OTHERS
    },
    "genetic, weights": run_units("genetic", **GENETIC, genome="weights"),
    "fisher, groups": run_units("fisher", **SETTINGS[RankingSettings]),
    "ranked_forward_gini, groups": run_units("ranked_forward_gini", n_steps=4, bias="none"),
    "ant_colony, forest, smote": run_by("ant_colony", **FOREST),
}
every_selector = pytest.mark.parametrize("run", list(RUNS.values()), ids=list(RUNS))
TRANSDUCTIVE = ["transductive_full,min_clips=2", "transductive_shrunk,min_clips=2"]
every_scaling = pytest.mark.parametrize("scaling", ["standard", "none", *TRANSDUCTIVE])


def selected(run: Run, features: Features, folder: Path, scaling: str = "standard") -> bytes:
    """Return the file that a selector writes: masks, C, history, last population."""
    store, output = folder / "features.h5", folder / "selection.h5"
    write_features(store, features, FeatureSettings(), "0" * 64)
    run(store, output, scaling)
    return output.read_bytes()


def with_labels(
    features: Features, subject: str, change: Callable[[NDArray[np.int64]], NDArray[np.int64]]
) -> Features:
    labels = features.labels.copy()
    rows = features.subjects == subject
    labels[rows] = change(labels[rows])
    assert (labels != features.labels).any()
    return replace(features, labels=labels)


def permuted(labels: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.roll(labels, 1)


def wrong(labels: NDArray[np.int64]) -> NDArray[np.int64]:
    return (labels + 1) % 3


def single(labels: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.zeros_like(labels)


@every_selector
@every_scaling
@pytest.mark.parametrize("change", [permuted, wrong, single])
def test_labels_of_the_held_out_subject_change_no_selection(
    features: Features,
    tmp_path: Path,
    run: Run,
    scaling: str,
    change: Callable[[NDArray[np.int64]], NDArray[np.int64]],
) -> None:
    relabelled = with_labels(features, HELD_OUT, change)
    expected = selected(run, features, tmp_path, scaling)
    assert selected(run, relabelled, tmp_path, scaling) == expected


@every_selector
@every_scaling
def test_features_of_the_held_out_subject_change_no_selection(
    features: Features, tmp_path: Path, run: Run, scaling: str
) -> None:
    values = features.values.copy()
    values[features.subjects == HELD_OUT] = 1000 - 7 * values[features.subjects == HELD_OUT]
    expected = selected(run, features, tmp_path, scaling)
    assert selected(run, replace(features, values=values), tmp_path, scaling) == expected


def predictions(features: Features, folder: Path, scaling: str, decider: str) -> bytes:
    """Return the predicted classes and decisions of the held-out clips, without their labels."""
    store, selection, output = (folder / name for name in ("f.h5", "s.h5", "clips.csv"))
    write_features(store, features, FeatureSettings(), "0" * 64)
    run_by("random_masks", n_masks=6)(store, selection, scaling)
    predict.run(store, output, [selection], decider)
    found = output.read_bytes()
    evaluate_folds.run(store, [selection], output, decider=decider)
    told = [(row.clip, row.predicted, row.decisions) for row in read_rows(output, Prediction)]
    return found + repr(told).encode()


@every_scaling
@pytest.mark.parametrize("decider", DECIDERS)
@pytest.mark.parametrize("change", [permuted, wrong, single])
def test_labels_of_the_held_out_subject_change_no_prediction(
    features: Features,
    tmp_path: Path,
    scaling: str,
    decider: str,
    change: Callable[[NDArray[np.int64]], NDArray[np.int64]],
) -> None:
    expected = predictions(features, tmp_path, scaling, decider)
    relabelled = with_labels(features, HELD_OUT, change)
    assert predictions(relabelled, tmp_path, scaling, decider) == expected


@every_scaling
def test_other_clips_of_the_held_out_subject_count_only_where_the_scaling_is_transductive(
    features: Features, tmp_path: Path, scaling: str
) -> None:
    values = features.values.copy()
    values[np.flatnonzero(features.subjects == HELD_OUT)[1:]] += 5
    changed = replace(features, values=values)
    first, second = (
        predictions(one, tmp_path, scaling, "champion").splitlines()[1]
        for one in (features, changed)
    )
    assert first.split(b",")[0] == b"clip06"
    assert (first != second) == (scaling in TRANSDUCTIVE)


@every_selector
def test_leaving_the_held_out_subject_out_of_the_store_changes_no_selection(
    features: Features, tmp_path: Path, run: Run
) -> None:
    # One clip is left, since a fold must have somebody to hold out.
    kept = (features.subjects != HELD_OUT) | (np.arange(24) == 6)
    assert features.subjects[6] == HELD_OUT
    fewer = replace(
        features,
        values=features.values[kept],
        labels=features.labels[kept],
        subjects=features.subjects[kept],
        clips=features.clips[kept],
    )
    assert selected(run, fewer, tmp_path) == selected(run, features, tmp_path)


@every_selector
def test_labels_of_a_training_subject_do_change_a_selection(
    features: Features, tmp_path: Path, run: Run
) -> None:
    relabelled = with_labels(features, "s03", permuted)
    assert selected(run, relabelled, tmp_path) != selected(run, features, tmp_path)


@every_selector
def test_features_of_a_training_subject_do_change_a_selection(
    features: Features, tmp_path: Path, run: Run
) -> None:
    values = features.values.copy()
    values[features.subjects == "s03"] *= -1
    changed = replace(features, values=values)
    assert selected(run, changed, tmp_path) != selected(run, features, tmp_path)


def test_a_selection_is_written_the_same_twice(features: Features, tmp_path: Path) -> None:
    once = selected(run_genetic, features, tmp_path)
    assert selected(run_genetic, features, tmp_path) == once

"""Nothing of the held-out subject reaches a selection: neither its labels nor its features."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from merec_hpc.commands import (
    select_all_features,
    select_ant_colony,
    select_forward,
    select_genetic,
    select_random_masks,
    select_ranking,
)
from merec_hpc.config.features import FeatureSettings
from merec_hpc.config.selection import RANKING_NAMES, SEARCHES
from merec_hpc.records import Features
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
ALL_FEATURES = {"C_values": [0.001, 0.01, 1.0, 100.0]}


def run_genetic(store: Path, output: Path, scaling: str) -> None:
    select_genetic.run(store, [output], json.dumps(GENETIC), scaling, [HELD_OUT])


def run_all_features(store: Path, output: Path, scaling: str) -> None:
    select_all_features.run(store, [HELD_OUT], [output], json.dumps(ALL_FEATURES), scaling)


def run_random_masks(store: Path, output: Path, scaling: str) -> None:
    select_random_masks.run(store, [output], '{"n_masks": 9}', scaling, [HELD_OUT])


def run_ranking(ranking: str) -> "Run":
    def run(store: Path, output: Path, scaling: str) -> None:
        settings = '{"n_selected_values": [2, 5, 9]}'
        select_ranking.run(store, ranking, [output], settings, scaling, [HELD_OUT])

    return run


def run_forward(search: str) -> "Run":
    def run(store: Path, output: Path, scaling: str) -> None:
        select_forward.run(store, search, [output], '{"n_steps": 4}', scaling, [HELD_OUT])

    return run


def run_ants(**settings: str) -> "Run":
    def run(store: Path, output: Path, scaling: str) -> None:
        given = json.dumps({"n_ants": 3, "n_iterations": 2, **settings})
        select_ant_colony.run(store, [output], given, scaling, [HELD_OUT])

    return run


Run = Callable[[Path, Path, str], None]
RUNS: dict[str, Run] = {
    "genetic": run_genetic,
    "all_features": run_all_features,
    "random_masks": run_random_masks,
    **{name: run_ranking(name) for name in RANKING_NAMES},
    **{name: run_forward(name) for name in (*SEARCHES, "ranked_forward_gini")},
    "ant_colony": run_ants(),
    "ant_colony, forest, smote": run_ants(classifier="random_forest", oversampling="smote"),
}
every_selector = pytest.mark.parametrize("run", list(RUNS.values()), ids=list(RUNS))
every_scaling = pytest.mark.parametrize("scaling", ["standard", "none"])


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

"""Protocols of Tables II and III: which leak, and that those alone do whose names say so."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from merec_hpc.config.scaling import STANDARD, UNSCALED, ScalingSettings
from merec_hpc.evaluation.held_out import predict_held_out
from merec_hpc.learning.linear_svm import train_svm
from merec_hpc.papers.paper1_protocols import (
    C_VALUES,
    PROTOCOLS,
    best_by_test_accuracy,
    predict_by_protocol,
    view_fold,
)
from merec_hpc.records import Features
from merec_hpc.selection.discriminant import LinearDiscriminants

SUBJECT = "s02"
HONEST = [name for name in PROTOCOLS if not name.startswith("leaky_")]
GLOBAL = [name for name in PROTOCOLS if name.startswith("leaky_global_lda_")]
every_scaling = pytest.mark.parametrize("scaling", [UNSCALED, STANDARD], ids=lambda one: one.text)


@pytest.fixture
def noise(features: Features, rng: np.random.Generator) -> Features:
    """Features that say nothing of the class: whatever is found, leaked."""
    return replace(features, values=rng.normal(size=(24, 300)).astype(np.float32))


def permuted(features: Features) -> Features:
    return relabelled(features, lambda labels: np.roll(labels, 1))


def relabelled(
    features: Features, change: Callable[[NDArray[np.int64]], NDArray[np.int64]]
) -> Features:
    """Change the labels of the held-out subject alone."""
    labels = features.labels.copy()
    rows = features.subjects == SUBJECT
    labels[rows] = change(labels[rows])
    assert (labels != features.labels).any()
    return replace(features, labels=labels)


def predicted(features: Features, name: str, scaling: ScalingSettings = UNSCALED) -> list[str]:
    return [row.predicted for row in predict_by_protocol(features, name, scaling, [SUBJECT])]


def accuracy(features: Features, name: str) -> float:
    rows = predict_by_protocol(features, name)
    return float(np.mean([row.label == row.predicted for row in rows]))


def test_names_say_which_protocols_leak() -> None:
    assert HONEST == ["all_features", "lda"]
    for name, protocol in PROTOCOLS.items():
        assert protocol.is_leaky == name.startswith("leaky_"), name


@every_scaling
@pytest.mark.parametrize("name", HONEST)
def test_labels_of_the_held_out_subject_change_nothing_that_is_honest(
    features: Features, name: str, scaling: ScalingSettings
) -> None:
    before = view_fold(features, SUBJECT, PROTOCOLS[name], scaling)
    after = view_fold(permuted(features), SUBJECT, PROTOCOLS[name], scaling)
    np.testing.assert_array_equal(after.training, before.training)
    np.testing.assert_array_equal(after.held_out, before.held_out)
    assert predicted(permuted(features), name, scaling) == predicted(features, name, scaling)


@pytest.mark.parametrize("name", HONEST)
def test_features_of_the_held_out_subject_change_nothing_that_is_trained(
    features: Features, name: str
) -> None:
    values = features.values.copy()
    values[np.flatnonzero(features.subjects == SUBJECT)[1:]] = 1000.0
    changed = replace(features, values=values)
    before = view_fold(features, SUBJECT, PROTOCOLS[name], STANDARD)
    after = view_fold(changed, SUBJECT, PROTOCOLS[name], STANDARD)
    np.testing.assert_array_equal(after.training, before.training)
    assert predicted(changed, name)[0] == predicted(features, name)[0]


@every_scaling
@pytest.mark.parametrize("name", GLOBAL)
def test_labels_of_the_held_out_subject_do_change_a_global_projection(
    features: Features, name: str, scaling: ScalingSettings
) -> None:
    before = view_fold(features, SUBJECT, PROTOCOLS[name], scaling)
    after = view_fold(permuted(features), SUBJECT, PROTOCOLS[name], scaling)
    assert not np.allclose(after.training, before.training, atol=0.1)
    assert not np.allclose(after.held_out, before.held_out, atol=0.1)


@pytest.mark.parametrize("name", ["leaky_best_C_all_features", "leaky_best_C_lda"])
def test_labels_of_the_held_out_subject_do_choose_the_best_penalty(
    noise: Features, rng: np.random.Generator, name: str
) -> None:
    # Few features, and many clips to predict: some lie where C decides.
    many = Features(
        values=rng.normal(size=(324, 5)).astype(np.float32),
        labels=np.concatenate([noise.labels, np.arange(300) % 3]),
        subjects=np.concatenate([noise.subjects, np.repeat(SUBJECT, 300)]),
        clips=np.arange(324).astype(np.str_),
        names=noise.names[:5],
        class_names=noise.class_names,
    )
    view = view_fold(many, SUBJECT, PROTOCOLS[name], UNSCALED)
    labels = many.without(SUBJECT).labels
    rows = [train_svm(view.training, labels, C).predict(view.held_out) for C in C_VALUES]
    assert len({tuple(row.tolist()) for row in rows}) > 1
    for row in rows:
        # Whichever of them is called the truth is found.
        found = predicted(relabelled(many, lambda _, row=row: row), name)
        assert found == [str(many.class_names[label]) for label in row]


def test_global_lda_finds_classes_in_noise_and_honest_lda_does_not(noise: Features) -> None:
    assert accuracy(noise, "lda") < 0.6
    for name in GLOBAL:
        assert accuracy(noise, name) > 0.9


@pytest.mark.parametrize("name", HONEST)
def test_clear_classes_are_recognised_honestly(features: Features, name: str) -> None:
    values = features.values.copy()
    values[:, :3] += 10 * np.eye(3)[features.labels]
    assert accuracy(replace(features, values=values), name) == 1


@every_scaling
def test_all_features_are_predicted_as_by_the_protocol_of_masks(
    features: Features, scaling: ScalingSettings
) -> None:
    everything = np.ones(30, np.bool_)
    tried = [
        [
            str(features.class_names[label])
            for label in predict_held_out(features, SUBJECT, everything, C, scaling)
        ]
        for C in C_VALUES
    ]
    assert predicted(features, "all_features", scaling) in tried
    assert predicted(features, "leaky_best_C_all_features", scaling) in tried


def test_best_penalty_of_all_features_is_that_of_the_most_clips_right(features: Features) -> None:
    everything = np.ones(30, np.bool_)
    hits = [
        np.mean(
            np.concatenate(
                [
                    predict_held_out(features, str(name), everything, C, UNSCALED)
                    == features.only(str(name)).labels
                    for name in np.unique(features.subjects)
                ]
            )
        )
        for C in C_VALUES
    ]
    assert accuracy(features, "leaky_best_C_all_features") == max(hits)


def test_best_row_is_the_first_of_equals() -> None:
    rows = np.array([[0, 0, 0], [0, 1, 0], [1, 1, 2], [0, 1, 1]])
    assert best_by_test_accuracy(rows, np.array([0, 1, 2])) == 1


def test_discriminants_are_those_of_the_training_subjects(features: Features) -> None:
    training = features.without(SUBJECT)
    fitted = LinearDiscriminants.fit(training.values, training.labels)
    view = view_fold(features, SUBJECT, PROTOCOLS["lda"], UNSCALED)
    np.testing.assert_array_equal(view.training, fitted.apply(training.values.astype(np.float64)))
    assert view.held_out.shape == (6, 2)


def test_basis_of_the_training_clips_keeps_scalar_products(features: Features) -> None:
    view = view_fold(features, SUBJECT, PROTOCOLS["all_features"], UNSCALED)
    training, held_out = features.without(SUBJECT).values, features.only(SUBJECT).values
    assert view.training.shape == (18, 18)
    np.testing.assert_allclose(view.held_out @ view.training.T, held_out @ training.T, atol=1e-4)


def test_rows_are_of_every_clip_with_its_subject_held_out(features: Features) -> None:
    rows = predict_by_protocol(features, "lda")
    assert [row.clip for row in rows] == features.clips.tolist()
    assert [row.fold for row in rows] == [row.subject for row in rows] == features.subjects.tolist()
    assert {(row.method, row.classifier, row.seed) for row in rows} == {("lda", "linear_svm", 0)}
    labels = [str(features.class_names[label]) for label in features.labels]
    assert [row.label for row in rows] == labels


@pytest.mark.parametrize("name", [name for name in PROTOCOLS if "lda" in name])
def test_without_a_direction_the_most_frequent_training_class_is_named(
    features: Features, name: str
) -> None:
    still = replace(features, values=np.ones((24, 30), np.float32))
    assert set(predicted(still, name)) == {"negative"}


def test_mistakes_are_named(features: Features) -> None:
    with pytest.raises(ValueError, match=r"a protocol of all_features, lda, .* found 'global'"):
        predict_by_protocol(features, "global")
    two = features.without("s01").without("s03")
    with pytest.raises(ValueError, match="at least two subjects expected, found 1"):
        predict_by_protocol(two, "all_features")

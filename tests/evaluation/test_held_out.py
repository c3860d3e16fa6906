"""Predictions of a held-out subject."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from merec_hpc.commands import evaluate_folds
from merec_hpc.config.base import ClassifierName, Oversampling
from merec_hpc.config.scaling import STANDARD, UNSCALED, ScalingKind, ScalingSettings
from merec_hpc.errors import MerecError
from merec_hpc.evaluation.held_out import held_out_decisions, predict_held_out
from merec_hpc.evaluation.predictions import Prediction, as_text, read_decisions, read_predictions
from merec_hpc.learning.linear_svm import train_svm
from merec_hpc.learning.scaling import Scaling
from merec_hpc.records import Features
from merec_hpc.selection.training_folds import write_selections

SUBJECT = "s02"
EVERYTHING = np.ones(30, np.bool_)
SOME = np.arange(30) % 3 == 0
every_scaling = pytest.mark.parametrize("scaling", [STANDARD, UNSCALED], ids=lambda one: one.text)


def is_held_out(features: Features) -> NDArray[np.bool_]:
    found: NDArray[np.bool_] = features.subjects == SUBJECT
    return found


@pytest.mark.parametrize("mask", [EVERYTHING, SOME])
@pytest.mark.parametrize("C", [0.01, 1.0])
@pytest.mark.parametrize("subject", ["s01", "s04"])
def test_predictions_are_those_of_scikit_learn(
    features: Features, mask: NDArray[np.bool_], C: float, subject: str
) -> None:
    held_out = features.subjects == subject
    values = features.values[:, mask].astype(np.float64)
    machine = make_pipeline(
        StandardScaler(), LinearSVC(C=C, fit_intercept=False, tol=1e-8, max_iter=10**7)
    )
    machine.fit(values[~held_out], features.labels[~held_out])
    predicted = predict_held_out(features, subject, mask, C, STANDARD)
    np.testing.assert_array_equal(predicted, machine.predict(values[held_out]))


def test_clear_classes_are_recognised(features: Features) -> None:
    values = features.values.copy()
    values[:, :3] += 10 * np.eye(3)[features.labels]
    clear = replace(features, values=values)
    for subject in np.unique(features.subjects):
        predicted = predict_held_out(clear, str(subject), np.arange(30) < 3, 1.0, STANDARD)
        np.testing.assert_array_equal(predicted, features.only(str(subject)).labels)


@every_scaling
def test_labels_of_the_held_out_subject_are_not_used(features: Features, scaling: Any) -> None:
    labels = np.where(is_held_out(features), (features.labels + 1) % 3, features.labels)
    for mask in (SOME, np.zeros(30, np.bool_)):
        np.testing.assert_array_equal(
            predict_held_out(replace(features, labels=labels), SUBJECT, mask, 1.0, scaling),
            predict_held_out(features, SUBJECT, mask, 1.0, scaling),
        )


def test_labels_of_training_subjects_are_used(features: Features) -> None:
    labels = np.where(is_held_out(features), features.labels, (features.labels + 1) % 3)
    predicted = predict_held_out(features, SUBJECT, SOME, 1.0, STANDARD)
    np.testing.assert_array_equal(
        predict_held_out(replace(features, labels=labels), SUBJECT, SOME, 1.0, STANDARD),
        (predicted + 1) % 3,
    )


@every_scaling
def test_a_clip_is_predicted_the_same_whatever_the_others_of_its_subject(
    features: Features, scaling: Any
) -> None:
    values = features.values.copy()
    values[np.flatnonzero(is_held_out(features))[1:]] = 1000.0
    changed = replace(features, values=values)
    before = predict_held_out(features, SUBJECT, EVERYTHING, 1.0, scaling)
    after = predict_held_out(changed, SUBJECT, EVERYTHING, 1.0, scaling)
    assert after[0] == before[0]
    assert (after[1:] == after[1]).all()


def test_features_outside_the_mask_do_not_count(features: Features) -> None:
    changed = replace(features, values=np.where(SOME, features.values, -features.values))
    expected = predict_held_out(features, SUBJECT, SOME, 1.0, STANDARD)
    np.testing.assert_array_equal(predict_held_out(changed, SUBJECT, SOME, 1.0, STANDARD), expected)
    assert (predict_held_out(changed, SUBJECT, ~SOME, 1.0, STANDARD) != expected).any()


def test_predictions_stand_in_the_order_of_the_subjects_clips(features: Features) -> None:
    order = np.random.default_rng(1).permutation(24)
    shuffled = Features(
        values=features.values[order],
        labels=features.labels[order],
        subjects=features.subjects[order],
        clips=features.clips[order],
        names=features.names,
        class_names=features.class_names,
    )
    found = predict_held_out(shuffled, SUBJECT, EVERYTHING, 1.0, STANDARD)
    expected = predict_held_out(features, SUBJECT, EVERYTHING, 1.0, STANDARD)
    by_clip = dict(zip(shuffled.only(SUBJECT).clips, found, strict=True))
    assert len(set(expected.tolist())) > 1
    assert [by_clip[clip] for clip in features.only(SUBJECT).clips] == expected.tolist()


def test_without_a_feature_the_most_frequent_training_class_is_named(features: Features) -> None:
    # 10 training clips of class 1, 8 of class 2; with the 6 held-out ones class 2 would lead.
    labels = np.full(24, 2)
    labels[np.flatnonzero(~is_held_out(features))[:10]] = 1
    predicted = predict_held_out(
        replace(features, labels=labels), SUBJECT, np.zeros(30, np.bool_), 1.0, STANDARD
    )
    assert predicted.tolist() == [1] * 6


def test_a_class_of_the_held_out_subject_alone_is_never_predicted(features: Features) -> None:
    labels = np.where(is_held_out(features), 2, np.arange(24) % 2)
    predicted = predict_held_out(
        replace(features, labels=labels), SUBJECT, EVERYTHING, 1.0, STANDARD
    )
    assert set(predicted.tolist()) <= {0, 1}
    assert len(predicted) == 6


def test_training_clips_of_one_class_are_refused(features: Features) -> None:
    labels = np.where(is_held_out(features), 1, 0)
    with pytest.raises(ValueError, match="at least two classes expected"):
        predict_held_out(replace(features, labels=labels), SUBJECT, EVERYTHING, 1.0, STANDARD)


@pytest.mark.parametrize("classifier", ["linear_svm", "random_forest"])
@pytest.mark.parametrize("oversampling", ["none", "smote"])
def test_forest_and_smote_never_see_the_held_out_clips(
    features: Features, classifier: ClassifierName, oversampling: Oversampling
) -> None:
    held = features.subjects == SUBJECT
    changed = replace(features, labels=np.where(held, features.labels[::-1], features.labels))
    arguments = (SUBJECT, SOME, 1.0, STANDARD, classifier, oversampling, 3)
    before = held_out_decisions(features, *arguments)
    np.testing.assert_array_equal(held_out_decisions(changed, *arguments), before)
    others = replace(features, values=np.where(held[:, None], 9.0, features.values))
    whole = held_out_decisions(others, *arguments)
    assert (whole == whole[0]).all()  # equal clips, by the same machine


@pytest.mark.parametrize("kind", ["transductive_full", "transductive_shrunk"])
def test_held_out_clips_are_scaled_by_training_clips_and_their_own_mean(
    features: Features, kind: ScalingKind
) -> None:
    settings = ScalingSettings(kind=kind, min_clips=2)
    weighted = replace(features, weights=np.linspace(0.1, 3, 30))
    training, held_out = weighted.without(SUBJECT), weighted.only(SUBJECT)
    learnt = Scaling.learn(training, settings)
    machine = train_svm(learnt.apply(training)[:, SOME], training.labels, 1.0)
    expected = machine.decisions(learnt.apply(held_out)[:, SOME])
    found = held_out_decisions(weighted, SUBJECT, SOME, 1.0, settings)
    np.testing.assert_allclose(found, expected, atol=1e-6)
    unweighted = held_out_decisions(features, SUBJECT, SOME, 1.0, settings)
    assert not np.allclose(found, unweighted, atol=1e-3)


def test_an_offset_of_the_held_out_subject_is_undone_by_its_own_mean(features: Features) -> None:
    values = features.values.copy()
    values[is_held_out(features)] += 3
    moved = replace(features, values=values)
    full = ScalingSettings(kind="transductive_full", min_clips=2)
    for settings, is_undone in ((full, True), (STANDARD, False)):
        before, after = (
            held_out_decisions(one, SUBJECT, SOME, 1.0, settings) for one in (features, moved)
        )
        assert np.allclose(before, after, atol=1e-4) == is_undone


def _row(decisions: str | None) -> Prediction:
    return Prediction("m", "linear_svm", 0, "s", "s", "c", "a", "b", decisions)


def test_decisions_are_read_as_written() -> None:
    values = np.array([0.25, -np.inf, -1.5])
    text = as_text(values, np.array(["a=b", "b", "c"]))
    read = read_decisions([_row(text), _row(text)])
    assert read is not None
    np.testing.assert_array_equal(read[0], [values, values])
    assert read[1] == ["a=b", "b", "c"]
    assert read_decisions([_row(text), _row(None)]) is None


@pytest.mark.parametrize("other", ["a=1", "a=x;b=2", "b=1;a=2"])
def test_decisions_of_other_classes_are_refused(other: str) -> None:
    with pytest.raises(MerecError, match="clip 'c': decisions of classes"):
        read_decisions([_row("a=1;b=2"), _row(other)])


def test_without_a_feature_classes_weigh_their_shares_of_the_training_clips(
    features: Features,
) -> None:
    labels = np.where(is_held_out(features), 2, np.where(np.arange(24) == 3, 1, 0))
    decisions = held_out_decisions(
        replace(features, labels=labels), SUBJECT, np.zeros(30, np.bool_), 1.0, UNSCALED
    )
    np.testing.assert_allclose(decisions, [[17 / 18, 1 / 18, -np.inf]] * 6)


def test_without_a_feature_equally_frequent_classes_give_the_first(features: Features) -> None:
    predicted = predict_held_out(features, SUBJECT, np.zeros(30, np.bool_), 1.0, UNSCALED)
    assert predicted.tolist() == [0] * 6


@every_scaling
def test_a_bias_is_a_constant_in_units_of_the_training_clips(
    features: Features, scaling: Any
) -> None:
    training = features.without(SUBJECT)
    learnt = Scaling.learn(training, scaling)
    known, held_out = learnt.apply(training)[:, SOME], learnt.apply(features.only(SUBJECT))[:, SOME]
    constant = 0.5 * np.sqrt(np.mean([clip @ clip for clip in known]))
    machine = train_svm(np.insert(known, 0, constant, axis=1), training.labels, 0.1)
    expected = machine.decisions(np.insert(held_out, 0, constant, axis=1))
    found = held_out_decisions(features, SUBJECT, SOME, 0.1, scaling, bias=0.5)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6)
    assert not np.allclose(found, held_out_decisions(features, SUBJECT, SOME, 0.1, scaling))


def test_predictions_are_made_with_the_bias_of_the_selection(
    features: Features, tmp_path: Path
) -> None:
    store = tmp_path / "table.npz"
    np.savez(store, X=features.values, y=features.labels, group=features.subjects)
    settings = '{"bias": [2.0], "C_values": [0.1]}'
    write_selections("all_features", store, ["s02"], [tmp_path / "s.h5"], settings, "none", None)
    evaluate_folds.run(store, [tmp_path / "s.h5"], tmp_path / "predictions.csv")
    read = read_decisions(read_predictions(tmp_path / "predictions.csv"))
    assert read is not None
    expected = held_out_decisions(features, "s02", EVERYTHING, 0.1, UNSCALED, bias=2.0)
    np.testing.assert_allclose(read[0], expected, atol=1e-5)
    without = held_out_decisions(features, "s02", EVERYTHING, 0.1, UNSCALED)
    assert not np.allclose(expected, without, atol=1e-3)


@pytest.mark.parametrize("classifier", ["linear_svm", "random_forest"])
def test_weights_multiply_the_scaled_features(
    features: Features, rng: np.random.Generator, classifier: ClassifierName
) -> None:
    weights = np.where(SOME, rng.choice([0.5, 1.0, 4.0], 30), 0.0)
    arguments = (features, SUBJECT, SOME, 1.0, STANDARD, classifier, "smote")
    found = held_out_decisions(*arguments, bias=0.5, weights=weights)
    heavier = replace(features, weights=np.where(SOME, weights, 1.0))
    expected = held_out_decisions(heavier, *arguments[1:], bias=0.5)
    np.testing.assert_allclose(found, expected, atol=1e-9)
    if classifier == "linear_svm":
        assert not np.allclose(found, held_out_decisions(*arguments, bias=0.5), atol=1e-3)

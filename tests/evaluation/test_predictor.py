"""A predictor carries all that its predictions need."""

from dataclasses import replace

import numpy as np
import pytest

from merec_hpc.config.evaluation import Decider
from merec_hpc.config.scaling import STANDARD, UNSCALED, ScalingKind, ScalingSettings
from merec_hpc.config.selection import RandomMasksSettings
from merec_hpc.evaluation.held_out import decider_decisions, held_out_decisions, predict_held_out
from merec_hpc.evaluation.predictor import decisions_of, fit_machines, fit_predictor, predict
from merec_hpc.learning.scaling import Scaling
from merec_hpc.records import Features, Predictor, Selection
from merec_hpc.selection.deciders import decide
from merec_hpc.selection.fitness.subject_folds import SubjectFoldFitness
from merec_hpc.selection.random_masks import select_random_masks

HELD_OUT = "s02"
DECIDERS: tuple[Decider, ...] = ("champion", "hall_of_fame", "ensemble")


@pytest.fixture(params=["none", 1.0, ["none", 0.1, 1.0]], ids=str)
def selection(features: Features, request: pytest.FixtureRequest) -> Selection:
    training = features.without(HELD_OUT)
    fitness = SubjectFoldFitness(training.values, training.labels, training.subjects)
    return select_random_masks(fitness, RandomMasksSettings(n_masks=8, bias=request.param))


@pytest.mark.parametrize("scaling", [UNSCALED, STANDARD], ids=lambda one: one.text)
def test_champion_predicts_as_the_protocol_does(
    features: Features, selection: Selection, scaling: ScalingSettings
) -> None:
    found = decider_decisions(features, HELD_OUT, [selection], "champion", scaling)
    svm = selection.mask, selection.C
    expected = held_out_decisions(features, HELD_OUT, *svm, scaling, bias=selection.bias)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)
    predicted = predict_held_out(features, HELD_OUT, *svm, scaling, bias=selection.bias)
    np.testing.assert_array_equal(found.argmax(axis=1), predicted)


@pytest.mark.parametrize("decider", DECIDERS)
def test_held_out_labels_and_clips_change_no_predictor(
    features: Features, selection: Selection, decider: Decider
) -> None:
    fitted = fit_predictor(features.without(HELD_OUT), [selection], decider, STANDARD)
    labels, values = features.labels.copy(), features.values.copy()
    held = features.subjects == HELD_OUT
    labels[held], values[held] = labels[held][::-1], 7.0
    changed = Features(**{**vars(features), "labels": labels, "values": values})
    again = fit_predictor(changed.without(HELD_OUT), [selection], decider, STANDARD)
    for name, array in vars(fitted).items():
        np.testing.assert_array_equal(array, getattr(again, name))


def test_class_that_no_training_clip_shows_is_never_named(
    features: Features, selection: Selection
) -> None:
    labels = np.where(features.subjects == HELD_OUT, 2, np.minimum(features.labels, 1))
    changed = Features(**{**vars(features), "labels": labels})
    found = decider_decisions(changed, HELD_OUT, [selection], "ensemble", UNSCALED)
    assert (found[:, 2] == -np.inf).all()
    assert np.isfinite(found[:, :2]).all()


def test_selection_of_other_features_is_refused(features: Features, selection: Selection) -> None:
    fewer = Features(
        **{**vars(features), "values": features.values[:, :9], "names": features.names[:9]}
    )
    with pytest.raises(ValueError, match="masks of 9 features expected, found 30"):
        fit_predictor(fewer, [selection], "champion", UNSCALED)


def test_clips_are_scaled_by_what_the_training_clips_show(
    features: Features, selection: Selection
) -> None:
    # A shift and a scale of each feature are undone by "standard", but not by "none".
    rng = np.random.default_rng(0)
    shifts, scales = rng.normal(0, 50, 30), rng.uniform(0.01, 100, 30)
    changed = Features(**{**vars(features), "values": features.values * scales + shifts})
    for scaling, is_undone in ((STANDARD, True), (UNSCALED, False)):
        before, after = (
            decider_decisions(clips, HELD_OUT, [selection], "champion", scaling)
            for clips in (features, changed)
        )
        assert np.allclose(after, before, atol=1e-4) == is_undone


@pytest.mark.parametrize("kind", ["none", "standard"])
@pytest.mark.parametrize("decider", DECIDERS)
def test_predictor_says_exactly_what_its_machines_say_weights_too(
    features: Features, selection: Selection, kind: ScalingKind, decider: Decider
) -> None:
    clips = replace(features, weights=np.linspace(0, 2, 30))
    settings = ScalingSettings(kind=kind)
    fitted = fit_machines(clips.without(HELD_OUT), [selection], decider, settings)
    held_out = clips.only(HELD_OUT)
    expected = fitted.decisions(held_out)
    np.testing.assert_array_equal(decisions_of(fitted.as_predictor(), held_out.values), expected)
    np.testing.assert_array_equal(
        decider_decisions(clips, HELD_OUT, [selection], decider, settings), expected
    )


@pytest.mark.parametrize("kind", ["transductive_full", "transductive_shrunk"])
@pytest.mark.parametrize("decider", DECIDERS)
def test_machines_behind_a_transductive_scaling_are_no_predictor(
    features: Features, selection: Selection, kind: ScalingKind, decider: Decider
) -> None:
    settings, training = ScalingSettings(kind=kind), features.without(HELD_OUT)
    fitted = fit_machines(training, [selection], decider, settings)
    scaled = Scaling.learn(training, settings).apply(features.only(HELD_OUT))
    np.testing.assert_array_equal(
        fitted.decisions(features.only(HELD_OUT)), decide(fitted.linear, scaled)
    )
    with pytest.raises(ValueError, match="a scaling that maps each clip by itself expected"):
        fit_predictor(training, [selection], decider, settings)


def test_class_that_most_speaks_for_is_named_and_of_equals_the_first() -> None:
    predictor = Predictor(
        weights=np.array([[[1.0, 0.0], [0.0, 1.0], [-1.0, -1.0]]]),
        intercepts=np.array([[0.5, 0.5, -0.5]]),
        mean=np.array([10.0, 0.0]),
        std=np.array([1.0, 4.0]),
        masks=np.ones((1, 2), np.bool_),
        C=np.ones(1),
        bias=np.ones(1),
        class_names=np.array(["b", "a", "c"]),
        feature_names=np.array(["x", "y"]),
    )
    values = np.array([[11.0, 0.0], [11.0, 8.0], [11.0, 4.0], [7.0, -4.0]])
    np.testing.assert_array_equal(
        decisions_of(predictor, values),
        [[1.5, 0.5, -1.5], [1.5, 2.5, -3.5], [1.5, 1.5, -2.5], [-2.5, -0.5, 3.5]],
    )
    assert predict(predictor, values).tolist() == ["b", "a", "b", "c"]


@pytest.mark.parametrize("scaling", [UNSCALED, STANDARD], ids=lambda one: one.text)
def test_weighted_champion_predicts_as_the_protocol_does(
    features: Features, selection: Selection, scaling: ScalingSettings
) -> None:
    weights = np.where(selection.mask, np.linspace(0.5, 3, 30), 0.0)
    weighted = replace(selection, weights=weights)
    found = decider_decisions(features, HELD_OUT, [weighted], "champion", scaling)
    svm, bias = (selection.mask, selection.C), selection.bias
    expected = held_out_decisions(features, HELD_OUT, *svm, scaling, bias=bias, weights=weights)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)
    plain = held_out_decisions(features, HELD_OUT, *svm, scaling, bias=bias)
    assert not np.allclose(expected, plain, atol=1e-3)
    predictor = fit_predictor(features.without(HELD_OUT), [weighted], "champion", scaling)
    held_out = features.only(HELD_OUT).values
    np.testing.assert_allclose(decisions_of(predictor, held_out), found, rtol=0, atol=1e-9)

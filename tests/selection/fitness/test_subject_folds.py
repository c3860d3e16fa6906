"""Leave-one-subject-out accuracies against LIBLINEAR."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from liblinear.liblinearutil import parameter, problem, train
from numpy.typing import NDArray

from merec_hpc.criteria import OF_DECISIONS, criteria_names, mu
from merec_hpc.learning.linear_svm import train_svm
from merec_hpc.learning.scaling import Scaling
from merec_hpc.records import Features, Masks
from merec_hpc.selection.fitness.subject_folds import SubjectFoldFitness

PENALTIES = (0.01, 1.0, 100.0)
TIE = 1e-6  # of the largest decision


def fitness_of(features: Features) -> SubjectFoldFitness:
    return SubjectFoldFitness(features.values, features.labels, features.subjects)


def some_masks(n_features: int, rng: np.random.Generator) -> Masks:
    """Draw masks from one feature to all."""
    counts = [1, 2, n_features // 2, n_features - 1, n_features]
    masks = np.zeros((len(counts), n_features), np.bool_)
    for mask, count in zip(masks, counts, strict=True):
        mask[rng.permutation(n_features)[:count]] = True
    return masks


def two_classes(features: Features) -> Features:
    return relabelled(features, np.minimum(features.labels, 1))


def class_of_one_subject_only(features: Features) -> Features:
    """Leave class 2 to subject s02: without s02 no clip shows it."""
    labels = np.where(features.labels == 2, np.arange(24) % 2, features.labels)
    labels[np.flatnonzero(features.subjects == "s02")[:2]] = 2
    return relabelled(features, labels)


def uneven(features: Features) -> Features:
    return relabelled(features, np.where(np.arange(24) % 4 == 0, 1, features.labels // 2))


def relabelled(features: Features, labels: NDArray[np.int64]) -> Features:
    return Features(**{**vars(features), "labels": labels})


def liblinear(features: Features, mask: NDArray[np.bool_], C: float) -> NDArray[np.float64]:
    """Return the left-out decisions by one refit a subject, shape (n_clips, n_classes)."""
    classes = np.unique(features.labels)
    decisions = np.full((len(features.labels), len(classes)), -np.inf)
    values = features.values[:, mask].astype(np.float64)
    for subject in np.unique(features.subjects):
        held_out = features.subjects == subject
        machine = train_svm(values[~held_out], features.labels[~held_out], C)
        columns = np.searchsorted(classes, machine.classes)
        decisions[np.ix_(held_out, columns)] = machine.decisions(values[held_out])
    return decisions


def is_clear(decisions: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which clips are not tied between two classes."""
    second, first = np.sort(decisions, axis=1)[:, -2:].T
    clear: NDArray[np.bool_] = first - second > TIE * np.abs(first)
    return clear


@pytest.mark.parametrize("C", PENALTIES)
@pytest.mark.parametrize(
    "variant", [lambda features: features, two_classes, class_of_one_subject_only]
)
def test_classes_and_accuracies_are_those_of_liblinear(
    features: Features,
    rng: np.random.Generator,
    variant: Callable[[Features], Features],
    C: float,
) -> None:
    data = variant(features)
    masks = some_masks(30, rng)
    fitness = fitness_of(data)
    found = fitness.decisions(masks, np.full(len(masks), C))
    accuracies = fitness.fold_accuracies(masks, np.full(len(masks), C))
    classes = np.unique(data.labels)
    n_clear = 0
    for mask, decisions, scores in zip(masks, found, accuracies, strict=True):
        expected = liblinear(data, mask, C)
        np.testing.assert_allclose(decisions, expected, rtol=0, atol=1e-3)
        clear = is_clear(expected)
        n_clear += clear.sum()
        np.testing.assert_array_equal(
            decisions.argmax(axis=1)[clear], expected.argmax(axis=1)[clear]
        )
        if clear.all():
            hits = classes[expected.argmax(axis=1)] == data.labels
            by_subject = [hits[data.subjects == name].mean() for name in np.unique(data.subjects)]
            np.testing.assert_allclose(scores, by_subject, rtol=0, atol=1e-12)
    assert n_clear > 0.9 * found.shape[0] * found.shape[1]


def refit(features: Features, C: float, options: str, scaling: str) -> NDArray[np.float64]:
    """Return decisions, (n_clips, n_classes), by LIBLINEAR with its own class weights."""
    decisions = np.full((len(features.labels), features.labels.max() + 1), -np.inf)
    for subject in np.unique(features.subjects):
        held_out = features.subjects == subject
        learnt = Scaling.fit(features.values[~held_out], scaling)
        values = learnt.apply(features.values)
        labels = features.labels[~held_out]
        present, counts = np.unique(labels, return_counts=True)
        weights = len(labels) / (len(present) * counts)
        given = [
            f"-w{kind} {weight!r}" for kind, weight in zip(present, weights.tolist(), strict=False)
        ]
        model = train(
            problem(labels.astype(float), np.ascontiguousarray(values[~held_out])),
            parameter(f"-s 1 -B -1 -e 1e-10 -q -c {C} {options and ' '.join(given)}"),
        )
        names = [int(name) for name in model.get_labels()]
        for machine, kind in enumerate(names if len(names) > 2 else names[:1]):
            decisions[held_out, kind] = values[held_out] @ model.get_decfun(machine)[0]
        if len(names) == 2:
            decisions[held_out, names[1]] = -decisions[held_out, names[0]]
    return decisions


@pytest.mark.parametrize("C", [0.01, 1.0])
@pytest.mark.parametrize("class_weight", ["none", "balanced"])
@pytest.mark.parametrize("scaling", ["none", "standard"])
@pytest.mark.parametrize("variant", [uneven, class_of_one_subject_only])
def test_scaling_and_weights_are_those_of_each_inner_fold(
    features: Features,
    variant: Callable[[Features], Features],
    scaling: Any,
    class_weight: Any,
    C: float,
) -> None:
    data = variant(features)
    fitness = SubjectFoldFitness(
        data.values, data.labels, data.subjects, scaling=scaling, class_weight=class_weight
    )
    everything = np.ones((1, 30), np.bool_)
    expected = refit(data, C, "weights" if class_weight == "balanced" else "", scaling)
    found = fitness.decisions(everything, [C])[0]
    np.testing.assert_allclose(found, expected, atol=1e-6)
    np.testing.assert_array_equal(fitness.predictions(everything, [C])[0], expected.argmax(axis=1))


def test_groups_of_subjects_are_left_out_together(features: Features) -> None:
    fitness = SubjectFoldFitness(features.values, features.labels, features.subjects, n_folds=2)
    everything = np.ones((1, 30), np.bool_)
    assert fitness.fold_accuracies(everything, [1.0]).shape == (1, 2)
    pairs = np.where(np.isin(features.subjects, ["s01", "s03"]), "a", "b")
    options = [SubjectFoldFitness(features.values, features.labels, pairs)]
    pairs = np.where(np.isin(features.subjects, ["s01", "s04"]), "a", "b")
    options.append(SubjectFoldFitness(features.values, features.labels, pairs))
    pairs = np.where(np.isin(features.subjects, ["s01", "s02"]), "a", "b")
    options.append(SubjectFoldFitness(features.values, features.labels, pairs))
    found = fitness.predictions(everything, [1.0]).tolist()
    assert found in [option.predictions(everything, [1.0]).tolist() for option in options]


def wide_with_ties(seed: int) -> SubjectFoldFitness:
    """Return the fitness of few clips with many features, small whole numbers, clips repeated."""
    rng = np.random.default_rng(seed)
    values = rng.integers(-1, 2, size=(20, 300))[rng.integers(20, size=20)]
    return SubjectFoldFitness(values, np.arange(20) % 3, rng.permutation(np.arange(20) % 5))


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 10**6), C=st.sampled_from([1e-3, 1.0, 1e4]))
def test_predictions_do_not_depend_on_the_batch(seed: int, C: float) -> None:
    fitness, rng = wide_with_ties(seed), np.random.default_rng(seed)
    masks = rng.random((20, 300)) < rng.choice([0.02, 0.3, 0.9], size=(20, 1))
    penalties = np.full(20, C)
    together = fitness.predictions(masks, penalties)
    alone = [fitness.predictions(mask[None], [C])[0] for mask in masks]
    np.testing.assert_array_equal(together, alone)
    order = rng.permutation(20)
    np.testing.assert_array_equal(fitness.predictions(masks[order], penalties), together[order])
    clear = is_clear(fitness.decisions(masks, penalties).reshape(-1, 3))
    exact = fitness.decisions(masks, penalties).argmax(axis=2).ravel()
    np.testing.assert_array_equal(together.ravel()[clear], exact[clear])


def test_a_class_without_a_training_clip_is_never_predicted(features: Features) -> None:
    data = class_of_one_subject_only(features)
    decisions = fitness_of(data).decisions(np.ones((1, 30), np.bool_), [1.0])[0]
    lone = data.subjects == "s02"
    assert np.isneginf(decisions[lone, 2]).all()
    assert np.isfinite(decisions[~lone]).all()
    assert np.isfinite(decisions[lone, :2]).all()


def test_training_clips_of_a_single_class_name_that_class(features: Features) -> None:
    # Without s01 only class 0 is left.
    labels = np.where(features.subjects == "s01", np.arange(24) % 2, 0)
    data = relabelled(features, labels)
    scores = fitness_of(data).fold_accuracies(np.ones((1, 30), np.bool_), [1.0])
    assert scores[0, 0] == 0.5


def test_folds_stand_in_the_sorted_order_of_subjects(features: Features) -> None:
    masks = np.ones((1, 30), np.bool_)
    renamed = np.array(["d", "b", "c", "a"])[np.repeat(np.arange(4), 6)]
    data = Features(**{**vars(features), "subjects": renamed})
    expected = fitness_of(features).fold_accuracies(masks, [0.1])[0]
    assert len(set(expected.tolist())) > 1
    np.testing.assert_array_equal(
        fitness_of(data).fold_accuracies(masks, [0.1])[0], expected[[3, 1, 2, 0]]
    )


def test_accuracies_do_not_depend_on_the_names_of_classes(features: Features) -> None:
    masks = np.ones((1, 30), np.bool_)
    named = SubjectFoldFitness(
        features.values, np.array(["x", "y", "z"])[features.labels], features.subjects
    )
    np.testing.assert_array_equal(
        named.fold_accuracies(masks, [1.0]), fitness_of(features).fold_accuracies(masks, [1.0])
    )


def test_features_outside_the_mask_do_not_count(features: Features) -> None:
    mask = np.arange(30) < 4
    other = Features(**{**vars(features), "values": np.where(mask, features.values, 1e3)})
    np.testing.assert_array_equal(
        fitness_of(other).decisions(mask[None], [1.0]),
        fitness_of(features).decisions(mask[None], [1.0]),
    )


def test_a_mask_scores_the_same_bits_in_every_batch(
    features: Features, rng: np.random.Generator
) -> None:
    fitness = fitness_of(features)
    masks = rng.random((12, 30)) < 0.4
    penalties = rng.choice([0.01, 1.0, 100.0], 12)
    together = fitness.decisions(masks, penalties)
    training = fitness.training_accuracies(masks, penalties)
    order = rng.permutation(12)
    np.testing.assert_array_equal(
        fitness.decisions(masks[order], penalties[order]), together[order]
    )
    for row in range(12):
        one = slice(row, row + 1)
        np.testing.assert_array_equal(fitness.decisions(masks[one], penalties[one]), together[one])
        np.testing.assert_array_equal(
            fitness.training_accuracies(masks[one], penalties[one]), training[one]
        )


def test_no_mask_gives_no_score(features: Features) -> None:
    nothing = np.empty((0, 30), np.bool_)
    assert fitness_of(features).fold_accuracies(nothing, []).shape == (0, 4)
    assert fitness_of(features).training_accuracies(nothing, []).shape == (0,)


def test_an_empty_mask_scores_zero_among_others(features: Features) -> None:
    masks = np.array([np.zeros(30), np.ones(30), np.zeros(30)], np.bool_)
    fitness = fitness_of(features)
    scores = fitness.fold_accuracies(masks, np.ones(3))
    assert (scores[[0, 2]] == 0).all()
    assert (scores[1] > 0).all()
    training = fitness.training_accuracies(masks, np.ones(3))
    assert (training[[0, 2]] == 0).all()
    assert training[1] > 0


@pytest.mark.parametrize("variant", [lambda features: features, two_classes])
def test_training_accuracies_are_those_of_liblinear(
    features: Features, rng: np.random.Generator, variant: Callable[[Features], Features]
) -> None:
    data = variant(features)
    masks = some_masks(30, rng)[:3]
    found = fitness_of(data).training_accuracies(masks, np.ones(3))
    for mask, accuracy in zip(masks, found, strict=True):
        values = data.values[:, mask].astype(np.float64)
        machine = train_svm(values, data.labels, 1.0)
        assert is_clear(machine.decisions(values)).all()
        assert accuracy == pytest.approx((machine.predict(values) == data.labels).mean())


def test_n_features_is_that_of_the_table(features: Features) -> None:
    assert fitness_of(features).n_features == 30


@pytest.mark.parametrize("criterion", criteria_names())
@settings(deadline=None, max_examples=8)
@given(seed=st.integers(0, 10**6), C=st.sampled_from([1e-3, 1.0, 1e4]))
def test_flips_are_rated_as_the_changed_masks(criterion: str, seed: int, C: float) -> None:
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(20, 300))
    fitness = SubjectFoldFitness(values, np.arange(20) % 3, rng.permutation(np.arange(20) % 5))
    mask, flipped = rng.random(300) < 0.3, rng.choice(300, 12, replace=False)
    changed = np.tile(mask, (12, 1))
    changed[np.arange(12), flipped] ^= True
    found = fitness.rate_flips(mask, C, criterion, flipped)
    expected = fitness.rate(changed, np.full(12, C), criterion)
    tolerance = 2e-9 if criterion in OF_DECISIONS else 0  # a digit that is rounded away
    np.testing.assert_allclose(found[:, 0], expected[:, 0], rtol=0, atol=tolerance)
    np.testing.assert_array_equal(found[:, 1], expected[:, 1])
    np.testing.assert_array_equal(fitness.score_flips(mask, C, criterion, flipped), found[:, 0])
    np.testing.assert_array_equal(expected[:, 1], mu(fitness.fold_accuracies(changed, [C] * 12)))


@pytest.mark.parametrize("criterion", OF_DECISIONS)
@pytest.mark.parametrize("scaling", ["none", "standard"])
def test_fitness_of_decisions_does_not_depend_on_the_batch(
    features: Features, rng: np.random.Generator, scaling: Any, criterion: str
) -> None:
    values = np.tile(features.values, (1, 5)) + rng.normal(size=(24, 150))
    fitness = SubjectFoldFitness(values, features.labels, features.subjects, scaling=scaling)
    masks, penalties = rng.random((8, 150)) < 0.3, rng.choice([0.01, 1.0, 100.0], 8)
    masks[4], masks[6] = masks[3], False
    together = fitness.score(masks, penalties, criterion)
    decisions = fitness.decisions(masks, penalties)
    for row in range(8):
        alone = fitness.score(masks[row : row + 1], penalties[row : row + 1], criterion)
        np.testing.assert_array_equal(alone, together[row : row + 1])
        expected = OF_DECISIONS[criterion](decisions[row], features.labels) * masks[row].any()
        assert together[row] == pytest.approx(expected, abs=2e-9)
    assert len(set(together.tolist())) > 5


@pytest.mark.parametrize("criterion", criteria_names())
def test_a_mask_without_features_is_flipped_and_scored(features: Features, criterion: str) -> None:
    fitness = fitness_of(features)
    assert fitness.score(np.zeros((1, 30), np.bool_), [1.0], criterion) == 0
    lone = np.arange(30) == 4
    rates = fitness.rate_flips(lone, 1.0, criterion, [4, 5])
    assert rates[0].tolist() == [0, 0]
    assert (rates[1] >= 0).all()
    assert fitness.rate_flips(lone, 1.0, criterion, []).shape == (0, 2)
    assert fitness.score(np.empty((0, 30), np.bool_), [], criterion).shape == (0,)


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_features_that_are_not_finite_are_refused(features: Features, wrong: float) -> None:
    values = features.values.copy()
    values[3, 7] = wrong
    with pytest.raises(ValueError, match="finite features expected"):
        SubjectFoldFitness(values, features.labels, features.subjects)


def test_one_subject_is_refused(features: Features) -> None:
    with pytest.raises(ValueError, match="at least two subjects expected, found 1"):
        SubjectFoldFitness(features.values, features.labels, ["s01"] * 24)


def test_one_class_is_refused(features: Features) -> None:
    with pytest.raises(ValueError, match="at least two classes expected, found 1"):
        SubjectFoldFitness(features.values, np.zeros(24, np.int64), features.subjects)


def test_shapes_that_do_not_fit_are_refused(features: Features) -> None:
    values, labels, subjects = features.values, features.labels, features.subjects
    for wrong in (
        (values[0], labels, subjects),
        (values[1:], labels, subjects),
        (values, labels[1:], subjects),
        (values, labels, subjects[1:]),
    ):
        with pytest.raises(ValueError, match=r"\(n_clips, n_features\)"):
            SubjectFoldFitness(*wrong)


def test_masks_and_penalties_that_do_not_fit_are_refused(features: Features) -> None:
    fitness = fitness_of(features)
    for masks, penalties in (
        (np.ones((2, 29), np.bool_), [1.0, 1.0]),
        (np.ones((2, 30), np.bool_), [1.0]),
        (np.ones(30, np.bool_), [1.0]),
    ):
        with pytest.raises(ValueError, match=r"masks \(n, 30\), C \(n,\) and bias \(n,\) expected"):
            fitness.fold_accuracies(masks, penalties)
        with pytest.raises(ValueError, match=r"masks \(n, 30\), C \(n,\) and bias \(n,\) expected"):
            fitness.training_accuracies(masks, penalties)


def test_masks_that_are_not_boolean_are_refused(features: Features) -> None:
    fitness = SubjectFoldFitness(features.values, features.labels, features.subjects)
    with pytest.raises(ValueError, match="masks of type bool"):
        fitness.decisions(np.ones((1, 30), np.int64), [1.0])


@pytest.mark.parametrize("penalty", [0.0, -1.0, np.nan, np.inf])
def test_penalties_that_are_not_positive_are_refused(features: Features, penalty: float) -> None:
    fitness = SubjectFoldFitness(features.values, features.labels, features.subjects)
    with pytest.raises(ValueError, match="C above 0 expected"):
        fitness.decisions(np.ones((1, 30), np.bool_), [penalty])

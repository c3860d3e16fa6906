"""The intercept of the fitness's machines, against LIBLINEAR's ``-B``."""

from typing import Any

import numpy as np
import pytest
from liblinear.liblinearutil import parameter, problem, train
from numpy.typing import NDArray

from merec_hpc.learning.linear_svm import train_svm
from merec_hpc.records import Features, Masks
from merec_hpc.selection.fitness.any_classifier import ClassifierFitness
from merec_hpc.selection.fitness.exact_folds import Exact
from merec_hpc.selection.fitness.inner_problem import InnerProblem, System
from merec_hpc.selection.fitness.subject_folds import SubjectFoldFitness

BIASES = np.array([0.0, 0.03, 0.3, 0.3, 3.0])
PENALTIES = np.array([1.0, 0.1, 1.0, 10.0, 1.0])
WIDE, NARROW = (36, 200), (36, 8)
FOLDS = np.repeat(np.arange(4), [12, 9, 10, 5])


def some_table(shape: tuple[int, int], n_classes: int, seed: int = 0) -> Any:
    """Return features that lie off the origin, in sizes of their own, classes and subjects."""
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.minimum(np.arange(shape[0]) % (n_classes + 1), n_classes - 1))
    centres = rng.normal(size=(n_classes, shape[1]))
    values = rng.normal(size=shape) + 0.5 * centres[labels] + rng.normal(size=shape[1])
    values *= rng.uniform(0.5, 2.0, shape[1]) / np.sqrt(shape[1])
    order = rng.permutation(shape[0])
    return values[order], labels[order], FOLDS[order]


def some_masks(n_features: int) -> Masks:
    """Return a mask for each bias; two of them are the same."""
    masks = np.random.default_rng(1).random((len(BIASES), n_features)) < 0.6
    masks[3] = masks[2]
    return masks


def liblinear(
    values: NDArray[np.float64],
    labels: NDArray[np.int64],
    held_out: NDArray[np.bool_],
    C: float,
    constant: float,
    *,
    is_balanced: bool,
) -> NDArray[np.float64]:
    """Return decisions of the held-out clips, (n_held_out, n_classes)."""
    known = labels[~held_out]
    options = f"-s 2 -e 1e-8 -q -c {float(C)!r} -B {constant if constant else -1}"
    counts = np.bincount(known)
    if is_balanced:
        for label, count in enumerate(counts):
            options += f" -w{label} {float(len(known) / (len(counts) * count))!r}"
    model = train(problem(known.astype(float), values[~held_out]), parameter(options))
    decisions = np.empty((held_out.sum(), len(counts)))
    names = model.get_labels()
    for machine, name in enumerate(names if len(names) > 2 else names[:1]):
        weights, intercept = model.get_decfun(machine)
        decisions[:, name] = values[held_out] @ weights + intercept
    if len(names) == 2:
        decisions[:, names[1]] = -decisions[:, names[0]]
    return decisions


@pytest.mark.parametrize("shape", [WIDE, NARROW], ids=["wide", "narrow"])
@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("class_weight", ["none", "balanced"])
@pytest.mark.parametrize("scaling", ["none", "standard"])
def test_decisions_are_those_of_liblinear(
    shape: tuple[int, int], n_classes: int, class_weight: Any, scaling: Any
) -> None:
    values, labels, folds = some_table(shape, n_classes)
    masks = some_masks(shape[1])
    penalties = PENALTIES / (shape[1] if scaling == "standard" else 1)
    fitness = SubjectFoldFitness(values, labels, folds, scaling=scaling, class_weight=class_weight)
    found = fitness.decisions(masks, penalties, BIASES)
    is_clear = np.zeros(found.shape[:2], np.bool_)
    for row, (mask, C, bias) in enumerate(zip(masks, penalties, BIASES, strict=True)):
        for fold in range(4):
            held_out = folds == fold
            seen = values
            if scaling == "standard":
                seen = (values - values[~held_out].mean(axis=0)) / values[~held_out].std(axis=0)
            chosen = seen[:, mask]
            measured = chosen[~held_out] if scaling == "standard" else chosen
            constant = bias * np.sqrt(np.mean([clip @ clip for clip in measured]))
            expected = liblinear(
                chosen, labels, held_out, C, constant, is_balanced=class_weight == "balanced"
            )
            atol = 1e-6 * np.abs(expected).max()
            np.testing.assert_allclose(found[row, held_out], expected, rtol=0, atol=atol)
            second, first = np.sort(expected, axis=1)[:, -2:].T
            is_clear[row, held_out] = first - second > 2 * atol
    predicted = fitness.predictions(masks, penalties, BIASES)
    assert is_clear.mean() > 0.99
    np.testing.assert_array_equal(predicted[is_clear], found.argmax(axis=2)[is_clear])
    alike = fitness.decisions(masks, penalties)
    np.testing.assert_array_equal(alike[0], found[0])
    assert (np.abs(alike[1:] - found[1:]).max(axis=(1, 2)) > 1e-5).all()


@pytest.mark.parametrize("shape", [WIDE, NARROW], ids=["wide", "narrow"])
@pytest.mark.parametrize("scaling", ["none", "standard"])
def test_a_score_does_not_depend_on_the_others_of_its_batch(
    shape: tuple[int, int], scaling: Any
) -> None:
    values, labels, folds = some_table(shape, 3)
    fitness = SubjectFoldFitness(values, labels, folds, scaling=scaling)
    masks, every = some_masks(shape[1]), np.arange(len(BIASES))
    together = fitness.score(masks, PENALTIES, "mu_minus_variance", BIASES)
    alone = [
        fitness.score(masks[[one]], PENALTIES[[one]], "mu_minus_variance", BIASES[[one]])[0]
        for one in every
    ]
    assert together.tolist() == alone
    accuracies = fitness.fold_accuracies(masks, PENALTIES, BIASES)
    np.testing.assert_allclose(accuracies.mean(axis=1) - accuracies.var(axis=1), together)


def test_a_bias_means_the_same_at_any_scale() -> None:
    values, labels, folds = some_table(WIDE, 3)
    masks = some_masks(WIDE[1])
    once = SubjectFoldFitness(values, labels, folds).decisions(masks, PENALTIES, BIASES)
    larger = SubjectFoldFitness(4 * values, labels, folds)
    again = larger.decisions(masks, PENALTIES / 4**2, BIASES)
    np.testing.assert_allclose(again, once, rtol=0, atol=1e-9)


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("scaling", ["none", "standard"])
def test_weights_and_intercepts_are_those_of_liblinear(n_classes: int, scaling: Any) -> None:
    values, labels, folds = some_table(NARROW, n_classes)
    fitness = SubjectFoldFitness(values, labels, folds, scaling=scaling)
    if scaling == "standard":
        values = (values - values.mean(axis=0)) / values.std(axis=0)
    masks = some_masks(NARROW[1])
    machines = fitness.machines(masks, PENALTIES, BIASES)
    accuracies = fitness.training_accuracies(masks, PENALTIES, BIASES)
    assert (machines.intercepts[0] == 0).all()
    for place, (mask, C, bias) in enumerate(zip(masks, PENALTIES, BIASES, strict=True)):
        known = train_svm(values[:, mask], labels, float(C), float(bias))
        expected = known.decisions(values[:, mask])
        found = values @ machines.weights[place].T + machines.intercepts[place]
        atol = 1e-5 * np.abs(expected).max()
        np.testing.assert_allclose(found, expected, rtol=0, atol=atol)
        np.testing.assert_allclose(machines.intercepts[place], known.intercepts, rtol=0, atol=atol)
        assert (found.argmax(axis=1) == labels).mean() == pytest.approx(accuracies[place])


def test_the_exact_way_has_the_same_constant() -> None:
    values, labels, _ = some_table(NARROW, 2)
    targets = np.where(labels == 0, 1.0, -1.0)[None]
    system = System(np.array([0, 9, 20, 36]), slice(0, 1), np.ones(36))
    mask = some_masks(NARROW[1])[0]
    inner = InnerProblem(values, targets, [system])
    fast, reach = np.empty((2, 1, 36))
    constant = inner.constant(mask, 0.3)
    inner.decide(inner.exact_gram(mask), 10.0, fast, reach, constant)
    exact, without = Exact.empty(targets, 3), Exact.empty(targets, 3)
    for tolerance in (np.inf, 1e-9, 0.0):  # by the Gram matrix, refined, and the slow way
        inner.decide_exactly(mask, 10.0, constant, tolerance, exact)
        np.testing.assert_allclose(exact.decisions, fast, rtol=0, atol=1e-9)
    inner.decide_exactly(mask, 10.0, 0.0, 1e-9, without)
    assert np.abs(without.decisions - fast).max() > 1e-3


def test_certificates_know_the_constant() -> None:
    values, labels, folds = some_table(NARROW, 2)
    masks = some_masks(NARROW[1])
    fitness = SubjectFoldFitness(values, labels, folds)
    assert fitness.certify(masks, np.full(len(masks), 3.0), np.full(len(masks), 0.5)).max() < 1e-8


def test_ill_conditioned_clips_are_decided_with_the_constant_too() -> None:
    # Twice the same clips but for 1e-9: neither Gram matrix nor its inverse is precise.
    values, labels, folds = some_table(NARROW, 2)
    values[1::2] = values[::2] + 1e-9 * values[1::2]
    everything = np.ones((1, NARROW[1]), np.bool_)
    found = SubjectFoldFitness(values, labels, folds).decisions(everything, [1e7], [1.0])
    constant = np.sqrt(np.mean([clip @ clip for clip in values]))
    columns = np.column_stack([values, np.full(len(values), constant)])
    more = np.ones((1, NARROW[1] + 1), np.bool_)
    expected = SubjectFoldFitness(columns, labels, folds).decisions(more, [1e7])
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6 * np.abs(expected).max())


@pytest.mark.parametrize("shape", [WIDE, NARROW], ids=["wide", "narrow"])
@pytest.mark.parametrize("bias", [0.0, 0.3])
def test_flips_score_as_the_changed_masks_do(shape: tuple[int, int], bias: float) -> None:
    values, labels, folds = some_table(shape, 3)
    fitness = SubjectFoldFitness(values, labels, folds)
    mask = some_masks(shape[1])[0]
    flipped = np.arange(0, shape[1], 3)
    changed = np.tile(mask, (len(flipped), 1))
    changed[np.arange(len(flipped)), flipped] ^= True
    one_each = np.ones(len(flipped))
    for criterion, precision in (("balanced_log_loss", 1e-7), ("mu", 0.0)):
        expected = fitness.score(changed, one_each, criterion, bias * one_each)
        found = fitness.score_flips(mask, 1.0, criterion, flipped, bias)
        np.testing.assert_allclose(found, expected, rtol=0, atol=precision)
    if shape == NARROW:  # many features leave little to a bias
        assert (fitness.score_flips(mask, 1.0, "mu", flipped, 3.0) != expected).any()


def test_an_empty_mask_scores_0_with_a_bias_too(features: Features) -> None:
    fitness = SubjectFoldFitness(features.values, features.labels, features.subjects)
    empty = np.zeros((1, 30), np.bool_)
    assert (fitness.predictions(empty, [1.0], [1.0]) == -1).all()
    assert fitness.training_accuracies(empty, [1.0], [1.0])[0] == 0
    machines = fitness.machines(empty, [1.0], [1.0])
    assert (machines.intercepts == 0).all()


@pytest.mark.parametrize("bias", [[-0.1], [np.nan], [np.inf], [0.1, 0.1]])
def test_what_is_no_bias_is_refused(features: Features, bias: list[float]) -> None:
    fitness = SubjectFoldFitness(features.values, features.labels, features.subjects)
    with pytest.raises(ValueError, match="bias"):
        fitness.score(np.ones((1, 30), np.bool_), [1.0], "mu", bias)


def test_another_classifiers_unit_is_that_of_its_training_clips(features: Features) -> None:
    clips = features.values.astype(np.float64) + 2
    fitness = SubjectFoldFitness(clips, features.labels, features.subjects)
    slow = ClassifierFitness(fitness, "linear_svm", "none", seed=0)
    masks = np.ones((2, 30), np.bool_)
    C, bias = np.array([1.0, 1.0]), np.array([0.0, 2.0])
    hits = []
    for subject in np.unique(features.subjects):
        held_out = features.subjects == subject
        training = clips[~held_out]
        constant = 2.0 * np.sqrt(np.mean([clip @ clip for clip in training]))
        known = np.column_stack([training, np.full(len(training), constant)])
        machine = train_svm(known, features.labels[~held_out], 1.0)
        wanted = np.column_stack([clips[held_out], np.full(held_out.sum(), constant)])
        hits.append((machine.predict(wanted) == features.labels[held_out]).mean())
    scores = slow.score(masks, C, "mu", bias)
    assert scores[1] == pytest.approx(np.mean(hits))
    assert scores[0] == slow.score(masks[:1], C[:1], "mu")[0] != scores[1]
    shares = slow.training_accuracies(masks, C, bias)
    assert (
        shares[1]
        == (train_svm(clips, features.labels, 1.0, 2.0).predict(clips) == features.labels).mean()
    )

"""The slow way against non-negative least squares, where Gram matrices fail."""

import numpy as np
import pytest
from oracles.leave_out import svm_weights
from oracles.refined_digits import Clips

from merec_hpc.selection.fitness.least_squares import fit_machine, rotate
from merec_hpc.selection.fitness.subject_folds import SubjectFoldFitness


@pytest.mark.parametrize("n_features", [2, 30, 60])
@pytest.mark.parametrize("C", [1e-2, 1e2, 1e6])
def test_weights_are_the_optimum(rng: np.random.Generator, n_features: int, C: float) -> None:
    values = rng.normal(size=(30, n_features)) * np.geomspace(1, 1e-3, n_features)
    target = np.where(rng.random(30) < 0.4, 1.0, -1.0)
    training = rng.random(30) < 0.8
    machine = fit_machine(values[training], target[training], np.full(training.sum(), C))
    expected = svm_weights(values[training], target[training], C)
    np.testing.assert_allclose(values @ machine.weights, values @ expected, rtol=1e-6, atol=1e-7)
    of_dual = values[training].T @ machine.dual
    np.testing.assert_allclose(values @ of_dual, values @ machine.weights, rtol=1e-6, atol=1e-7)


def test_each_clip_has_its_own_penalty(rng: np.random.Generator) -> None:
    values, target = rng.normal(size=(20, 3)), np.where(np.arange(20) < 8, 1.0, -1.0)
    penalties = np.where(target > 0, 3.0, 1.0)
    weights = fit_machine(values, target, penalties).weights
    # A clip that weighs three times as much is a clip that is there three times.
    again = np.concatenate([values, values[:8], values[:8]])
    expected = svm_weights(again, np.concatenate([target, target[:8], target[:8]]), 1.0)
    np.testing.assert_allclose(weights, expected, atol=1e-9)


def test_a_start_beyond_all_margins_leads_to_the_same_machine(
    rng: np.random.Generator, capfd: pytest.CaptureFixture[str]
) -> None:
    values = rng.normal(size=(6, 9))
    target, penalties = np.where(np.arange(6) < 2, 1.0, -1.0), np.full(6, 10.0)
    far = 5 * np.linalg.pinv(values) @ target  # every margin is 5: no support vector
    weights = fit_machine(values, target, penalties, far).weights
    np.testing.assert_allclose(weights, fit_machine(values, target, penalties).weights)
    assert capfd.readouterr().out == ""  # LAPACK would complain there


def test_rotated_clips_have_the_same_products(rng: np.random.Generator) -> None:
    wide, narrow = rng.normal(size=(5, 40)), rng.normal(size=(40, 5))
    assert rotate(wide).shape == (5, 5)
    np.testing.assert_allclose(rotate(wide) @ rotate(wide).T, wide @ wide.T, atol=1e-12)
    np.testing.assert_array_equal(rotate(narrow), narrow)


@pytest.mark.parametrize("class_weight", ["none", "balanced"])
def test_features_that_hardly_differ_are_told_apart(
    rng: np.random.Generator, class_weight: str
) -> None:
    labels, subjects = np.arange(24) % 2, np.repeat(np.arange(4), 6)
    values = 1e3 + rng.normal(size=(24, 40)) * 1e-2
    fitness = SubjectFoldFitness(values, labels, subjects, class_weight=class_weight)
    found = fitness.decisions(np.ones((1, 40), np.bool_), [1e5])[0, :, 0]
    for subject in range(4):
        held_out = subjects == subject
        target = np.where(labels == 0, 1.0, -1.0)
        weights = svm_weights(values[~held_out], target[~held_out], 1e5)
        np.testing.assert_allclose(found[held_out], values[held_out] @ weights, atol=1e-3)


@pytest.mark.parametrize("seed", [6, 24])
def test_support_vectors_settle_where_features_are_of_all_sizes(seed: int) -> None:
    """Sides change one at a time, hundreds of times."""
    rng = np.random.default_rng(seed)
    n_clips, n_features = int(rng.integers(40, 80)), int(rng.integers(40, 170))
    values = np.maximum(0.3 * rng.normal(size=(n_clips, n_features)) + 1, 0)
    values *= 10.0 ** rng.integers(-3, 7, n_features)
    target = np.where(rng.random(n_clips) < 0.4, 1.0, -1.0)
    penalties, everyone = np.full(n_clips, 1e4), np.ones(n_clips, np.bool_)
    found = values @ fit_machine(values, target, penalties).weights
    expected = Clips.of(values).decisions(target, penalties, everyone)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-8 * np.abs(expected).max())

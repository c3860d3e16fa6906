"""Machines that are trained on all clips, and their certificate."""

import numpy as np
import pytest
from oracles.leave_out import svm_weights

from merec_hpc.selection.fitness.training import train_machines, violation


@pytest.mark.parametrize("n_features", [3, 80])
@pytest.mark.parametrize("C", [1e-3, 1.0, 1e5])
def test_weights_and_decisions_are_those_of_least_squares(
    rng: np.random.Generator, n_features: int, C: float
) -> None:
    values = rng.normal(size=(25, n_features))
    targets = np.where(rng.random((2, 25)) < 0.4, 1.0, -1.0)
    penalties = np.full((2, 25), C)
    decisions, weights, duals = train_machines(values, targets, penalties, 1e-9)
    for machine in range(2):
        expected = svm_weights(values, targets[machine], C)
        np.testing.assert_allclose(weights[machine], expected, atol=1e-7 * np.abs(expected).max())
    np.testing.assert_allclose(decisions, weights @ values.T, atol=1e-8)
    np.testing.assert_allclose(weights, duals @ values, atol=1e-8 * np.abs(weights).max())
    assert violation(values, targets, penalties, duals) < 1e-8


def test_a_machine_that_is_off_is_seen(rng: np.random.Generator) -> None:
    values, targets = rng.normal(size=(25, 8)), np.where(rng.random((1, 25)) < 0.4, 1.0, -1.0)
    penalties = np.full((1, 25), 2.0)
    _, _, duals = train_machines(values, targets, penalties, 1e-9)
    assert violation(values, targets, penalties, duals) < 1e-12
    assert violation(values, targets, penalties, 1.001 * duals) > 1e-4


def test_clips_that_cancel_out_have_no_machine_to_be_judged() -> None:
    values, targets = np.array([[1.0, 2.0], [1.0, 2.0]]), np.array([[1.0, -1.0]])
    penalties = np.full((1, 2), 10.0)
    decisions, _, duals = train_machines(values, targets, penalties, 1e-9)
    np.testing.assert_allclose(decisions, 0.0, atol=1e-12)
    assert violation(values, targets, penalties, duals) == 0.0

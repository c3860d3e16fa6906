"""Bounds of errors: above the errors of wrong machines, and small for right ones."""

import numpy as np
import pytest
from numpy.typing import NDArray
from oracles.leave_out import left_out_decisions

from merec_hpc.kernels.certificate import bound_errors, refine_fold
from merec_hpc.kernels.leave_out import leave_folds_out

Array = NDArray[np.float64]


@pytest.fixture
def machines(rng: np.random.Generator) -> tuple[Array, Array, Array, NDArray[np.int64], Array]:
    features = rng.normal(size=(20, 30))
    targets = np.where(rng.random((2, 20)) < 0.4, 1.0, -1.0)
    return features, features @ features.T, targets, np.array([0, 6, 12, 20]), np.full(20, 0.5)


def solved(machines) -> tuple[Array, float]:
    _, gram, targets, edges, ridges = machines
    unused, duals, stiffness = np.empty_like(targets), np.zeros((2, 3, 20)), np.empty(1)
    leave_folds_out(
        gram, np.zeros(20), ridges, targets, edges, unused, unused.copy(), duals, stiffness, False
    )
    return duals, float(stiffness[0])


def test_bounds_of_solved_machines_are_small_and_hold(machines) -> None:
    features, gram, targets, edges, ridges = machines
    duals, stiffness = solved(machines)
    decisions, errors = np.empty_like(targets), np.empty_like(targets)
    bound_errors(gram, ridges, targets, edges, duals, stiffness, decisions, errors)
    folds = np.repeat(np.arange(3), np.diff(edges))
    exact = left_out_decisions(features, targets, folds, 1.0).T
    assert errors.max() < 1e-10
    assert (np.abs(decisions - exact) <= errors + 1e-12).all()


@pytest.mark.parametrize("size", [1e-6, 1e-3, 1.0])
def test_bounds_hold_for_machines_that_are_off_and_refining_mends_them(
    machines, rng: np.random.Generator, size: float
) -> None:
    features, gram, targets, edges, ridges = machines
    duals, stiffness = solved(machines)
    right = duals.copy()
    duals *= 1 + size * rng.normal(size=duals.shape)
    decisions, errors = np.empty_like(targets), np.empty_like(targets)
    bound_errors(gram, ridges, targets, edges, duals, stiffness, decisions, errors)
    folds = np.repeat(np.arange(3), np.diff(edges))
    exact = left_out_decisions(features, targets, folds, 1.0).T
    assert (np.abs(decisions - exact) <= errors).all()
    if size < 1:  # all signs are right
        refine_fold(gram, ridges, targets[0], 0, 6, duals[0, 0], stiffness, decisions[0], errors[0])
        np.testing.assert_allclose(duals[0, 0], right[0, 0], atol=1e-12)
        np.testing.assert_allclose(decisions[0, :6], exact[0, :6], atol=1e-10)
        assert errors[0, :6].max() < 1e-10


def test_a_clip_that_should_be_a_support_vector_is_seen(machines) -> None:
    _, gram, targets, _, ridges = machines
    duals, stiffness = solved(machines)
    clip = 6 + int(np.abs(duals[0, 0, 6:]).argmax())
    duals[0, 0, clip] = 0.0
    decisions, errors = np.empty_like(targets), np.empty_like(targets)
    refine_fold(gram, ridges, targets[0], 0, 6, duals[0, 0], stiffness, decisions[0], errors[0])
    assert errors[0, :6].min() > 1e-3

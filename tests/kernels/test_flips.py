"""One feature more or less: the same decisions as machines that are trained anew."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from oracles.leave_out import left_out_decisions

from merec_hpc.kernels.certificate import bound_flips
from merec_hpc.kernels.flips import flip_features, settle_fold
from merec_hpc.kernels.pivoting import SOLVED

TOLERANCE = 1e-6  # of a decision; the oracle is solved to rounding


def _flipped(
    features: NDArray[np.float64],
    mask: NDArray[np.bool_],
    target: NDArray[np.float64],
    folds: NDArray[np.int64],
    C: float,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Decisions with each feature flipped in turn and bounds of their errors, by clips."""
    n_clips, n_features = features.shape
    chosen = features[:, mask]
    kernel = chosen @ chosen.T + np.eye(n_clips) / (2 * C)
    columns = np.ascontiguousarray(features.T)
    signs = np.where(mask, -1.0, 1.0)
    decisions, errors, duals = np.empty((3, n_features, n_clips))
    states = np.zeros(n_features, np.int64)
    outside, start = np.zeros(n_clips, np.bool_), np.empty(n_clips)
    response, changes = np.empty((n_clips, n_clips)), np.empty((n_clips, n_clips))
    scale, ridges = np.ascontiguousarray(kernel.diagonal()), np.full(n_clips, 0.5 / C)
    norms, stiffness = np.linalg.norm(chosen, axis=1), np.full(n_features, 2 * C)
    for fold in range(folds[-1] + 1):
        first, last = np.searchsorted(folds, [fold, fold + 1])
        outside[:] = False
        arguments = (ridges, target, first, last, outside, start)
        assert settle_fold(kernel, *arguments, response, changes) == SOLVED
        answers = columns @ response.T
        nothing, common = np.zeros(n_features), response.sum(axis=1)
        known = answers, signs, nothing, common, scale
        flip_features(columns, *known, *arguments, changes, duals, states)
        system = norms, ridges, target, first, last
        fitted = duals @ (chosen @ chosen.T)
        bound_flips(columns, signs, nothing, *system, duals, fitted, stiffness, errors)
        decisions[:, first:last] = fitted[:, first:last]
    assert (states == SOLVED).all()
    return decisions, errors


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    n_clips=st.integers(6, 30),
    n_features=st.integers(1, 25),
    n_folds=st.integers(2, 5),
    share=st.sampled_from([0.0, 0.2, 0.6, 1.0]),
    C=st.sampled_from([0.01, 1.0, 100.0]),
)
def test_flips_decide_as_machines_trained_anew(
    seed: int, n_clips: int, n_features: int, n_folds: int, share: float, C: float
) -> None:
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(n_clips, n_features))
    target = np.where(rng.random(n_clips) < 0.5, 1.0, -1.0)
    features[:, 0] += 0.7 * target
    folds = np.sort(np.arange(n_clips) % n_folds)
    mask = rng.random(n_features) < share
    found, errors = _flipped(features, mask, target, folds, C)
    for feature in range(n_features):
        changed = mask.copy()
        changed[feature] ^= True
        chosen = features[:, changed]
        expected = left_out_decisions(chosen, target[None], folds, C)[:, 0]
        np.testing.assert_allclose(found[feature], expected, atol=TOLERANCE * (1 + C))
        assert (errors[feature] < TOLERANCE * (1 + C)).all()


def test_constant_feature_of_zeros_changes_nothing() -> None:
    rng = np.random.default_rng(3)
    features = rng.normal(size=(12, 6))
    features[:, 5] = 0.0
    target = np.tile([1.0, -1.0], 6)
    folds = np.repeat(np.arange(3), 4)
    mask = np.array([True, True, True, False, False, False])
    found, _ = _flipped(features, mask, target, folds, 1.0)
    expected = left_out_decisions(features[:, mask], target[None], folds, 1.0)[:, 0]
    np.testing.assert_allclose(found[5], expected, atol=TOLERANCE)


@pytest.mark.parametrize("C", [0.1, 10.0, 1e4])
def test_machines_that_nearly_interpolate_are_solved(C: float) -> None:
    # As many features as clips, without structure: many clips change sides at once.
    rng = np.random.default_rng(5)
    features = rng.normal(size=(40, 60))
    target = np.where(rng.random(40) < 0.5, 1.0, -1.0)
    folds = np.repeat(np.arange(4), 10)
    mask = np.arange(60) < 30
    found, _ = _flipped(features, mask, target, folds, C)
    for feature in (0, 59):
        changed = mask.copy()
        changed[feature] ^= True
        expected = left_out_decisions(features[:, changed], target[None], folds, C)[:, 0]
        np.testing.assert_allclose(found[feature], expected, rtol=1e-4, atol=1e-4)

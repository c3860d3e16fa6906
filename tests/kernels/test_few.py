"""A machine of few features with one fold left out: as it is trained anew by other means."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oracles.leave_out import left_out_decisions

from merec_hpc.kernels.few import PRECISION, leave_one_fold_out
from merec_hpc.kernels.pivoting import IMPRECISE, SOLVED

TOLERANCE = 1e-6  # of a decision; the oracle is solved to rounding


@settings(max_examples=80, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    n_clips=st.integers(4, 40),
    n_features=st.integers(1, 20),
    n_folds=st.integers(2, 4),
    C=st.sampled_from([0.01, 1.0, 100.0]),
    warm=st.booleans(),
)
def test_decides_as_machines_trained_anew(
    seed: int, n_clips: int, n_features: int, n_folds: int, C: float, warm: bool
) -> None:
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(n_clips, n_features))
    target = np.where(rng.random(n_clips) < 0.5, 1.0, -1.0)
    features[:, 0] += 0.7 * target
    folds = np.sort(np.arange(n_clips) % n_folds)
    expected = left_out_decisions(features, target[None], folds, C)[:, 0]
    found, reach, decisions, reached = np.full((4, n_clips), np.nan)
    for fold in range(n_folds):
        first, last = np.searchsorted(folds, [fold, fold + 1])
        # Any start ends at the same machine.
        outside = rng.random(n_clips) < 0.5 if warm else np.zeros(n_clips, np.bool_)
        known = features, np.full(n_clips, C), target, first, last
        assert leave_one_fold_out(*known, outside, decisions, reached) == SOLVED
        assert outside[first:last].all()
        found[first:last], reach[first:last] = decisions[first:last], reached[first:last]
    np.testing.assert_allclose(found, expected, atol=TOLERANCE)
    assert (reach > 0).all()
    assert (PRECISION * reach < 1e-6).all()


def test_reach_bounds_the_error_of_features_of_wild_size() -> None:
    rng = np.random.default_rng(5)
    features = rng.normal(size=(12, 3)) * [1.0, 1e3, 1e-3]
    target = np.where(np.arange(12) % 2, 1.0, -1.0)
    exact = left_out_decisions(features, target[None], np.arange(12) // 6, 1.0)[:, 0]
    found, reach = np.zeros(12), np.zeros(12)
    known = features, np.ones(12), target, 0, 6
    leave_one_fold_out(*known, np.zeros(12, np.bool_), found, reach)
    assert (np.abs(found - exact)[:6] <= PRECISION * reach[:6] + 1e-9).all()


@pytest.mark.parametrize(("place", "state"), [(2.0, IMPRECISE), (2.1, SOLVED), (1.9, SOLVED)])
def test_clip_on_the_margin_is_imprecise(place: float, state: int) -> None:
    # Of the second clip alone w = 1 / (1 + 1): the first lies at y f = 1 if it is at 2.
    features, target = np.array([[place], [1.0], [3.0]]), np.ones(3)
    outside = np.array([True, False, False])
    known = features, np.full(3, 0.5), target, 2, 3, outside
    assert leave_one_fold_out(*known, np.zeros(3), np.zeros(3)) == state


def test_clips_that_are_held_out_have_no_part() -> None:
    rng = np.random.default_rng(6)
    features, target = rng.normal(size=(10, 2)), np.where(np.arange(10) % 3 == 0, 1.0, -1.0)
    found = []
    for held in (target, -target):
        changed = np.where(np.arange(10) < 4, held, target)
        decisions, reach = np.zeros(10), np.zeros(10)
        known = features, np.ones(10), changed, 0, 4
        leave_one_fold_out(*known, np.zeros(10, np.bool_), decisions, reach)
        found.append(decisions)
    np.testing.assert_array_equal(found[0], found[1])

"""Paths end at the machines that the oracle solves, where blocks of pivots go in circles."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from oracles.leave_out import left_out_decisions, svm_weights

from merec_hpc.kernels.path import follow
from merec_hpc.selection.fitness.subject_folds import SubjectFoldFitness

N_HELD = 5
Values = NDArray[np.float64]


def near_interpolation(seed: int, n_clips: int, share: float) -> tuple[Values, Values]:
    """Return features, fewer than clips, and targets that they nearly tell apart."""
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(n_clips, max(2, round(share * n_clips))))
    target = np.where(rng.random(n_clips) < 0.4, 1.0, -1.0)
    return features, target


def support_of(features: Values, target: Values, C: float) -> NDArray[np.bool_]:
    return np.asarray(target * (features @ svm_weights(features, target, C)) < 1)


def tableau_of(kernel: Values, outside: NDArray[np.bool_], target: Values) -> tuple[Values, Values]:
    """Return R and s for p = 0, of the pairs as ``docs/engine.md`` has them."""
    support = np.flatnonzero(~outside)
    rest = np.flatnonzero(outside)
    inverse = np.linalg.inv(kernel[np.ix_(support, support)])
    beside = kernel[np.ix_(support, rest)]
    tableau, start = np.empty_like(kernel), np.empty(len(target))
    tableau[np.ix_(support, support)] = inverse
    tableau[np.ix_(support, rest)] = inverse @ beside
    tableau[np.ix_(rest, support)] = (inverse @ beside).T
    tableau[np.ix_(rest, rest)] = beside.T @ inverse @ beside - kernel[np.ix_(rest, rest)]
    start[support] = inverse @ target[support]
    start[rest] = beside.T @ start[support] - target[rest]
    return tableau, start


problems = {
    "seed": st.integers(0, 10**6),
    "n_clips": st.integers(12, 40),
    "share": st.floats(0.25, 1.0),
    "exponent": st.floats(-1, 3),
}


@settings(deadline=None, max_examples=30)
@given(**problems)
def test_a_path_leads_from_all_clips_to_the_machine_without_a_fold(
    seed: int, n_clips: int, share: float, exponent: float
) -> None:
    features, target = near_interpolation(seed, n_clips, share)
    C = 10.0**exponent
    kernel = features @ features.T + np.eye(n_clips) / (2 * C)
    outside = ~support_of(features, target, C)
    tableau, start = tableau_of(kernel, outside, target)
    rates = np.where(np.arange(n_clips) < N_HELD, start, 0.0)
    signed, is_moved = start.copy(), np.empty(n_clips, np.bool_)
    follow(tableau, target, outside, rates, 0, N_HELD, signed, is_moved)
    expected = support_of(features[N_HELD:], target[N_HELD:], C)
    np.testing.assert_array_equal((outside == is_moved)[N_HELD:], expected)
    assert not (outside == is_moved)[:N_HELD].any()


@settings(deadline=None, max_examples=30)
@given(**problems)
def test_a_path_leads_from_a_solved_problem_to_the_machine_of_all_clips(
    seed: int, n_clips: int, share: float, exponent: float
) -> None:
    features, target = near_interpolation(seed, n_clips, share)
    C = 10.0**exponent
    tableau = np.linalg.inv(features @ features.T + np.eye(n_clips) / (2 * C))
    start = tableau @ target
    signed = np.where(target * start < 0, target * np.abs(start).max(), start)
    rates, nobody = start - signed, np.zeros(n_clips, np.bool_)
    outside = np.empty(n_clips, np.bool_)
    follow(tableau, target, nobody, rates, 0, 0, signed, outside)
    np.testing.assert_array_equal(~outside, support_of(features, target, C))
    exact = features @ svm_weights(features, target, C)
    np.testing.assert_allclose(
        np.where(outside, target + signed, 0), np.where(outside, exact, 0), atol=1e-6
    )


@pytest.mark.parametrize("C", [1.0, 10.0, 100.0, 1e3, 1e4])
@pytest.mark.parametrize("share", [0.25, 0.4, 0.55, 0.7, 1.0])
def test_decisions_near_interpolation_are_the_oracles(share: float, C: float) -> None:
    features, _ = near_interpolation(round(100 * share), 45, share)
    labels, subjects = np.random.default_rng(7).integers(3, size=45), np.arange(45) // 9
    fitness = SubjectFoldFitness(features, labels, subjects)
    everything = np.ones((1, features.shape[1]), np.bool_)
    targets = np.where(labels == np.arange(3)[:, None], 1.0, -1.0)
    expected = left_out_decisions(features, targets, subjects, C)
    found = fitness.decisions(everything, [C])[0]
    assert np.abs(found - expected).max() < 1e-7 * max(1.0, np.abs(expected).max())
    np.testing.assert_array_equal(fitness.predictions(everything, [C])[0], expected.argmax(axis=1))


@pytest.mark.parametrize("n_features", [40, 50, 60])
def test_no_class_near_interpolation_takes_the_slow_way(
    monkeypatch: pytest.MonkeyPatch, n_features: int
) -> None:
    def refuse(*_: object) -> None:
        pytest.fail("a machine was trained by orthogonal factors")

    monkeypatch.setattr("merec_hpc.selection.fitness.exact_folds.fit_machine", refuse)
    rng = np.random.default_rng(n_features)
    labels, features = rng.integers(3, size=90), rng.normal(size=(90, n_features))
    fitness = SubjectFoldFitness(features, labels, np.arange(90) // 6)
    everything, penalties = np.ones((3, n_features), np.bool_), [10.0, 100.0, 1e3]
    predicted = fitness.predictions(everything, penalties)
    assert (predicted >= 0).all()

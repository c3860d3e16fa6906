"""The kernel against SVMs solved one by one, and against the conditions of their optimum."""

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from oracles.leave_out import left_out_decisions, training_decisions

from merec_hpc.kernels.leave_out import leave_folds_out
from merec_hpc.kernels.pivoting import SOLVED
from merec_hpc.selection.fitness.exact_folds import Exact
from merec_hpc.selection.fitness.inner_problem import InnerProblem, System
from merec_hpc.selection.fitness.training import train_machines

TOLERANCE = 1e-8  # of a margin: what the project promises of its decisions


@dataclass(frozen=True)
class Problem:
    """Clips, two machines and a penalty."""

    features: NDArray[np.float64]  # (n_clips, n_features)
    targets: NDArray[np.float64]  # (2, n_clips)
    folds: NDArray[np.int64]  # (n_clips,)
    C: float


def make_problem(
    seed: int, n_clips: int, n_features: int, exponent: float, repeats: bool
) -> Problem:
    """Draw unequal folds, and features that are small whole numbers if ``repeats``.

    Repeated clips make ties: several optimal supports, one optimal machine.
    """
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(n_clips, n_features))
    if repeats:
        features = np.round(features)[rng.integers(n_clips, size=n_clips)]
    folds = rng.choice(4, size=n_clips, p=[0.5, 0.25, 0.15, 0.1])
    folds[:2] = [0, 1]
    targets = np.where(rng.random((2, n_clips)) < 0.4, 1.0, -1.0)
    return Problem(features, targets, folds, 10.0**exponent)


problems = st.builds(
    make_problem,
    seed=st.integers(0, 10**6),
    n_clips=st.integers(4, 16),
    n_features=st.sampled_from([1, 2, 3, 8, 60]),
    exponent=st.floats(-3, 3),
    repeats=st.booleans(),
)
few_clips = make_problem(seed=1, n_clips=5, n_features=60, exponent=3.0, repeats=False)
many_clips = make_problem(seed=2, n_clips=16, n_features=2, exponent=3.0, repeats=False)
weak_penalty = make_problem(seed=3, n_clips=16, n_features=8, exponent=-3.0, repeats=True)


def left_out(problem: Problem) -> NDArray[np.float64]:
    order = np.argsort(problem.folds, kind="stable")
    features, targets = problem.features[order], problem.targets[:, order]
    decisions = np.full(targets.shape, np.nan)
    edges = np.searchsorted(problem.folds[order], np.arange(problem.folds.max() + 2))
    state = leave_folds_out(
        features @ features.T,
        np.zeros(len(order)),
        np.full(len(order), 0.5 / problem.C),
        targets,
        edges,
        decisions,
        np.empty_like(decisions),
        np.empty((0, 0, 0)),
        np.empty(1),
        False,
    )
    system = System(edges, slice(0, len(targets)), np.ones(len(order)))
    exact = Exact.empty(targets, len(edges) - 1)
    everything = np.ones(features.shape[1], np.bool_)
    InnerProblem(features, targets, [system]).decide_exactly(
        everything, problem.C, 0.0, 1e-9, exact
    )
    if state == SOLVED:
        assert_same_decisions(decisions, exact.decisions, 1e-6)
    decisions = exact.decisions
    unsorted = np.empty_like(decisions.T)
    unsorted[order] = decisions.T
    return unsorted


def nothing_out(problem: Problem) -> NDArray[np.float64]:
    penalties = np.full(problem.targets.shape, problem.C)
    decisions, weights, _ = train_machines(problem.features, problem.targets, penalties, 1e-9)
    assert_same_decisions(decisions, weights @ problem.features.T)
    return decisions.T


def assert_same_decisions(
    found: NDArray[np.float64], expected: NDArray[np.float64], tolerance: float = TOLERANCE
) -> None:
    scale = max(1.0, np.abs(expected).max())
    np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance * scale)


def assert_optimal(
    problem: Problem, machine: int, decisions: NDArray[np.float64], tolerance: float = 1e-8
) -> None:
    """Check f = G beta with beta_i = 2 C max(0, 1 - y_i f_i) y_i, in units of the margin."""
    signs = problem.targets[machine]
    beta = 2 * problem.C * np.maximum(0, 1 - signs * decisions) * signs
    gram = problem.features @ problem.features.T
    amplification = 1 + 2 * problem.C * np.linalg.norm(gram, 2)
    assert np.abs(gram @ beta - decisions).max() <= tolerance * amplification


def with_copies_held_out(problem: Problem) -> Problem:
    """Add a copy of every clip: fold 0 are the clips, fold 1 the copies."""
    return Problem(
        np.concatenate([problem.features, problem.features]),
        np.concatenate([problem.targets, problem.targets], axis=1),
        np.repeat([0, 1], len(problem.folds)),
        problem.C,
    )


@settings(deadline=None, max_examples=25)
@given(problems)
@example(few_clips)
@example(many_clips)
@example(weak_penalty)
def test_left_out_decisions_are_those_of_machines_trained_without_the_fold(
    problem: Problem,
) -> None:
    expected = left_out_decisions(problem.features, problem.targets, problem.folds, problem.C)
    assert_same_decisions(left_out(problem), expected)


@settings(deadline=None, max_examples=25)
@given(problems)
@example(few_clips)
@example(many_clips)
@example(weak_penalty)
def test_decisions_with_nothing_left_out_are_those_of_machines_trained_on_all_clips(
    problem: Problem,
) -> None:
    expected = training_decisions(problem.features, problem.targets, problem.C)
    assert_same_decisions(nothing_out(problem), expected)


@settings(deadline=None, max_examples=25)
@given(problems)
@example(many_clips)
def test_with_nothing_left_out_the_conditions_of_the_optimum_hold(problem: Problem) -> None:
    for machine, decisions in enumerate(nothing_out(problem).T):
        assert_optimal(problem, machine, decisions)


@settings(deadline=None, max_examples=25)
@given(problems)
@example(many_clips)
def test_the_training_clips_of_a_fold_meet_the_conditions_of_the_optimum(problem: Problem) -> None:
    n_clips = len(problem.folds)
    decisions = left_out(with_copies_held_out(problem))
    for machine in range(len(problem.targets)):
        # A held-out copy gets the decision of the training clip that it copies.
        assert_optimal(problem, machine, decisions[n_clips:, machine])
        assert_optimal(problem, machine, decisions[:n_clips, machine])


@settings(deadline=None, max_examples=10)
@given(problems, st.integers(0, 10**6))
def test_decisions_do_not_depend_on_the_order_of_clips(problem: Problem, seed: int) -> None:
    order = np.random.default_rng(seed).permutation(len(problem.folds))
    targets = np.ascontiguousarray(problem.targets[:, order])
    shuffled = Problem(problem.features[order], targets, problem.folds[order], problem.C)
    assert_same_decisions(left_out(shuffled), left_out(problem)[order])


def test_the_support_is_found_where_blocks_of_pivots_go_round_in_circles() -> None:
    features = np.array([[2.1, 3.1], [3.9, 4.5], [4.0, 2.0], [2.4, 3.2]])
    targets = np.array([[-1.0, -1.0, 1.0, -1.0]])
    problem = Problem(features, targets, np.zeros(4, np.int64), C=100.0)
    assert_same_decisions(nothing_out(problem), training_decisions(features, targets, 100.0))
    held_out = left_out(with_copies_held_out(problem))
    assert_same_decisions(held_out[4:], training_decisions(features, targets, 100.0))


def test_labels_of_a_fold_do_not_change_its_decisions() -> None:
    problem = many_clips
    held_out = problem.folds == 0
    flipped = problem.targets.copy()
    flipped[:, held_out] *= -1
    relabelled = Problem(problem.features, flipped, problem.folds, problem.C)
    assert_same_decisions(left_out(relabelled)[held_out], left_out(problem)[held_out])
    changed = np.abs(left_out(relabelled)[~held_out] - left_out(problem)[~held_out])
    assert changed.max() > 0.01


def test_a_clip_far_beyond_the_margin_is_no_support_vector() -> None:
    features = np.array([[1.0], [-1.0], [100.0]])
    problem = Problem(features, np.array([[1.0, -1.0, 1.0]]), np.array([0, 0, 0]), C=0.5)
    # min w^2 / 2 + 1/2 * 2 (1 - w)^2 over the two clips at the border: w = 2 / 3.
    np.testing.assert_allclose(nothing_out(problem)[:, 0], features[:, 0] * 2 / 3, atol=1e-12)


def test_one_training_clip_is_solved_by_hand() -> None:
    features = np.array([[2.0], [3.0]])
    problem = Problem(features, np.array([[1.0, -1.0]]), np.array([0, 1]), C=1.0)
    # min w^2 / 2 + C (1 - y w x)^2: w = 2 C y x / (1 + 2 C x^2).
    expected = [2 * -2 * 3 / (1 + 2 * 9), 3 * 2 * 2 / (1 + 2 * 4)]
    np.testing.assert_allclose(left_out(problem)[:, 0], expected, atol=1e-12)


@pytest.mark.parametrize("C", [1.0, 1e3, 1e5, 1e7])
@pytest.mark.parametrize("seed", range(4))
def test_collinear_features_are_solved(seed: int, C: float) -> None:
    rng = np.random.default_rng(seed)
    left, right = (np.linalg.qr(rng.normal(size=(size, 30)))[0] for size in (30, 60))
    features = (left * np.geomspace(1e2, 1e-2, 30)) @ right.T
    targets = np.where(rng.random((2, 30)) < 0.4, 1.0, -1.0)
    problem = Problem(features, targets, np.zeros(30, np.int64), C)
    assert_same_decisions(nothing_out(problem), training_decisions(features, targets, C))


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e4, 1e5])
def test_signs_of_dual_variables_are_seen_at_any_scale_of_the_features(scale: float) -> None:
    # Two pairs of clips; in each the second lies twice as far out and is no support vector.
    values = scale * np.array([[1.0, 0, 0, 0], [2, 1, 0, 0], [0, 0, 1, 0], [0, 0, 2, 1]])
    penalty = 100.0 / scale**2 * 1e10
    problem = Problem(values, np.array([[1.0, 1, -1, -1]]), np.zeros(4, np.int64), penalty)
    np.testing.assert_allclose(nothing_out(problem)[:, 0], [1, 2, -1, -2], atol=1e-6)

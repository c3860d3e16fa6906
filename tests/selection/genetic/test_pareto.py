"""Fronts and crowding against their definitions and against pymoo, and their laws."""

from collections.abc import Callable
from math import inf

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from oracles.pareto import crowding_by_hand, dominates, ranks_by_hand
from pymoo.operators.survival.rank_and_crowding.metrics import get_crowding_function
from pymoo.util.nds.non_dominated_sorting import NonDominatedSorting

from merec_hpc.selection.genetic.pareto import crowding, front, front_ranks, order, survivors

Points = NDArray[np.float64]


def on_a_grid(seed: int, n: int, n_objectives: int, n_levels: int) -> Points:
    """Draw points of few values, so that many are equal, wholly or in one objective."""
    rng = np.random.default_rng(seed)
    return rng.integers(-n_levels, 1, (n, n_objectives)) / 8


def without_ties(seed: int, n: int, n_objectives: int) -> Points:
    """Draw points of which no two are equal in any objective."""
    rng = np.random.default_rng(seed)
    return np.stack([rng.permutation(n) for _ in range(n_objectives)], axis=1) / 8


seeds = st.integers(0, 10**6)
grids = st.builds(on_a_grid, seeds, st.integers(1, 25), st.integers(2, 4), st.integers(0, 6))
tieless = st.builds(without_ties, seeds, st.integers(1, 60), st.integers(2, 3))
anything = grids | tieless


@settings(deadline=None)
@given(anything)
def test_ranks_are_those_of_the_definition(points: Points) -> None:
    found = front_ranks(points)
    assert found.dtype == np.int64
    assert found.tolist() == ranks_by_hand(points.tolist())


@settings(deadline=None)
@given(anything)
def test_distances_are_those_of_the_definition(points: Points) -> None:
    found = crowding(points, front_ranks(points))
    np.testing.assert_allclose(found, crowding_by_hand(points.tolist()), rtol=1e-13)


@settings(deadline=None)
@given(anything)
def test_ranks_are_those_of_pymoo(points: Points) -> None:
    _, expected = NonDominatedSorting().do(-points, return_rank=True)
    np.testing.assert_array_equal(front_ranks(points), expected)


@settings(deadline=None)
@given(tieless)
def test_distances_are_those_of_pymoo(points: Points) -> None:
    # Without ties: what pymoo makes of equal points has changed from version to version.
    ranks = front_ranks(points)
    found = crowding(points, ranks)
    for rank in range(ranks.max() + 1):
        mates = -points[ranks == rank]
        mean = get_crowding_function("cd").do(mates)  # over objectives
        np.testing.assert_allclose(found[ranks == rank], points.shape[1] * mean, rtol=1e-13)


def test_an_example_by_hand() -> None:
    points = np.array([[0.5, -4], [0.9, -10], [0.6, -5], [0.6, -8], [0.5, -9], [0.4, -2]])
    ranks = front_ranks(points)
    assert ranks.tolist() == [0, 0, 0, 1, 2, 0]
    # (0.6 - 0.4) / 0.5 + (5 - 2) / 8 and (0.9 - 0.5) / 0.5 + (10 - 4) / 8
    distances = [0.775, inf, 1.55, inf, inf, inf]
    assert crowding(points, ranks).tolist() == pytest.approx(distances)
    assert order(points).tolist() == [1, 5, 2, 0, 3, 4]
    assert survivors(points, 3).tolist() == [1, 5, 2]
    assert front(points).tolist() == [5, 0, 2, 1]


def test_equal_points_share_a_front_and_one_of_them_stands_for_all() -> None:
    points = np.array([[1.0, 0.0], [0.5, 0.5], [0.0, 1.0], [0.5, 0.5], [0.5, 0.5], [0.0, 0.0]])
    ranks = front_ranks(points)
    assert ranks.tolist() == [0, 0, 0, 0, 0, 1]
    # The middle one of three has no neighbours but its equals.
    assert crowding(points, ranks).tolist() == [inf, 1.0, inf, 0.0, 1.0, inf]
    assert order(points).tolist() == [0, 2, 1, 4, 3, 5]
    assert front(points).tolist() == [2, 1, 0]


def test_an_individual_alone_is_the_front() -> None:
    alone = np.array([[0.3, -7.0]])
    assert front_ranks(alone).tolist() == [0]
    assert crowding(alone, [0]).tolist() == [inf]
    assert order(alone).tolist() == survivors(alone, 1).tolist() == front(alone).tolist() == [0]


def test_of_individuals_that_are_all_equal_the_first_and_the_last_are_ends() -> None:
    points = np.full((4, 3), 0.25)
    assert front_ranks(points).tolist() == [0, 0, 0, 0]
    assert crowding(points, np.zeros(4)).tolist() == [inf, 0, 0, inf]
    assert order(points).tolist() == [0, 3, 1, 2]
    assert front(points).tolist() == [0]


def test_nobody_has_no_order() -> None:
    nobody = np.empty((0, 2))
    assert front_ranks(nobody).tolist() == crowding(nobody, []).tolist() == []
    assert order(nobody).tolist() == survivors(nobody, 0).tolist() == front(nobody).tolist() == []


def test_zero_has_no_sign() -> None:
    points = np.array([[0.5, 0.0], [0.5, -0.0]])
    assert front_ranks(points).tolist() == [0, 0]
    assert front(points).tolist() == [0]


@settings(deadline=None)
@given(anything)
def test_the_order_is_by_rank_then_distance_then_place(points: Points) -> None:
    ranks = front_ranks(points)
    distances = crowding(points, ranks)
    expected = sorted(range(len(points)), key=lambda row: (ranks[row], -distances[row], row))
    assert order(points).tolist() == expected


@settings(deadline=None)
@given(anything, st.data())
def test_survivors_come_from_the_first_fronts(points: Points, data: st.DataObject) -> None:
    n = data.draw(st.integers(0, len(points)))
    kept = survivors(points, n)
    assert len(set(kept.tolist())) == len(kept) == n
    ranks = np.array(ranks_by_hand(points.tolist()))
    assert sorted(ranks[kept]) == sorted(ranks)[:n]
    # A front that was cut keeps its ends, at most two of each objective.
    if n >= 2 * points.shape[1]:
        best = points[ranks == 0].max(axis=0)
        np.testing.assert_array_equal(points[kept].max(axis=0), best)


@settings(deadline=None)
@given(anything)
def test_the_front_is_distinct_and_above_all_others(points: Points) -> None:
    found = front(points)
    chosen = points[found].tolist()
    assert len({tuple(point) for point in chosen}) == len(chosen)
    assert sorted(found, key=lambda row: (-points[row, 1], row)) == found.tolist()
    for row, point in enumerate(points.tolist()):
        if row in found:
            assert not any(dominates(other, point) for other in points.tolist())
            assert points.tolist().index(point) == row
        else:
            assert point in chosen or any(dominates(other, point) for other in chosen)


@settings(deadline=None)
@given(tieless, seeds)
def test_who_is_where_does_not_matter_without_ties(points: Points, seed: int) -> None:
    moved = np.random.default_rng(seed).permutation(len(points))
    ranks, shuffled = front_ranks(points), points[moved]
    np.testing.assert_array_equal(front_ranks(shuffled), ranks[moved])
    distances = crowding(points, ranks)
    np.testing.assert_array_equal(crowding(shuffled, ranks[moved]), distances[moved])
    np.testing.assert_array_equal(moved[front(shuffled)], front(points))


@settings(deadline=None)
@given(anything)
def test_units_do_not_matter(points: Points) -> None:
    scaled = points * 2.0 ** np.arange(points.shape[1]) - 64
    np.testing.assert_array_equal(order(scaled), order(points))
    np.testing.assert_array_equal(front(scaled), front(points))


@pytest.mark.parametrize(
    "call", [front_ranks, order, front, lambda points: crowding(points, np.zeros(len(points)))]
)
@pytest.mark.parametrize(
    ("points", "said"),
    [
        ([0.5, 0.25], r"shape \(n, n_objectives >= 2\), found \(2,\)"),
        ([[0.5], [0.25]], r"found \(2, 1\)"),
        ([[0.5, np.nan]], "must be finite"),
        ([[0.5, -np.inf]], "must be finite"),
    ],
)
def test_other_objectives_are_refused(
    call: Callable[[object], object], points: object, said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        call(points)


def test_ranks_of_others_are_refused() -> None:
    with pytest.raises(ValueError, match=r"ranks must have shape \(2,\), found \(3,\)"):
        crowding([[0.0, 1.0], [1.0, 0.0]], [0, 0, 0])


@pytest.mark.parametrize("n", [-1, 3])
def test_more_survivors_than_there_are_individuals_are_refused(n: int) -> None:
    with pytest.raises(ValueError, match=rf"n is {n}, must be in 0..2"):
        survivors([[0.0, 1.0], [1.0, 0.0]], n)

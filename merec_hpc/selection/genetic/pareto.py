"""Ranks individuals by several objectives at once: the sorting and crowding of NSGA-II.

Deb, Pratap, Agarwal, Meyarivan: A fast and elitist multiobjective genetic algorithm: NSGA-II,
IEEE Transactions on Evolutionary Computation 6(2), 2002, doi:10.1109/4235.996017. All objectives
are to be maximised. A point dominates another if it is nowhere worse and somewhere better; equal
points do not dominate each other.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray


def front_ranks(objectives: ArrayLike) -> NDArray[np.int64]:
    """Return the front that each individual is on (section III.A).

    Front 0 is dominated by nobody, front k + 1 by nobody but those of the fronts up to k. Time and
    memory grow with the square of the number of distinct points.

    Parameters
    ----------
    objectives
        To be maximised, shape (n, n_objectives >= 2), finite.

    Returns
    -------
    NDArray[np.int64]
        Rank from 0, shape (n,); equal points have equal ranks.

    Raises
    ------
    ValueError
        If the shape is another, or a value is not finite.
    """
    points = _checked(objectives)
    firsts, places = _distinct(points)
    return _peeled(_dominance(points[firsts]))[places]


def crowding(objectives: ArrayLike, ranks: ArrayLike) -> NDArray[np.float64]:
    """Return how far from its neighbours on its front each individual is (section III.B.1).

    The sum over objectives of the distance between the two neighbours on the same front, relative
    to the front's range. Both ends of a front have an infinite distance, in whichever objective
    they are an end, so that fronts of one or two have no other. Individuals that are equal in an
    objective follow each other by place: of several equal points most have a distance of 0. An
    objective that is the same all along a front adds nothing but its ends, the first and the last
    by place.

    Parameters
    ----------
    objectives
        To be maximised, shape (n, n_objectives >= 2), finite.
    ranks
        Those of ``front_ranks``, shape (n,).

    Returns
    -------
    NDArray[np.float64]
        Distance in 0..n_objectives, or infinite, shape (n,).

    Raises
    ------
    ValueError
        If a shape is another, or a value is not finite.
    """
    points, fronts = _checked(objectives), np.asarray(ranks)
    if fronts.shape != points.shape[:1]:
        msg = f"ranks must have shape ({len(points)},), found {fronts.shape}"
        raise ValueError(msg)
    distances = np.zeros(len(points))
    for values in points.T:
        rows = np.lexsort((-values, fronts))  # best first; stable
        distances[rows] += _gaps(values[rows], fronts[rows])
    return distances


def order(objectives: ArrayLike) -> NDArray[np.int64]:
    """Return the places of all individuals, best first, shape (n,).

    By rank, on the same front by decreasing crowding distance, of equals the first: the
    crowded-comparison operator of section III.B.2.

    Raises
    ------
    ValueError
        As ``front_ranks``.
    """
    ranks = front_ranks(objectives)
    return np.lexsort((-crowding(objectives, ranks), ranks))


def survivors(objectives: ArrayLike, n: int) -> NDArray[np.int64]:
    """Return the places of the ``n`` best, best first, shape (n,) (section III.C).

    Of the front that does not fit as a whole, those with the largest crowding distance stay. It is
    not computed anew as others leave.

    Raises
    ------
    ValueError
        As ``front_ranks``, or if there are fewer than ``n``.
    """
    everybody = order(objectives)
    if not 0 <= n <= len(everybody):
        msg = f"n is {n}, must be in 0..{len(everybody)}"
        raise ValueError(msg)
    return everybody[:n]


def front(objectives: ArrayLike) -> NDArray[np.int64]:
    """Return the places of the distinct points that nobody dominates, shape (n_front,).

    The best in the second objective comes first, of equals the first; of equal points the first
    stands for all.

    Raises
    ------
    ValueError
        As ``front_ranks``.
    """
    points = _checked(objectives)
    firsts, _ = _distinct(points)
    found = np.sort(firsts[~_dominance(points[firsts]).any(axis=0)])
    return found[np.argsort(-points[found, 1], kind="stable")]


def _checked(objectives: ArrayLike) -> NDArray[np.float64]:
    points = np.asarray(objectives, np.float64)
    if points.ndim != 2 or points.shape[1] < 2:
        msg = f"objectives must have shape (n, n_objectives >= 2), found {points.shape}"
        raise ValueError(msg)
    if not np.isfinite(points).all():
        msg = "objectives must be finite"
        raise ValueError(msg)
    return points


def _distinct(points: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the first place of each distinct point, (m,), and which of these each is, (n,)."""
    rows = np.lexsort(points.T)  # stable; 0 and -0 are equal
    is_new = np.ones(len(points), np.bool_)
    is_new[1:] = (np.diff(points[rows], axis=0) != 0).any(axis=1)
    places = np.empty(len(points), np.int64)
    places[rows] = np.cumsum(is_new) - 1
    return rows[is_new], places


def _dominance(points: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which of distinct points dominate which, shape (m, m)."""
    dominates = ~np.eye(len(points), dtype=np.bool_)
    for values in points.T:
        # Distinct points that are nowhere worse are better somewhere.
        dominates &= values[:, None] >= values
    return dominates


def _peeled(dominates: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return ranks, shape (m,): front by front is taken off those that are left."""
    ranks = np.zeros(len(dominates), np.int64)
    n_above = dominates.sum(axis=0)  # of those that are left
    rank, found = 0, np.flatnonzero(n_above == 0)
    while len(found):
        ranks[found] = rank
        n_above -= dominates[found].sum(axis=0)
        n_above[found] = -1  # taken
        rank, found = rank + 1, np.flatnonzero(n_above == 0)
    return ranks


def _gaps(values: NDArray[np.float64], fronts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return what one objective adds to the distances; both arguments sorted, by front first."""
    is_first = np.ones(len(values), np.bool_)
    is_first[1:] = np.diff(fronts) != 0
    is_last = np.roll(is_first, -1)
    number = np.cumsum(is_first) - 1
    spans = (values[is_first] - values[is_last])[number]
    gaps = np.full(len(values), np.inf)
    inner = np.flatnonzero(~is_first & ~is_last)
    spans[spans == 0] = 1  # nothing is added then
    gaps[inner] = (values[inner - 1] - values[inner + 1]) / spans[inner]
    return gaps

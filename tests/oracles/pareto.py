"""Non-dominated fronts and crowding as their definitions say, one pair of points at a time.

Deb, Pratap, Agarwal, Meyarivan: A fast and elitist multiobjective genetic algorithm: NSGA-II,
IEEE Transactions on Evolutionary Computation 6(2), 2002, doi:10.1109/4235.996017.
"""

from collections.abc import Sequence
from fractions import Fraction
from math import inf

Point = Sequence[float]


def dominates(one: Point, other: Point) -> bool:
    """Return whether one point is nowhere worse than the other, and somewhere better."""
    pairs = list(zip(one, other, strict=True))
    return all(a >= b for a, b in pairs) and any(a > b for a, b in pairs)


def ranks_by_hand(points: Sequence[Point]) -> list[int]:
    """Return for each point the length of the longest chain of points that dominate one another."""
    known: dict[int, int] = {}

    def rank(place: int) -> int:
        if place not in known:
            above = [
                other for other in range(len(points)) if dominates(points[other], points[place])
            ]
            known[place] = 1 + max(map(rank, above), default=-1)
        return known[place]

    return [rank(place) for place in range(len(points))]


def crowding_by_hand(points: Sequence[Point]) -> list[float]:
    """Return the crowding distances, exactly, after the pseudocode of section III.B."""
    exact: list[Fraction | float] = [Fraction(0)] * len(points)
    ranks = ranks_by_hand(points)
    for rank in set(ranks):
        mates = [place for place in range(len(points)) if ranks[place] == rank]
        for objective in range(len(points[0])):
            values = {mate: Fraction(points[mate][objective]) for mate in mates}
            row = sorted(mates, key=lambda mate: (-values[mate], mate))
            span = max(values.values()) - min(values.values())
            exact[row[0]] = exact[row[-1]] = inf
            for before, mate, after in zip(row, row[1:], row[2:], strict=False):
                if span:
                    exact[mate] += (values[before] - values[after]) / span
    return [float(distance) for distance in exact]

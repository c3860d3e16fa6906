"""Passes copies of the best individuals from island to island."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from merec_hpc.records import Population


def sources_of(
    topology: str, n_islands: int, edges: Sequence[tuple[int, int]] = ()
) -> list[list[int]]:
    """Return for each island those that it receives from, in ascending order.

    Parameters
    ----------
    topology
        "ring": from the island before it, the first from the last; "torus": from its up to
        four neighbours on the squarest grid of that many islands, opposite borders joined;
        "full": from all others; "custom": as ``edges`` say, (from, to).
    """
    if topology == "custom":
        found = {(giver, taker) for giver, taker in edges if giver != taker}
    elif topology == "full":
        found = {(giver, taker) for giver in range(n_islands) for taker in range(n_islands)}
    elif topology == "torus":
        found = _torus_edges(n_islands)
    else:
        found = {((taker - 1) % n_islands, taker) for taker in range(n_islands)}
    return [
        sorted(giver for giver, receiver in found if receiver == taker != giver)
        for taker in range(n_islands)
    ]


def _torus_edges(n_islands: int) -> set[tuple[int, int]]:
    n_rows = max(
        rows for rows in range(1, n_islands + 1) if n_islands % rows == 0 and rows**2 <= n_islands
    )
    n_columns = n_islands // n_rows
    edges = set()
    for island in range(n_islands):
        row, column = divmod(island, n_columns)
        for down, right in ((1, 0), (-1, 0), (0, 1), (0, -1)):
            neighbour = (row + down) % n_rows * n_columns + (column + right) % n_columns
            edges.add((neighbour, island))
    return edges


def receive(
    island: Population,
    order: NDArray[np.int64],
    givers: Sequence[int],
    emigrants: Mapping[int, Population],
) -> Population:
    """Replace an island's worst by what its givers send; its size does not change.

    Parameters
    ----------
    order
        Places of the island's individuals, best first, as ``ranking`` returns them.
    """
    newcomers = island.take(np.empty(0, np.int64))
    for giver in givers:
        newcomers = newcomers.joined(emigrants[giver])
    return replace_worst(island, order, newcomers)


def best(island: Population, order: NDArray[np.int64], count: int) -> Population:
    """Return the best individuals, best first; ``order`` as in ``receive``."""
    return island.take(order[:count])


def replace_worst(
    island: Population, order: NDArray[np.int64], newcomers: Population
) -> Population:
    """Replace as many of the worst as there are newcomers; ``order`` as in ``receive``."""
    kept = np.sort(order[: len(order) - len(newcomers.fitness)])
    return island.take(kept).joined(newcomers)

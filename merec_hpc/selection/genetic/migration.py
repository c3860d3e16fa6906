"""Passes copies of the best individuals around a ring of islands."""

from collections.abc import Sequence

import numpy as np

from merec_hpc.arrays import Population


def migrate_on_ring(islands: Sequence[Population], n_emigrants: int) -> list[Population]:
    """Replace each island's worst by copies of the best of the island before it.

    Island i receives from island i - 1, the first from the last; sizes do not change. A
    single island stays as it is.
    """
    if len(islands) == 1 or n_emigrants == 0:
        return list(islands)
    emigrants = [best(island, n_emigrants) for island in islands]
    return [replace_worst(island, emigrants[place - 1]) for place, island in enumerate(islands)]


def best(island: Population, count: int) -> Population:
    """Return the fittest individuals, fittest first; of equals the first."""
    return island.take(np.argsort(-island.fitness, kind="stable")[:count])


def replace_worst(island: Population, newcomers: Population) -> Population:
    """Replace as many of the least fit as there are newcomers, of equals the last."""
    order = np.argsort(-island.fitness, kind="stable")
    kept = np.sort(order[: len(order) - len(newcomers.fitness)])
    return island.take(kept).joined(newcomers)

"""Keeps the best distinct individuals so far."""

import numpy as np

from merec_hpc.records import Population
from merec_hpc.selection.genetic.breeding import keys_of
from merec_hpc.selection.genetic.objectives import n_selected


def admit(
    hall: Population, newcomers: Population, size: int, *, prefers_few: bool = False
) -> Population:
    """Return the ``size`` fittest distinct individuals of both, fittest first.

    Of equals the former stays in front; an individual is the same as another if mask, C
    and bias are.

    Parameters
    ----------
    prefers_few
        Whether of individuals of equal fitness those with fewer features come first.
    """
    joined = hall.joined(newcomers)
    fewest = n_selected(joined) if prefers_few else np.zeros(len(joined.C))
    chosen: list[int] = []
    keys = keys_of(joined)
    seen: set[bytes] = set()
    for row in np.lexsort((fewest, -joined.fitness)):
        if keys[row] not in seen:
            seen.add(keys[row])
            chosen.append(int(row))
        if len(chosen) == size:
            break
    return joined.take(np.array(chosen, np.int64))

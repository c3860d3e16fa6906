"""Keeps the best distinct individuals so far."""

import numpy as np

from merec_hpc.records import Population
from merec_hpc.selection.genetic.breeding import keys_of


def admit(hall: Population, newcomers: Population, size: int) -> Population:
    """Return the ``size`` fittest distinct individuals of both, fittest first.

    Of equals the former stays in front; an individual is the same as another if mask, C
    and bias are.
    """
    joined = hall.joined(newcomers)
    chosen: list[int] = []
    keys = keys_of(joined)
    seen: set[bytes] = set()
    for row in np.argsort(-joined.fitness, kind="stable"):
        if keys[row] not in seen:
            seen.add(keys[row])
            chosen.append(int(row))
        if len(chosen) == size:
            break
    return joined.take(np.array(chosen, np.int64))

"""Keeps the best distinct individuals so far."""

import numpy as np

from merec_hpc.records import Population


def admit(hall: Population, newcomers: Population, size: int) -> Population:
    """Return the ``size`` fittest distinct individuals of both, fittest first.

    Of equals the former stays in front; an individual is the same as another if mask and C
    are.
    """
    joined = hall.joined(newcomers)
    chosen: list[int] = []
    seen: set[tuple[bytes, float]] = set()
    for row in np.argsort(-joined.fitness, kind="stable"):
        key = (np.packbits(joined.masks[row]).tobytes(), float(joined.C[row]))
        if key not in seen:
            seen.add(key)
            chosen.append(int(row))
        if len(chosen) == size:
            break
    return joined.take(np.array(chosen, np.int64))

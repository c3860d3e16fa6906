"""Chooses a generation from two series over generations (paper 1, IV.C.3)."""

import numpy as np
from numpy.typing import NDArray


def choose_generation(
    best_fitness: NDArray[np.float64],
    training_accuracy: NDArray[np.float64],
    flat_range: float,
    steep_derivative: float,
) -> int:
    """Return the generation whose best individual is to be used.

    If both series move by less than ``flat_range``, the first one, the founders'. Otherwise
    the series that moves more dominates, and the generation of its largest derivative is
    taken if that is above ``steep_derivative``, else that of the second largest. The
    derivative at generation g is s[g] - s[g - 1]; of equals the first counts.

    Parameters
    ----------
    best_fitness
        Best fitness of the hall of fame in each generation, founders first, (n_generations,).
    training_accuracy
        Training accuracy of that individual, (n_generations,).
    """
    series = max((best_fitness, training_accuracy), key=np.ptp)  # of equals the fitness
    if np.ptp(series) < flat_range or len(series) == 1:
        return 0
    derivatives = np.diff(series)
    order = np.argsort(-derivatives, kind="stable") + 1
    if derivatives.max() > steep_derivative or len(order) == 1:
        return int(order[0])
    return int(order[1])


def has_settled(
    best_fitness: NDArray[np.float64],
    training_accuracy: NDArray[np.float64],
    flat_range: float,
    window: int | None,
) -> bool:
    """Return whether both series were flat over the last ``window`` generations.

    The same rule, watched while the search runs: what follows a flat stretch would have to
    be steeper than all before to be chosen. ``None`` never ends a search early.
    """
    if window is None or len(best_fitness) <= window:
        return False
    recent = (best_fitness[-window - 1 :], training_accuracy[-window - 1 :])
    return all(np.ptp(series) < flat_range for series in recent)

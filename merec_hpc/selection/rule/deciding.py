"""Which of the rules decide, and what they decide together."""

import math

import numpy as np
from numpy.typing import NDArray

EIGHTH, QUARTER = 1 / 8, 1 / 4


def best_rules(losses: NDArray[np.float64], share: float = 0.0) -> NDArray[np.int64]:
    """Return the places of the best rules, the best first, of equals the first; at least one.

    Parameters
    ----------
    losses
        Smaller for better, (n_rules,).
    share
        How many of all, in 0..1, rounded up; 0 is the champion alone.
    """
    n_rules = max(math.ceil(share * len(losses)), 1)
    return np.argsort(losses, kind="stable")[:n_rules]


def shares_of(scales: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what each rule's decisions are multiplied by in the mean, (n_rules,).

    Parameters
    ----------
    scales
        Mean absolute inner decision of each rule, (n_rules,); a rule that decides nothing has 0.
    """
    return 1 / (np.where(scales > 0, scales, 1.0) * len(scales))

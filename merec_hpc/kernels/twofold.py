"""Residuals in twice the working precision, from doubles.

Ogita, Rump, Oishi: Accurate sum and dot product, SIAM J. Sci. Comput. 26, 2005,
doi:10.1137/030601818. A product's rounding error by Dekker's splitting, a sum's by Knuth's.
"""

import numpy as np
from numpy.typing import NDArray

from merec_hpc.kernels.compiled import compiled

_SPLITTER = 2.0**27 + 1


@compiled
def subtract_twofold(
    high: NDArray[np.float64],  # (n,), changed
    low: NDArray[np.float64],  # (n,), changed: what high has lost
    factor: float,
    row: NDArray[np.float64],  # (n,)
) -> None:
    """Subtract a multiple of a row from high + low."""
    factor_high = _SPLITTER * factor
    factor_high = factor_high - (factor_high - factor)
    factor_low = factor - factor_high
    for place in range(len(high)):
        value = row[place]
        value_high = _SPLITTER * value
        value_high = value_high - (value_high - value)
        value_low = value - value_high
        product = factor * value
        error = factor_low * value_low - (
            ((product - factor_high * value_high) - factor_low * value_high)
            - factor_high * value_low
        )
        total = high[place] - product
        lost = total - high[place]
        low[place] += ((high[place] - (total - lost)) + (-product - lost)) - error
        high[place] = total


@compiled
def take_residuals(
    values: NDArray[np.float64],  # (n_clips, n_features), X
    turned: NDArray[np.float64],  # (n_features, n_clips), X'
    target: NDArray[np.float64],  # (n_clips,), y
    ridges: NDArray[np.float64],  # (n_clips,), R
    dual: NDArray[np.float64],  # (2, n_clips), beta, and what is below its rounding
    weights: NDArray[np.float64],  # (2, n_features), w, and what is below its rounding
    of_clips: NDArray[np.float64],  # (n_clips,), written: y - R beta - X w
    of_weights: NDArray[np.float64],  # (n_features,), written: X' beta - w
) -> None:
    """Write what the two equations of a ridge regression lack."""
    n_clips, n_features = values.shape
    low_clips, low_weights = np.zeros(n_clips), np.zeros(n_features)
    one = np.empty(1)
    of_clips[:] = target
    of_weights[:] = 0.0
    for part in range(2):
        for clip in range(n_clips):
            one[0] = ridges[clip]
            own, lost = of_clips[clip : clip + 1], low_clips[clip : clip + 1]
            subtract_twofold(own, lost, dual[part, clip], one)
        for feature in range(n_features):
            subtract_twofold(of_clips, low_clips, weights[part, feature], turned[feature])
        for clip in range(n_clips):
            subtract_twofold(of_weights, low_weights, -dual[part, clip], values[clip])
        subtract_twofold(of_weights, low_weights, 1.0, weights[part])
    for clip in range(n_clips):
        of_clips[clip] += low_clips[clip]
    for feature in range(n_features):
        of_weights[feature] += low_weights[feature]


@compiled
def add_twofold(
    sums: NDArray[np.float64],  # (2, n), changed: numbers, and what is below their rounding
    change: NDArray[np.float64],  # (n,)
) -> None:
    """Add to numbers that are kept in two parts."""
    high, low = sums
    for place in range(len(change)):
        total = high[place] + change[place]
        lost = total - high[place]
        low[place] += (high[place] - (total - lost)) + (change[place] - lost)
        high[place] = total + low[place]
        low[place] -= high[place] - total


@compiled
def multiply_twofold(
    turned: NDArray[np.float64],  # (n_features, n_clips), X'
    weights: NDArray[np.float64],  # (1 or 2, n_features), w, and what is below its rounding
    start: float,
) -> NDArray[np.float64]:
    """Return X w plus a number, (n_clips,), as if in twice the precision."""
    high, low = np.full(turned.shape[1], start), np.zeros(turned.shape[1])
    for part in range(len(weights)):
        for feature in range(weights.shape[1]):
            subtract_twofold(high, low, -weights[part, feature], turned[feature])
    return high + low

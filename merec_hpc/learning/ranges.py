"""Notes features of wildly different size that nobody scales."""

import numpy as np
from numpy.typing import NDArray

WILD = 1e6
"""Ratio of the largest to the smallest size of features, above which it is noted."""


def size_range(values: NDArray[np.floating]) -> tuple[float, float]:
    """Return the smallest and the largest root mean square of a feature.

    Constant features do not count; (1, 1) if all are constant.

    Parameters
    ----------
    values
        Shape (n_clips, n_features), finite.
    """
    varying = values[:, np.ptp(values, axis=0) > 0].astype(np.float64)
    if varying.shape[1] == 0:
        return 1.0, 1.0
    peaks = np.abs(varying).max(axis=0)  # whose squares may be too large, or too small
    sizes = peaks * np.sqrt(np.square(varying / peaks).mean(axis=0))
    return float(sizes.min()), float(sizes.max())


def wild_range(values: NDArray[np.floating], remedy: str) -> str | None:
    """Return a line on features of wildly different size; ``None`` if they are not.

    The sizes are those of ``size_range``, and differ wildly by a factor above ``WILD``.

    Parameters
    ----------
    values
        Unscaled features, shape (n_clips, n_features), finite.
    remedy
        How whoever reads the line asks for scaled ones.
    """
    smallest, largest = size_range(values)
    if not largest / WILD > smallest:
        return None
    return (
        f"features are not scaled, and their root mean squares range from {smallest:.3g} to "
        f"{largest:.3g}: a search may take up to 90 times as long, and decisions lose digits; "
        f"{remedy} helps"
    )

"""Weighted sums of Gram matrices, each the same whatever others are summed with it."""

import numpy as np
from numpy.typing import NDArray

from merec_hpc.kernels.compiled import compiled

_AT_ONCE = 4  # groups, so that a sum is read and written a fourth as often


@compiled
def sum_grams(
    kept: NDArray[np.float64],  # (n_groups, n_clips, n_clips)
    levels: NDArray[np.float64],  # (n_masks, n_groups), what each is multiplied by
    sums: NDArray[np.float64],  # (n_masks, n_clips, n_clips), the upper triangle is written
) -> None:
    """Write the sum of each mask, group by group in their order.

    A row of all groups stays in the cache while that of every mask is summed.
    """
    n_groups, n_clips, _ = kept.shape
    groups = np.zeros((len(levels), n_groups + _AT_ONCE), np.int64)
    factors = np.zeros((len(levels), n_groups + _AT_ONCE))  # past the last a group counts 0 times
    counts = np.zeros(len(levels), np.int64)
    for mask in range(len(levels)):
        for group in range(n_groups):
            if levels[mask, group] != 0.0:
                groups[mask, counts[mask]] = group
                factors[mask, counts[mask]] = levels[mask, group]
                counts[mask] += 1
    for row in range(n_clips):
        for mask in range(len(levels)):
            target = sums[mask, row, row:]
            target[:] = 0.0
            for first in range(0, counts[mask], _AT_ONCE):
                one, two = kept[groups[mask, first], row], kept[groups[mask, first + 1], row]
                three, four = kept[groups[mask, first + 2], row], kept[groups[mask, first + 3], row]
                of_one, of_two = factors[mask, first], factors[mask, first + 1]
                of_three, of_four = factors[mask, first + 2], factors[mask, first + 3]
                _add(target, one[row:], two[row:], three[row:], four[row:],
                     of_one, of_two, of_three, of_four)  # fmt: skip


@compiled
def _add(
    target: NDArray[np.float64],
    one: NDArray[np.float64],
    two: NDArray[np.float64],
    three: NDArray[np.float64],
    four: NDArray[np.float64],
    of_one: float,
    of_two: float,
    of_three: float,
    of_four: float,
) -> None:
    """Add rows to a row, one after the other."""
    for column in range(len(target)):
        total = target[column] + of_one * one[column]
        total = total + of_two * two[column]
        total = total + of_three * three[column]
        target[column] = total + of_four * four[column]

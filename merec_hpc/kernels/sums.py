"""Weighted sums of Gram matrices, each the same whatever others are summed with it."""

import numpy as np
from numpy.typing import NDArray

from merec_hpc.kernels.compiled import compiled


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
    for row in range(n_clips):
        for mask in range(len(levels)):
            target = sums[mask, row]
            target[row:] = 0.0
            for group in range(n_groups):
                level = levels[mask, group]
                if level == 0.0:
                    continue
                source = kept[group, row]
                for column in range(row, n_clips):
                    target[column] += level * source[column]

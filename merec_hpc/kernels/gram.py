"""Gram matrices of several masks at once: features that the same masks choose are summed once.

A group of k masks divides the features into 2^k classes by which of the masks choose them
(the method of the four Russians, across masks). One pass over the features gives the Gram
matrix of each class; a mask's is the sum of those of its classes. A group costs one pass,
k masks in turn cost k / 2 passes at half of all features each.

Sums run in single precision: over at most ``_RUN`` features in turn, and over runs and
classes by halves, so that the rounding error grows with the logarithm of their number.
"""

import numpy as np
from numpy.typing import NDArray

from merec_hpc.kernels.compiled import compiled
from merec_hpc.kernels.simd import BLOCK, copy_block, sum_outer_products

MOST_MASKS = 8  # of a group: a feature's class is a byte
_RUN = 64
_AREA = BLOCK * BLOCK


@compiled
def gram_matrices(
    columns: NDArray[np.float32],  # (n_blocks, n_features, BLOCK), zeros beyond the clips
    masks: NDArray[np.bool_],  # (n_masks, n_features)
    blocks: NDArray[np.float32],  # (n_blocks, n_features, BLOCK), scratch
    grams: NDArray[np.float64],  # (n_masks, n_blocks * BLOCK, n_blocks * BLOCK), written
) -> None:
    """Write the Gram matrix of the clips under each mask; at most ``MOST_MASKS`` masks.

    Only the upper triangle is written, and some areas that reach below the diagonal.
    """
    n_masks, n_classes = len(masks), 1 << len(masks)
    order = np.empty(masks.shape[1], np.int64)
    starts = np.empty(n_classes + 1, np.int64)
    _sort_by_class(masks, order, starts)
    _gather(columns, order[starts[1] :], blocks)
    most_runs = 1
    for kind in range(1, n_classes):
        most_runs = max(most_runs, (starts[kind + 1] - starts[kind] + _RUN - 1) // _RUN)
    sums = np.zeros((n_classes, BLOCK, BLOCK), np.float32)
    runs = np.empty((most_runs, BLOCK, BLOCK), np.float32)
    flat, flat_runs = sums.reshape(-1), runs.reshape(-1)
    for column in range(len(blocks)):
        for row in range(column + 1):
            for kind in range(1, n_classes):
                start, stop = starts[kind] - starts[1], starts[kind + 1] - starts[1]
                if stop - start <= _RUN:
                    sum_outer_products(blocks[row], blocks[column], start, stop, sums, kind)
                    continue
                n_runs = (stop - start + _RUN - 1) // _RUN
                for run in range(n_runs):
                    first = start + run * _RUN
                    last = min(first + _RUN, stop)
                    sum_outer_products(blocks[row], blocks[column], first, last, runs, run)
                _halve(flat_runs, n_runs)
                flat[kind * _AREA : (kind + 1) * _AREA] = flat_runs[:_AREA]
            _sum_classes(flat, n_masks)
            for mask in range(n_masks):
                corner = row * BLOCK * grams.shape[2] + column * BLOCK
                for clip in range(BLOCK):
                    source = (1 << mask) * _AREA + clip * BLOCK
                    copy_block(sums, source, grams[mask], corner + clip * grams.shape[2])


@compiled
def _sort_by_class(
    masks: NDArray[np.bool_],  # (n_masks, n_features)
    order: NDArray[np.int64],  # (n_features,), written: features by class, then by number
    starts: NDArray[np.int64],  # (n_classes + 1,), written: first place of each class
) -> None:
    n_features, n_classes = masks.shape[1], len(starts) - 1
    kinds = np.zeros(n_features, np.uint8)
    for mask in range(len(masks)):
        chosen = masks[mask]
        for feature in range(n_features):
            kinds[feature] |= np.uint8(chosen[feature]) << np.uint8(mask)
    starts[:] = 0
    for feature in range(n_features):
        starts[np.int64(kinds[feature]) + 1] += 1
    for kind in range(n_classes):
        starts[kind + 1] += starts[kind]
    places = starts[:n_classes].copy()
    for feature in range(n_features):
        order[places[kinds[feature]]] = feature
        places[kinds[feature]] += 1


@compiled
def _gather(
    columns: NDArray[np.float32],  # (n_blocks, n_features, BLOCK)
    order: NDArray[np.int64],  # (n_chosen,)
    blocks: NDArray[np.float32],  # (n_blocks, n_features, BLOCK), the first n_chosen are written
) -> None:
    for block in range(len(blocks)):
        source, target = columns[block], blocks[block]
        for place in range(len(order)):
            copy_block(source, order[place] * BLOCK, target, place * BLOCK)


@compiled
def _halve(sums: NDArray[np.float32], count: int) -> None:
    """Add ``count`` areas up into the first, always the later half to the earlier."""
    while count > 1:
        kept = (count + 1) // 2
        early, late = sums[: (count - kept) * _AREA], sums[kept * _AREA : count * _AREA]
        for place in range(len(early)):
            early[place] += late[place]
        count = kept


@compiled
def _sum_classes(sums: NDArray[np.float32], n_masks: int) -> None:
    """Turn sums of classes into sums of masks, in place: that of mask b stands at class 2^b.

    The classes with the highest bit are the last mask's: they are added to those that differ
    by that bit alone, which leaves the problem of one mask fewer, and summed up.
    """
    for mask in range(n_masks - 1, -1, -1):
        half = (1 << mask) * _AREA
        without, having = sums[:half], sums[half : 2 * half]
        for place in range(half):
            without[place] += having[place]
        _halve(having, 1 << mask)

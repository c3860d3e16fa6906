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
from merec_hpc.kernels.simd import BLOCK, add_block, copy_block, sum_outer_products

MOST_MASKS = 8  # of a group: a feature's class is a byte
_CHUNK_MASKS = 5
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
    # A chunk of classes agrees in all but the first masks, and its features stay in the cache.
    n_first = min(n_masks, _CHUNK_MASKS)
    n_kinds = 1 << n_first
    most_runs = 1
    for kind in range(n_classes):
        most_runs = max(most_runs, (starts[kind + 1] - starts[kind] + _RUN - 1) // _RUN)
    sums = np.zeros((n_kinds, BLOCK, BLOCK), np.float32)
    runs = np.empty((most_runs, BLOCK, BLOCK), np.float32)
    for chunk in range(n_classes // n_kinds):
        edges = starts[chunk * n_kinds : (chunk + 1) * n_kinds + 1]
        begin = 1 if chunk == 0 else 0  # the first class of all is no mask's
        _gather(columns, order[edges[begin] : edges[n_kinds]], blocks)
        for column in range(len(blocks)):
            for row in range(column + 1):
                _sum_kinds(blocks[row], blocks[column], edges, begin, runs, sums)
                _sum_classes(sums.reshape(-1), n_first)
                corner = row * BLOCK * grams.shape[2] + column * BLOCK
                for mask in range(n_first):
                    _place(sums, 1 << mask, grams[mask], corner, chunk == 0)
                for mask in range(n_first, n_masks):
                    bit = 1 << (mask - n_first)
                    if chunk & bit:
                        _place(sums, 0, grams[mask], corner, chunk == bit)


@compiled
def _sum_kinds(
    left: NDArray[np.float32],  # (n_features, BLOCK)
    right: NDArray[np.float32],  # (n_features, BLOCK)
    edges: NDArray[np.int64],  # (n_kinds + 1,), first feature of each class
    begin: int,  # the first class that counts
    runs: NDArray[np.float32],  # (n_runs, BLOCK, BLOCK), scratch
    sums: NDArray[np.float32],  # (n_kinds, BLOCK, BLOCK), written
) -> None:
    flat, flat_runs = sums.reshape(-1), runs.reshape(-1)
    if begin:
        flat[:_AREA] = 0.0
    for kind in range(begin, len(sums)):
        start, stop = edges[kind] - edges[begin], edges[kind + 1] - edges[begin]
        if stop - start <= _RUN:
            sum_outer_products(left, right, start, stop, sums, kind)
            continue
        n_runs = (stop - start + _RUN - 1) // _RUN
        for run in range(n_runs):
            first = start + run * _RUN
            sum_outer_products(left, right, first, min(first + _RUN, stop), runs, run)
        _halve(flat_runs, n_runs)
        flat[kind * _AREA : (kind + 1) * _AREA] = flat_runs[:_AREA]


@compiled
def _place(
    sums: NDArray[np.float32],  # (n_kinds, BLOCK, BLOCK)
    kind: int,
    gram: NDArray[np.float64],  # (n_blocks * BLOCK, n_blocks * BLOCK), an area is changed
    corner: int,
    is_first: bool,
) -> None:
    """Write an area where it belongs, or add it to what is there."""
    for clip in range(BLOCK):
        source, target = kind * _AREA + clip * BLOCK, corner + clip * gram.shape[1]
        if is_first:
            copy_block(sums, source, gram, target)
        else:
            add_block(sums, source, gram, target)


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
    by that bit alone, which leaves the problem of one mask fewer, and summed up. The first
    class ends as the sum of all.
    """
    for mask in range(n_masks - 1, -1, -1):
        half = (1 << mask) * _AREA
        without, having = sums[:half], sums[half : 2 * half]
        for place in range(half):
            without[place] += having[place]
        _halve(having, 1 << mask)

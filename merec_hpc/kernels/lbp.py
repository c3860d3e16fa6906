"""Counts local binary patterns on three orthogonal planes."""

import numpy as np

from merec_hpc.kernels.compiled import compiled

N_LANES = 4  # a power of two: histograms that take turns: the processor need not wait for its last addition


@compiled
def count_patterns(frames, taps, weights, n_taps, margins, edges_y, edges_x, counts):  # type: ignore[no-untyped-def]
    """Count the patterns of every pixel that has all its neighbours.

    Parameters
    ----------
    frames
        (n_frames, h, w), float32, C order.
    taps
        (n_planes, n_points, 8, 3) int64: pixels (t, y, x) that a neighbour's value is read from,
        relative to the centre, by plane.
    weights
        (n_planes, n_points, 8) float64: of these pixels.
    n_taps
        (n_planes, n_points) int64: how many of them count; one where the neighbour is a pixel.
    margins
        (3, 2) int64: how far neighbours reach before and behind a pixel, along t, y, x.
    edges_y, edges_x
        (n_blocks + 1,) int64: first row and column of each block, then the size.
    counts
        (n_blocks * n_blocks, n_planes, 2 ** n_points) int64, added to.
    """
    n_frames = frames.shape[0]
    n_blocks, n_patterns = len(edges_y) - 1, counts.shape[2]
    low_y, high_y = margins[1, 0], frames.shape[1] - margins[1, 1]
    low_x, high_x = margins[2, 0], frames.shape[2] - margins[2, 1]
    patterns = np.zeros(frames.shape[2], np.uint32)
    values = np.zeros(frames.shape[2], np.float64)
    lanes = np.zeros((n_blocks, N_LANES, n_patterns), np.int32)
    for row in range(n_blocks):
        for plane in range(counts.shape[1]):
            lanes[:] = 0
            for t in range(margins[0, 0], n_frames - margins[0, 1]):
                for y in range(max(edges_y[row], low_y), min(edges_y[row + 1], high_y)):
                    _find_patterns(
                        frames, t, y, low_x, high_x, taps[plane], weights[plane], n_taps[plane],
                        values, patterns,
                    )  # fmt: skip
                    for column in range(n_blocks):
                        start = max(edges_x[column], low_x) - low_x
                        stop = min(edges_x[column + 1], high_x) - low_x
                        found, lane = patterns[start : max(start, stop)], lanes[column]
                        for x in range(len(found)):
                            lane[x & (N_LANES - 1), found[x]] += 1
            for column in range(n_blocks):
                for lane_number in range(N_LANES):
                    counts[row * n_blocks + column, plane] += lanes[column, lane_number]


@compiled
def _find_patterns(frames, t, y, first, last, taps, weights, n_taps, values, patterns):  # type: ignore[no-untyped-def]
    """Find the patterns of the pixels first..last-1 of a row, one neighbour after the other."""
    width = last - first
    centres = frames[t, y, first:last]
    patterns[:width] = 0
    for point in range(len(n_taps)):
        bit, nothing = np.uint32(1 << point), np.uint32(0)
        a, b, c = taps[point, 0]
        near = frames[t + a, y + b, first + c : last + c]
        if n_taps[point] == 1:
            for x in range(width):
                patterns[x] |= bit if near[x] >= centres[x] else nothing
            continue
        for x in range(width):
            values[x] = weights[point, 0] * near[x]
        for tap in range(1, n_taps[point]):
            a, b, c = taps[point, tap]
            near = frames[t + a, y + b, first + c : last + c]
            for x in range(width):
                values[x] += weights[point, tap] * near[x]
        for x in range(width):
            patterns[x] |= bit if values[x] >= centres[x] else nothing

"""Counts local binary patterns on three orthogonal planes."""

from merec_hpc.kernels.compiled import compiled


@compiled
def count_patterns(frames, offsets, weights, margins, bins, blocks, histograms):  # type: ignore[no-untyped-def]
    """Count the patterns of every pixel that has all its neighbours.

    Parameters
    ----------
    frames
        (n_frames, h, w), float32, C order.
    offsets
        (3, n_points, 3) int64: whole part (t, y, x) of a neighbour's place, by plane.
    weights
        (3, n_points, 3) float64: its fraction beyond that, in 0..1.
    margins
        (3, 2) int64: how far neighbours reach before and behind a pixel, along t, y, x.
    bins
        (2 ** n_points,) int64: the bin of each pattern.
    blocks
        (h, w) int64: the block of each pixel.
    histograms
        (n_blocks, 3, n_bins) int64, added to.
    """
    n_frames, height, width = frames.shape
    for t in range(margins[0, 0], n_frames - margins[0, 1]):
        for y in range(margins[1, 0], height - margins[1, 1]):
            for x in range(margins[2, 0], width - margins[2, 1]):
                for plane in range(3):
                    pattern = 0
                    for point in range(offsets.shape[1]):
                        value = _value(
                            frames, t, y, x, offsets[plane, point], weights[plane, point]
                        )
                        if value >= frames[t, y, x]:
                            pattern |= 1 << point
                    histograms[blocks[y, x], plane, bins[pattern]] += 1


@compiled
def _value(frames, t, y, x, offset, weight):  # type: ignore[no-untyped-def]
    """Return the grey value at a neighbour's place, between up to eight pixels."""
    a, b, c = t + offset[0], y + offset[1], x + offset[2]
    u, v, w = weight
    if u == 0.0 and v == 0.0 and w == 0.0:
        return float(frames[a, b, c])
    value = 0.0
    for i in range(1 + (u > 0.0)):
        for j in range(1 + (v > 0.0)):
            for k in range(1 + (w > 0.0)):
                share = (u if i else 1.0 - u) * (v if j else 1.0 - v) * (w if k else 1.0 - w)
                value += share * frames[a + i, b + j, c + k]
    return value

"""LBP-TOP as it is defined: pixel by pixel, with interpolation by hand."""

from math import cos, floor, pi, sin

import numpy as np
from numpy.typing import NDArray

from merec_hpc.config.features import LbpTopSettings


def value_at(grey: NDArray[np.float32], t: float, y: float, x: float) -> float:
    """Interpolate linearly between the pixels around a place."""
    total = 0.0
    for i in (floor(t), floor(t) + 1):
        for j in (floor(y), floor(y) + 1):
            for k in (floor(x), floor(x) + 1):
                weight = (1 - abs(t - i)) * (1 - abs(y - j)) * (1 - abs(x - k))
                if weight > 0:
                    total += weight * float(grey[i, j, k])
    return total


def rounded(value: float) -> float:
    return round(value) if abs(value - round(value)) < 1e-9 else value


def lbp_top_by_hand(grey: NDArray[np.float32], settings: LbpTopSettings) -> NDArray[np.float64]:
    """Return the histograms, (n_blocks, n_blocks, 3, n_bins), each of sum 1."""
    n_points = settings.n_points
    uniform = [
        pattern
        for pattern in range(2**n_points)
        if sum((pattern >> p & 1) != (pattern >> (p + 1) % n_points & 1) for p in range(n_points))
        <= 2
    ]
    n_bins = len(uniform) + (len(uniform) < 2**n_points) if settings.uniform else 2**n_points
    histograms = np.zeros((settings.n_blocks, settings.n_blocks, 3, n_bins))
    n_frames, height, width = grey.shape
    rt, ry, rx = settings.radius_t, settings.radius_y, settings.radius_x
    circle = [(cos(2 * pi * p / n_points), -sin(2 * pi * p / n_points)) for p in range(n_points)]
    for t in range(n_frames):
        for y in range(height):
            for x in range(width):
                places = [
                    [(0.0, rounded(ry * b), rounded(rx * a)) for a, b in circle],
                    [(rounded(rt * b), 0.0, rounded(rx * a)) for a, b in circle],
                    [(rounded(rt * b), rounded(ry * a), 0.0) for a, b in circle],
                ]
                inside = all(
                    0 <= t + dt <= n_frames - 1
                    and 0 <= y + dy <= height - 1
                    and 0 <= x + dx <= width - 1
                    for plane in places
                    for dt, dy, dx in plane
                )
                if not inside:
                    continue
                row, column = y * settings.n_blocks // height, x * settings.n_blocks // width
                for plane, points in enumerate(places):
                    pattern = 0
                    for p, (dt, dy, dx) in enumerate(points):
                        if value_at(grey, t + dt, y + dy, x + dx) >= float(grey[t, y, x]):
                            pattern |= 1 << p
                    if not settings.uniform:
                        number = pattern
                    else:
                        number = uniform.index(pattern) if pattern in uniform else n_bins - 1
                    histograms[row, column, plane, number] += 1
    return histograms / histograms.sum(axis=3, keepdims=True)

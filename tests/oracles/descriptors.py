"""Descriptors of flow as they are defined: pixel by pixel, with angles and areas by hand."""

from collections.abc import Sequence
from math import atan2, ceil, floor, fsum, hypot, pi, sqrt

import numpy as np
from numpy.typing import NDArray


def slope_by_hand(values: Sequence[float], place: int) -> float:
    """Return the difference over the two neighbours, or over one at an end."""
    before, after = max(place - 1, 0), min(place + 1, len(values) - 1)
    return (values[after] - values[before]) / (after - before)


def strain_by_hand(flow: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the magnitude of the strain tensor, (h, w): the Frobenius norm of its matrix."""
    height, width, _ = flow.shape
    strain = np.zeros((height, width))
    for row in range(height):
        for column in range(width):
            gradient = [
                [
                    slope_by_hand([float(flow[row, x, part]) for x in range(width)], column),
                    slope_by_hand([float(flow[y, column, part]) for y in range(height)], row),
                ]
                for part in (0, 1)
            ]
            tensor = [(gradient[i][j] + gradient[j][i]) / 2 for i in range(2) for j in range(2)]
            strain[row, column] = sqrt(fsum(entry**2 for entry in tensor))
    return strain


def grid_means_by_hand(values: NDArray[np.float32], grid: int) -> NDArray[np.float64]:
    """Return the integral over each cell, a pixel being a square, over the cell's area."""
    height, width = values.shape
    tall, wide = height / grid, width / grid
    means = np.zeros((grid, grid))
    for i in range(grid):
        for j in range(grid):
            total = 0.0
            for y in range(floor(i * tall), min(ceil((i + 1) * tall), height)):
                for x in range(floor(j * wide), min(ceil((j + 1) * wide), width)):
                    inside_y = min(y + 1, (i + 1) * tall) - max(y, i * tall)
                    inside_x = min(x + 1, (j + 1) * wide) - max(x, j * wide)
                    total += max(inside_y, 0) * max(inside_x, 0) * float(values[y, x])
            means[i, j] = total / (tall * wide)
    return means


def bin_by_hand(u: float, v: float, n_bins: int) -> int:
    """Return which sector of the circle a vector points into."""
    angle = atan2(v, u)
    if angle < 0:
        angle += 2 * pi
    return next(number for number in range(n_bins) if angle < 2 * pi * (number + 1) / n_bins)


def hoof_by_hand(
    flow: NDArray[np.float32], is_valid: NDArray[np.bool_], n_blocks: int, n_bins: int
) -> NDArray[np.float64]:
    """Return the sums of magnitudes, (n_blocks, n_blocks, n_bins), not normalised."""
    height, width, _ = flow.shape
    sums = np.zeros((n_blocks, n_blocks, n_bins))
    for y in range(height):
        for x in range(width):
            if is_valid[y, x]:
                u, v = map(float, flow[y, x])
                place = y * n_blocks // height, x * n_blocks // width, bin_by_hand(u, v, n_bins)
                sums[place] += hypot(u, v)
    return sums


def bi_woof_by_hand(
    flow: NDArray[np.float32], is_valid: NDArray[np.bool_], n_blocks: int, n_bins: int
) -> NDArray[np.float64]:
    """Return sums of magnitudes times the block's mean strain, of sum 1 together."""
    height, width, _ = flow.shape
    weighted = hoof_by_hand(flow, is_valid, n_blocks, n_bins)
    strain = strain_by_hand(flow)
    for i in range(n_blocks):
        for j in range(n_blocks):
            found = [
                strain[y, x]
                for y in range(height)
                for x in range(width)
                if (y * n_blocks // height, x * n_blocks // width) == (i, j) and is_valid[y, x]
            ]
            weighted[i, j] *= fsum(found) / len(found) if found else 0.0
    total = weighted.sum()
    return weighted / total if total else weighted


def main_direction_by_hand(
    vectors: Sequence[tuple[float, float]], n_bins: int, least: float
) -> tuple[float, float]:
    """Return magnitude and angle of the mean of the fullest bin's vectors."""
    members: list[list[tuple[float, float]]] = [[] for _ in range(n_bins)]
    for u, v in vectors:
        if hypot(u, v) >= least:
            members[bin_by_hand(u, v, n_bins)].append((u, v))
    fullest = max(members, key=len)  # the first of several
    if not fullest:
        return 0.0, 0.0
    u = fsum(u for u, _ in fullest) / len(fullest)
    v = fsum(v for _, v in fullest) / len(fullest)
    return hypot(u, v), atan2(v, u)


def is_inside(polygon: NDArray[np.float64], x: float, y: float) -> bool:
    """Return whether a ray to the right crosses the polygon's outline an odd number of times."""
    inside = False
    for (ax, ay), (bx, by) in zip(polygon, np.roll(polygon, 1, axis=0), strict=True):
        if (ay > y) != (by > y) and x < ax + (y - ay) / (by - ay) * (bx - ax):
            inside = not inside
    return inside


def distance_to_outline(polygon: NDArray[np.float64], x: float, y: float) -> float:
    """Return how far a point is from the polygon's outline."""
    point, nearest = np.array([x, y]), float("inf")
    for a, b in zip(polygon, np.roll(polygon, 1, axis=0), strict=True):
        along = b - a
        share = min(max(float((point - a) @ along / max(along @ along, 1e-12)), 0.0), 1.0)
        nearest = min(nearest, float(np.linalg.norm(point - a - share * along)))
    return nearest

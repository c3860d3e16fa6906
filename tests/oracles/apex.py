"""The curves and the search for an apex as they are defined: pixel by pixel, with exact sums."""

from fractions import Fraction
from math import ceil, exp, floor, sqrt

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

Image = NDArray[np.float64]

REGIONS = (
    [17, 18, 19, 20, 21, 36, 37, 38, 39, 40, 41],
    [22, 23, 24, 25, 26, 42, 43, 44, 45, 46, 47],
    list(range(48, 68)),
)
# Clockwise from the upper left: any order gives the same histograms but for their bins' order.
NEIGHBOURS = [(-1, -1), (-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1)]


def smooth_by_hand(curve: list[float]) -> list[float]:
    """Return the mean of each value's neighbours, weighted by a Gaussian of time."""
    n = len(curve)
    spread = 0.02 * n
    reach = ceil(3 * spread)
    means = []
    for here in range(n):
        total = weights = 0.0
        for there in range(here - reach, here + reach + 1):
            weight = exp(-0.5 * ((there - here) / spread) ** 2)
            total += weight * curve[min(max(there, 0), n - 1)]
            weights += weight
        means.append(total / weights)
    return means


def divide_and_conquer_by_hand(curve: list[float]) -> int:
    """Search among the peaks, with lists of frames that are cut in halves."""
    peaks = {
        frame: Fraction(curve[frame])
        for frame in range(1, len(curve) - 1)
        if curve[frame - 1] < curve[frame] >= curve[frame + 1]
    }
    frames = list(range(1, len(curve)))
    if not peaks:
        return max(frames, key=lambda frame: (curve[frame], -frame))
    return search(frames, peaks)


def search(frames: list[int], peaks: dict[int, Fraction]) -> int:
    """Return the frame that is left of the halves with the larger sums."""
    if len(frames) == 1:
        return frames[0]
    n_first = len(frames) // 2
    first, second = frames[:n_first], frames[n_first:]
    sums = [sum(peaks.get(frame, Fraction(0)) for frame in half) for half in (first, second)]
    return search(second if sums[1] > sums[0] else first, peaks)


def difference_by_hand(grey: list[Image]) -> list[float]:
    """Return the mean absolute rests of least-squares fits of light and shift, whole images."""
    smooth = [gaussian_filter(frame, 1.0, mode="mirror", truncate=4.0) for frame in grey]
    onset = smooth[0]
    right, down = np.empty_like(onset), np.empty_like(onset)
    height, width = onset.shape
    for y in range(height):
        for x in range(width):
            x0, x1 = max(x - 1, 0), min(x + 1, width - 1)
            y0, y1 = max(y - 1, 0), min(y + 1, height - 1)
            right[y, x] = (onset[y, x1] - onset[y, x0]) / (x1 - x0)
            down[y, x] = (onset[y1, x] - onset[y0, x]) / (y1 - y0)
    causes = np.stack([np.ones(onset.size), right.ravel(), down.ravel()], axis=1)
    curve = []
    for frame in smooth:
        change = (frame - onset).ravel()
        effects = np.linalg.lstsq(causes, change, rcond=None)[0]
        curve.append(float(np.abs(change - causes @ effects).mean()))
    return curve


def dc_rois_by_hand(grey: list[Image], landmarks: NDArray[np.float32]) -> list[float]:
    """Return 1 less the mean correlation of the blocks' histograms of patterns."""
    smooth = [gaussian_filter(frame, 3.0, mode="mirror", truncate=4.0) for frame in grey]
    histograms = [all_blocks(frame, landmarks) for frame in smooth]
    curve = []
    for blocks in histograms:
        values = [correlation(a, b) for a, b in zip(histograms[0], blocks, strict=True)]
        curve.append(1 - sum(values) / len(values))
    return curve


def all_blocks(image: Image, landmarks: NDArray[np.float32]) -> list[list[int]]:
    """Return the histogram of each block of each region."""
    height, width = image.shape
    blocks = []
    for points in REGIONS:
        xs, ys = ([float(landmarks[point, axis]) for point in points] for axis in (0, 1))
        margin = 0.1 * max(max(xs) - min(xs), max(ys) - min(ys))
        left, right = max(floor(min(xs) - margin), 0), min(ceil(max(xs) + margin), width)
        top, bottom = max(floor(min(ys) - margin), 0), min(ceil(max(ys) + margin), height)
        counts = [[0] * 59 for _ in range(25)]
        for y in range(top, bottom):
            for x in range(left, right):
                row, column = 5 * (y - top) // (bottom - top), 5 * (x - left) // (right - left)
                counts[5 * row + column][pattern_bin(image, y, x)] += 1
        blocks += counts
    return blocks


def pattern_bin(image: Image, y: int, x: int) -> int:
    """Return the number of a pixel's pattern among the uniform ones, 58 for all others."""
    height, width = image.shape
    bits = ""
    for down, right in NEIGHBOURS:
        neighbour = image[min(max(y + down, 0), height - 1), min(max(x + right, 0), width - 1)]
        bits += "1" if neighbour >= image[y, x] else "0"
    uniform = sorted(
        {
            ("1" * n + "0" * (8 - n))[-k:] + ("1" * n + "0" * (8 - n))[:-k]
            for n in range(9)
            for k in range(1, 9)
        }
    )
    return uniform.index(bits) if bits in uniform else 58


def correlation(a: list[int], b: list[int]) -> float:
    """Return Pearson's correlation; 1 where there is no pixel."""
    n = len(a)
    mean_a, mean_b = sum(a) / n, sum(b) / n
    both = sum((p - mean_a) * (q - mean_b) for p, q in zip(a, b, strict=True))
    squares = sum((p - mean_a) ** 2 for p in a), sum((q - mean_b) ** 2 for q in b)
    return both / sqrt(squares[0] * squares[1]) if min(squares) > 0 else 1.0

"""Temporal interpolation and LBP-TOP beside other ways of computing the same.

    python benchmarks/descriptors.py

One core; both ways are run in turn, the least of some times counts, and their results agree.
"""

import sys
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from merec_hpc.clips.interpolation import interpolate
from merec_hpc.config.features import LbpTopSettings
from merec_hpc.features.lbp_top import lbp_top
from merec_hpc.parallel.threads import limit_library_threads

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from oracles.interpolation import svd_interpolation  # the form of the paper

N_REPEATS = 3
PAPER = LbpTopSettings()


def vectorised_lbp_top(grey: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return LBP-TOP at the paper's setting, as one writes it with NumPy's slices."""
    n_frames, height, width = grey.shape
    n_blocks, rx, ry, rt = PAPER.n_blocks, PAPER.radius_x, PAPER.radius_y, PAPER.radius_t
    t, y, x = slice(rt, n_frames - rt), slice(ry, height - ry), slice(rx, width - rx)
    centre = grey[t, y, x]
    rows = np.arange(height) * n_blocks // height
    columns = np.arange(width) * n_blocks // width
    blocks = (rows[:, None] * n_blocks + columns)[y, x]
    bits = np.arange(16)[:, None] >> np.arange(4) & 1
    uniform = (bits != np.roll(bits, 1, axis=1)).sum(axis=1) <= 2
    bins = np.where(uniform, np.cumsum(uniform) - 1, uniform.sum())
    histograms = []
    for axes in (((0, 0, rx), (0, -ry, 0)), ((0, 0, rx), (-rt, 0, 0)), ((0, ry, 0), (-rt, 0, 0))):
        pattern = np.zeros(centre.shape, np.int64)
        moves = [*axes, *(tuple(-step for step in move) for move in axes)]
        for point, (dt, dy, dx) in enumerate(moves):
            neighbour = grey[
                rt + dt : n_frames - rt + dt, ry + dy : height - ry + dy, rx + dx : width - rx + dx
            ]
            pattern |= (neighbour >= centre).astype(np.int64) << point
        index = blocks[None] * 15 + bins[pattern]
        counts = np.bincount(index.ravel(), minlength=n_blocks**2 * 15).reshape(-1, 15)
        histograms.append(counts / counts.sum(axis=1, keepdims=True))
    return np.stack(histograms, axis=1).reshape(-1)


def interpolate_by_svd(frames: NDArray[np.float32], n_frames: int) -> NDArray[np.float64]:
    """Return TIM in the form of its paper, (n_frames, h, w)."""
    pixels = frames.reshape(len(frames), -1).T.astype(np.float64)
    return svd_interpolation(pixels, n_frames).T.reshape(n_frames, *frames.shape[1:])


def least_seconds(work: Callable[[], object]) -> float:
    """Return the least of some times."""
    times = []
    for _ in range(N_REPEATS):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def main() -> None:
    """Print the table."""
    limit_library_threads()
    cv2.setNumThreads(1)
    rng = np.random.default_rng(0)
    print("| | ours, s | rival | its s | ratio |")
    print("|---|---|---|---|---|")
    clip = rng.integers(256, size=(200, 480, 640)).astype(np.float32)
    small = clip[:, :60, :80]
    assert (
        np.abs(interpolate(small[..., None], 20)[..., 0] - interpolate_by_svd(small, 20)).max()
        < 1e-2
    )
    ours = least_seconds(lambda: interpolate(clip[..., None], 20))
    start = time.perf_counter()
    interpolate_by_svd(clip, 20)
    rival = time.perf_counter() - start
    print(
        f"| TIM, 640x480, 200 to 20 frames | {ours:.3f} | SVD form | {rival:.1f} | {rival / ours:.0f} |"
    )
    faces = rng.integers(256, size=(10, 224, 224)).astype(np.float32)
    np.testing.assert_allclose(lbp_top(faces, PAPER), vectorised_lbp_top(faces), rtol=1e-6)
    ours = least_seconds(lambda: lbp_top(faces, PAPER))
    rival = least_seconds(lambda: vectorised_lbp_top(faces))
    print(
        f"| LBP-TOP, 10 frames of 224x224 | {ours:.4f} | NumPy slices | {rival:.3f} | {rival / ours:.1f} |"
    )


if __name__ == "__main__":
    main()

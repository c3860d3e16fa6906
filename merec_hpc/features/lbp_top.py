"""Describes a clip by local binary patterns on three orthogonal planes (LBP-TOP).

Zhao, Pietikainen: Dynamic texture recognition using local binary patterns, IEEE TPAMI 2007,
doi:10.1109/TPAMI.2007.1110; the hand-crafted baseline of paper 1's Table IX.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from merec_hpc.config import LbpTopSettings
from merec_hpc.errors import MerecError
from merec_hpc.kernels.lbp import count_patterns

PLANES = ("xy", "xt", "yt")


def lbp_top(frames: NDArray[np.float32], settings: LbpTopSettings) -> NDArray[np.float32]:
    """Return the histograms of all blocks and planes, each of sum 1, (n_features,).

    Neighbours lie on ellipses around a pixel, in the planes xy, xt and yt; places between
    pixels are interpolated linearly. A pixel counts in a block if all its neighbours are
    inside the clip.

    Parameters
    ----------
    frames
        (n_frames, h, w, 3), RGB, or (n_frames, h, w), grey.

    Raises
    ------
    MerecError
        If the clip has too few frames, or blocks without a pixel.
    """
    grey = frames if frames.ndim == 3 else _grey(frames)
    n_frames, height, width = grey.shape
    if n_frames <= 2 * settings.radius_t:
        msg = (
            f"lbp_top.radius_t {settings.radius_t}: clips of at least "
            f"{2 * settings.radius_t + 1} frames expected, found {n_frames} (interpolation.n_frames)"
        )
        raise MerecError(msg)
    offsets, weights = _neighbours(settings)
    bins = _bins(settings)
    histograms: NDArray[np.int64] = np.zeros(
        (settings.n_blocks**2, 3, int(bins.max()) + 1), np.int64
    )
    blocks = _blocks(height, width, settings.n_blocks)
    reached = offsets + (weights > 0)
    margins = np.stack([-offsets.min(axis=(0, 1)), reached.max(axis=(0, 1))], axis=1)
    count_patterns(
        np.ascontiguousarray(grey, np.float32), offsets, weights, margins, bins, blocks, histograms
    )
    totals = histograms.sum(axis=2, keepdims=True)
    if not totals.all():
        msg = (
            f"lbp_top.n_blocks {settings.n_blocks}: pixels in every block expected, found none in "
            f"some of faces of {height} x {width}"
        )
        raise MerecError(msg)
    shares: NDArray[np.float32] = (histograms / totals).astype(np.float32)
    return shares.reshape(-1)


def lbp_top_names(settings: LbpTopSettings) -> NDArray[np.str_]:
    """Name the features ``lbp_top/row/column/plane/bin``."""
    n_bins = int(_bins(settings).max()) + 1
    return np.array(
        [
            f"lbp_top/{row}/{column}/{plane}/{number}"
            for row in range(settings.n_blocks)
            for column in range(settings.n_blocks)
            for plane in PLANES
            for number in range(n_bins)
        ]
    )


def _grey(frames: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the brightness of RGB frames."""
    grey = [cv2.cvtColor(np.ascontiguousarray(frame), cv2.COLOR_RGB2GRAY) for frame in frames]
    return np.asarray(grey, np.float32)


def _neighbours(settings: LbpTopSettings) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return whole parts and fractions of the neighbours' places, (3, n_points, 3) each."""
    angles = 2 * np.pi * np.arange(settings.n_points) / settings.n_points
    along, across = np.cos(angles), -np.sin(angles)
    still = np.zeros_like(along)
    places = np.stack(
        [
            np.stack([still, settings.radius_y * across, settings.radius_x * along], axis=1),
            np.stack([settings.radius_t * across, still, settings.radius_x * along], axis=1),
            np.stack([settings.radius_t * across, settings.radius_y * along, still], axis=1),
        ]
    )
    places = np.where(np.abs(places - places.round()) < 1e-9, places.round(), places)
    whole = np.floor(places)
    return whole.astype(np.int64), places - whole


def _bins(settings: LbpTopSettings) -> NDArray[np.int64]:
    """Return the bin of each pattern: uniform ones apart, all others together in the last."""
    n_points = settings.n_points
    patterns = np.arange(2**n_points)
    if not settings.uniform:
        return patterns
    bits = patterns[:, None] >> np.arange(n_points) & 1
    n_changes = (bits != np.roll(bits, 1, axis=1)).sum(axis=1)
    is_uniform = n_changes <= 2
    bins = np.full(len(patterns), int(is_uniform.sum()))
    bins[is_uniform] = np.arange(int(is_uniform.sum()))
    return bins


def _blocks(height: int, width: int, n_blocks: int) -> NDArray[np.int64]:
    """Return the block of each pixel, row by row."""
    rows, columns = (np.arange(size) * n_blocks // size for size in (height, width))
    return rows[:, None] * n_blocks + columns

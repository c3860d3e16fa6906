"""Describes a clip by local binary patterns on three orthogonal planes (LBP-TOP).

Zhao, Pietikainen: Dynamic texture recognition using local binary patterns, IEEE TPAMI 2007,
doi:10.1109/TPAMI.2007.1110; the hand-crafted baseline of paper 1's Table IX.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache, partial
from itertools import product
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from merec_hpc.clips.face_clip import FaceClip
from merec_hpc.config.features import LbpTopSettings
from merec_hpc.errors import MerecError
from merec_hpc.features.described import described_clips
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
    if len(frames) <= 2 * settings.radius_t:
        msg = (
            f"lbp_top.radius_t {settings.radius_t}: clips of at least {2 * settings.radius_t + 1} "
            f"frames expected, found {len(frames)} (interpolation.n_frames)"
        )
        raise MerecError(msg)
    return lbp_histograms(frames, settings).reshape(-1)


def lbp_histograms(
    frames: NDArray[np.float32], settings: LbpTopSettings, n_planes: int = 3
) -> NDArray[np.float32]:
    """Return the histograms of the first of the planes xy, xt and yt, (n_blocks**2, n_planes, n_bins).

    Raises
    ------
    MerecError
        If there are blocks without a pixel.
    """
    grey = frames if frames.ndim == 3 else _grey(frames)
    _, height, width = grey.shape
    taps, weights, n_taps = (part[:n_planes] for part in _neighbours(settings))
    read = taps[weights > 0]
    margins = np.stack([-read.min(axis=0), read.max(axis=0)], axis=1)
    # The first row and column of a block is where y * n_blocks // height becomes its number.
    numbers = np.arange(settings.n_blocks + 1)
    edges = [-(-numbers * size // settings.n_blocks) for size in (height, width)]
    counts = np.zeros((settings.n_blocks**2, n_planes, 2**settings.n_points), np.int64)
    frames = np.ascontiguousarray(grey, np.float32)
    count_patterns(frames, taps, weights, n_taps, margins, *edges, counts)
    bins = _bins(settings)
    # One column for each bin, of ones where a pattern belongs to it.
    members = (bins[:, None] == np.arange(bins.max() + 1)).astype(np.int64)
    histograms = counts @ members
    totals = histograms.sum(axis=2, keepdims=True)
    if not totals.all():
        msg = (
            f"n_blocks {settings.n_blocks}: pixels in every block expected, found none in "
            f"some of faces of {height} x {width}"
        )
        raise MerecError(msg)
    shares: NDArray[np.float32] = (histograms / totals).astype(np.float32)
    return shares


def n_pattern_bins(settings: LbpTopSettings) -> int:
    """Return the length of a histogram."""
    return int(_bins(settings).max()) + 1


def lbp_top_names(settings: LbpTopSettings) -> NDArray[np.str_]:
    """Name the features ``lbp_top/row/column/plane/bin``."""
    n_bins = n_pattern_bins(settings)
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


@cache
def _neighbours(
    settings: LbpTopSettings,
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.int64]]:
    """Return the pixels that each neighbour is read from, (3, n_points, 8, 3), weights, number.

    Pixels of weight 0 stand behind the others.
    """
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
    beyond = (places - whole)[:, :, None, :]
    corners = np.array(list(product((0, 1), repeat=3)))
    weights = np.where(corners == 1, beyond, 1 - beyond).prod(axis=3)
    taps = whole[:, :, None, :].astype(np.int64) + corners
    order = np.argsort(weights == 0, axis=2, kind="stable")
    return (
        np.take_along_axis(taps, order[..., None], axis=2),
        np.take_along_axis(weights, order, axis=2),
        (weights > 0).sum(axis=2),
    )


@cache
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


@dataclass(frozen=True)
class LbpTopExtractor:
    """Histograms of all blocks and planes."""

    settings: LbpTopSettings

    def extract(
        self, clips: Iterable[FaceClip], n_threads: int
    ) -> Iterator[tuple[NDArray[np.float32], NDArray[np.str_]]]:
        """Yield the features of each clip, and their names."""
        names = lbp_top_names(self.settings)
        describe = partial(lbp_top, settings=self.settings)
        for row in described_clips(clips, FaceClip.interpolated, describe, n_threads):
            yield row, names


def open_extractor(settings: LbpTopSettings, weights: Path | None) -> LbpTopExtractor:  # noqa: ARG001  # there are none
    """Return the extractor of these settings."""
    return LbpTopExtractor(settings)


def count_features(settings: LbpTopSettings) -> int:
    """Return how many features of a clip there will be."""
    return len(lbp_top_names(settings))

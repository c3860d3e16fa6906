"""Describes a clip by how the local binary patterns of its frames change.

Ojala, Pietikainen, Maenpaa: Multiresolution gray-scale and rotation invariant texture
classification with local binary patterns, IEEE TPAMI 2002, doi:10.1109/TPAMI.2002.1017623.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from merec_hpc.clips.face_clip import FaceClip
from merec_hpc.config.features import LbpSettings, LbpTopSettings
from merec_hpc.features.described import described_clips
from merec_hpc.features.lbp_top import lbp_histograms, n_pattern_bins
from merec_hpc.features.statistics import (
    NeededFrames,
    clip_statistics,
    needed_frames,
    statistic_names,
)

_STEM = "lbp/xy"


def frame_patterns(frames: NDArray[np.float32], settings: LbpSettings) -> NDArray[np.float32]:
    """Return the histograms of each frame's blocks, each of sum 1, (n_frames, n_bins, rows, columns).

    Parameters
    ----------
    frames
        (n_frames, h, w, 3), RGB.

    Raises
    ------
    MerecError
        If there are blocks without a pixel.
    """
    as_planes = _as_planes(settings)
    found = [
        lbp_histograms(frames[place : place + 1], as_planes, n_planes=1)
        for place in range(len(frames))
    ]
    n = settings.n_blocks
    return np.stack(found)[:, :, 0].transpose(0, 2, 1).reshape(len(frames), -1, n, n)


@cache
def _as_planes(settings: LbpSettings) -> LbpTopSettings:
    """Return the same patterns as those of the plane xy."""
    return LbpTopSettings(
        radius_x=settings.radius,
        radius_y=settings.radius,
        n_points=settings.n_points,
        uniform=settings.uniform,
        n_blocks=settings.n_blocks,
    )


@dataclass(frozen=True)
class LbpExtractor:
    """Statistics of the histograms of all frames."""

    settings: LbpSettings

    def extract(
        self, clips: Iterable[FaceClip], n_threads: int
    ) -> Iterator[tuple[NDArray[np.float32], NDArray[np.str_]]]:
        """Yield the features of each clip, and their names."""
        names = lbp_names(self.settings)
        for row in described_clips(clips, self._read, self._describe, n_threads):
            yield row, names

    def _read(self, clip: FaceClip) -> NeededFrames:
        return needed_frames(clip, self.settings.statistics)

    def _describe(self, needed: NeededFrames) -> NDArray[np.float32]:
        patterns = [
            None if frames is None else frame_patterns(frames, self.settings)
            for frames in (needed.interpolated, needed.filmed)
        ]
        return clip_statistics(patterns[0], self.settings.statistics, "none", patterns[1])


def lbp_names(settings: LbpSettings) -> NDArray[np.str_]:
    """Name the features ``lbp/xy/bin/row/column/statistic``."""
    shape = (n_pattern_bins(_as_planes(settings)), settings.n_blocks, settings.n_blocks)
    return statistic_names(_STEM, settings.statistics, "none", shape)


def open_extractor(settings: LbpSettings, weights: Path | None) -> LbpExtractor:  # noqa: ARG001  # there are none
    """Return the extractor of these settings."""
    return LbpExtractor(settings)


def count_features(settings: LbpSettings) -> int:
    """Return how many features of a clip there will be."""
    return len(lbp_names(settings))

"""The mean face of a subject, which the clips of a subject have in common."""

from collections.abc import Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from merec_hpc.clips.interpolation import interpolate_frames
from merec_hpc.records import Frames


class MeanFace:
    """The mean of all frames of all clips of a subject, each clip interpolated to as many."""

    def __init__(self, clips: Sequence[Frames], n_interpolated: int) -> None:
        """Remember the clips, which are read when the mean is asked for, once."""
        self._clips = clips
        self._n_interpolated = n_interpolated

    @property
    def n_clips(self) -> int:
        """Number of clips that it is of."""
        return len(self._clips)

    @cached_property
    def pixels(self) -> NDArray[np.float64]:
        """The mean, (size, size, 3), RGB, about 0..255, in double precision."""
        means = (
            interpolate_frames(clip, self._n_interpolated).mean(axis=0, dtype=np.float64)
            for clip in self._clips
        )
        total: NDArray[np.float64] = next(means)
        for mean in means:
            total += mean
        return total / self.n_clips

"""A registered clip, as features are extracted from it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from merec_hpc.clips.interpolation import interpolate_frames
from merec_hpc.clips.mean_face import MeanFace
from merec_hpc.errors import MerecError
from merec_hpc.faces.warps import filmed_pixels
from merec_hpc.records import Frames


@dataclass(frozen=True)
class FaceClip:
    """A clip on the reference face: as filmed, and as interpolation makes it."""

    name: str
    frames: Frames
    """As filmed, (size, size, 3) each, RGB, the onset first."""
    landmarks: NDArray[np.float32]  # (n_frames, 68, 2), pixels of the registered face; or NaN
    apex: int
    """The place of the apex in ``frames``."""
    n_interpolated: int = 1
    """Frames that interpolation makes of it."""
    affines: NDArray[np.float64] | None = None  # (n_frames, 2, 3), from the frames as filmed
    filmed: tuple[int, int] | None = None
    """Height and width of the frames as filmed; ``None`` if that was not kept."""
    subject: MeanFace | None = None
    """The mean face of whom it shows; without it that of the clip itself."""

    def interpolated(self) -> NDArray[np.float32]:
        """Return the clip with the same number of frames as any other (TIM).

        Shape (n_interpolated, size, size, 3), RGB, about 0..255.
        """
        return interpolate_frames(self.frames, self.n_interpolated)

    def mean_face(self) -> MeanFace:
        """Return the mean face of the subject, as far as its clips are known."""
        return self.subject or MeanFace([self.frames], self.n_interpolated)

    def check_moves(self, what: str) -> None:
        """Raise a ``MerecError`` if the clip has a single frame, which nothing moves in."""
        if len(self.frames) < 2:
            msg = (
                f"clip '{self.name}': two frames or more (a film, or a neutral image and the "
                f"expression) expected for {what}, found {len(self.frames)}"
            )
            raise MerecError(msg)

    def was_filmed(self, *places: int) -> NDArray[np.bool_]:
        """Return which pixels show what was filmed in all of some frames, (size, size).

        All of them where it was not kept from where the pixels come.
        """
        size = len(self.frames[0])
        everywhere: NDArray[np.bool_] = np.ones((size, size), np.bool_)
        if self.affines is None or self.filmed is None:
            return everywhere
        for place in places:
            everywhere &= filmed_pixels(self.affines[place], self.filmed, size)
        return everywhere

"""Turns the frames of a clip into what a network sees: the frames, or what changes in them."""

import numpy as np
from numpy.typing import NDArray

from merec_hpc.clips.face_clip import FaceClip
from merec_hpc.config.features import OVER_TIME, Input
from merec_hpc.errors import MerecError


def network_input(frames: NDArray[np.float32], clip: FaceClip, kind: Input) -> NDArray[np.float32]:
    """Return frames, or images of what changes in them.

    Parameters
    ----------
    frames
        Interpolated, shape (n_frames, h, w, 3).
    clip
        Which they are of.
    kind
        "frames" as they are; "mean_removed" less the mean of all (s-TCoF); "subject_mean_removed"
        less the mean of all clips of the subject, which is transductive; "differences" each less
        the one before, one image fewer (t-TCoF).

    Returns
    -------
    NDArray[np.float32]
        Changes are about 0, and exactly 0 where nothing changes.

    Raises
    ------
    MerecError
        If changes are asked of a clip of a single frame, as filmed or as interpolated, or what
        differs from the subject's other frames of a subject of a single frame.

    References
    ----------
    Qi et al.: Dynamic texture and scene classification by transferring deep image features,
    Neurocomputing 2016, doi:10.1016/j.neucom.2015.07.071; paper 1, IV.B.1 (the subject's mean).
    """
    if kind == "frames":
        return frames
    if kind == "subject_mean_removed":
        subject = clip.mean_face()
        if subject.n_clips == 1:
            clip.check_moves(f"features.input {kind} of a subject's only clip")
        return _less(frames, subject.pixels)
    clip.check_moves(f"features.input {kind}")
    check_changes(kind, len(frames))
    if kind == "differences":
        return np.diff(frames, axis=0)
    # In double precision, in which the mean of equal frames is one of them.
    return _less(frames, frames.mean(axis=0, dtype=np.float64))


def _less(frames: NDArray[np.float32], mean: NDArray[np.float64]) -> NDArray[np.float32]:
    removed: NDArray[np.float32] = (frames - mean).astype(np.float32)
    return removed


def check_changes(kind: Input, n_frames: int) -> None:
    """Raise a ``MerecError`` if changes are asked of clips that are interpolated to one frame."""
    if kind in OVER_TIME and n_frames < 2:
        msg = (
            f"interpolation.n_frames: 2 or more expected by features.input {kind}, found {n_frames}"
        )
        raise MerecError(msg)

"""Gives every clip an apex: of the sheet, of a pair, or found."""

import logging
from collections.abc import Sequence
from dataclasses import replace
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from merec_hpc.config.motion import ApexMethod
from merec_hpc.dataset.clip import Clip
from merec_hpc.dataset.sources import Images
from merec_hpc.errors import MerecError
from merec_hpc.motion.apex import find_apex
from merec_hpc.records import Frames

log = logging.getLogger(__name__)


def with_apex(
    clip: Clip,
    frames: Frames,
    landmarks: NDArray[np.float32],
    numbers: Sequence[int],
    method: ApexMethod,
) -> Clip:
    """Return a clip with the number of its apex, and where that is from.

    The sheet's is taken where it has one that comes after the onset. Of two images that are listed one by one the second is
    the apex, of one frame that one; elsewhere it is found.

    Parameters
    ----------
    frames
        Registered frames of the clip, the onset first.
    landmarks
        (n_frames, 68, 2), pixels of the registered face.
    numbers
        Of the frames, in the numbering of the clip's onset and apex.

    Raises
    ------
    MerecError
        If the sheet's apex lies outside of its onset and offset, or the method needs landmarks
        that are not there.
    """
    if clip.apex_source in get_args(ApexMethod):  # of another search
        clip = replace(clip, apex=None)
    _check_marks(clip)
    if clip.apex in numbers and (clip.apex != numbers[0] or len(numbers) == 1):
        return replace(clip, apex_source=clip.apex_source or "sheet")
    if clip.apex is not None:
        log.warning(
            "%s: apex %d of the sheet is none of its frames after the onset, %d to %d; it is found",
            clip.clip, clip.apex, numbers[0], numbers[-1],
        )  # fmt: skip
    if len(numbers) == 1:
        return replace(clip, apex=numbers[0], apex_source="single")
    if isinstance(clip.source, Images) and len(numbers) == 2:
        return replace(clip, apex=numbers[1], apex_source="pair")
    place = find_apex((frames[place] for place in range(len(frames))), landmarks, method)
    return replace(clip, apex=numbers[place], apex_source=method)


def _check_marks(clip: Clip) -> None:
    if clip.apex is None or clip.onset is None or clip.offset is None:
        return
    if not clip.onset <= clip.apex <= clip.offset:
        msg = (
            f"clip '{clip.clip}': an apex between onset {clip.onset} and offset {clip.offset} "
            f"expected, found {clip.apex}"
        )
        raise MerecError(msg)

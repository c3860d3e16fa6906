"""Finds images that stand in two official splits of a dataset, or nearly so."""

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from merec_hpc.dataset.clip import Clip
from merec_hpc.dataset.frames import read_frames
from merec_hpc.dataset.listing import Fault

LARGEST_DIFFERENCE = 6.0
"""Mean absolute difference in grey levels, at 32 x 32, of what counts as the same image."""


def doubled_across_splits(root: Path, clips: Sequence[Clip]) -> list[Fault]:
    """Note every image of a split that is, up to small changes, one of another split.

    Images are the first frames of clips. Those whose coarse patterns of light and dark agree
    are compared pixel by pixel: copies are found, and most of those that were re-compressed,
    blurred or brightened a little; what was mirrored or cropped is not.
    """
    groups: dict[bytes, list[tuple[Clip, NDArray[np.float32]]]] = defaultdict(list)
    noted = []
    for clip in clips:
        if clip.split is None:
            continue
        key, small = _describe(read_frames(root, clip)[0])
        for other, known in groups[key]:
            difference = float(np.abs(known - small).mean())
            if other.split != clip.split and difference <= LARGEST_DIFFERENCE:
                said = f"the same image as {other.clip} of split {other.split}"
                noted.append(
                    Fault(clip.clip, clip.subject, "noted", f"{said} (split {clip.split})")
                )
                break
        groups[key].append((clip, small))
    return noted


def _describe(image: NDArray[np.uint8]) -> tuple[bytes, NDArray[np.float32]]:
    """Return a coarse pattern, and the image at 32 x 32 without its mean."""
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    small = cv2.resize(grey, (32, 32), interpolation=cv2.INTER_AREA).astype(np.float32)
    coarse = cv2.resize(small, (5, 4), interpolation=cv2.INTER_AREA)
    return np.packbits(coarse[:, 1:] > coarse[:, :-1]).tobytes(), small - small.mean()

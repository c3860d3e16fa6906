"""Reads one image file, and the frame number in its name."""

import os
import re
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from merec_hpc.errors import MerecError

IMAGE_SUFFIXES = frozenset({".bmp", ".jpg", ".jpeg", ".png", ".pgm", ".tif", ".tiff"})
_LAST_NUMBER = re.compile(r"(\d+)\D*$")


def read_image(path: Path) -> NDArray[np.uint8]:
    """Return one image, (h, w, 3), RGB.

    Raises
    ------
    MerecError
        If the file does not decode.
    """
    # Decoding bytes read by us: cv2.imread writes its own warnings to standard error.
    encoded = np.fromfile(path, np.uint8)
    image = cv2.imdecode(encoded, cv2.IMREAD_COLOR_RGB) if encoded.size else None
    if image is None:
        msg = f"{path}: expected an image, found {encoded.size} bytes that do not decode"
        raise MerecError(msg)
    return np.asarray(image, np.uint8)


def frame_number(path: Path) -> int | None:
    """Return the last number in a file's name: names hold other digits before it."""
    return _last_number(path.stem)


def _last_number(stem: str) -> int | None:
    found = _LAST_NUMBER.search(stem)
    return int(found.group(1)) if found else None


def numbered_images(folder: Path) -> dict[int, Path]:
    """Return the images of a folder by frame number; other files are not frames.

    Raises
    ------
    MerecError
        If there is no such folder, no such image in it, or two carry the same number.
    """
    if not folder.is_dir():
        found = "one file of another kind" if folder.exists() else "nothing"
        msg = f"{folder}: expected a folder of frames or a video, found {found}"
        raise MerecError(msg)
    numbered: dict[int, Path] = {}
    # Texts: paths take twenty times as long, more than it takes to warp the images.
    for name in sorted(os.listdir(folder)):  # noqa: PTH208
        stem, suffix = os.path.splitext(name)  # noqa: PTH122
        number = _last_number(stem)
        is_hidden = name.startswith(".")  # macOS leaves a ._1.png beside each 1.png
        if suffix.lower() not in IMAGE_SUFFIXES or number is None or is_hidden:
            continue
        if number in numbered:
            msg = f"{folder}: one file per frame expected, {numbered[number].name} and {name}"
            raise MerecError(msg)
        numbered[number] = folder / name
    if not numbered:
        msg = f"{folder}: expected numbered images, found none"
        raise MerecError(msg)
    return numbered

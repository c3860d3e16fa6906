"""Finds the face in an image."""

from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from threading import local

import cv2
import numpy as np
from numpy.typing import NDArray

from merec_hpc.errors import MerecError

_NEIGHBOURS = (6, 3, 1)  # how many hits a box gathers: from strict to lax
_OF_THREAD = local()


@dataclass(frozen=True)
class Box:
    """A square around a face, in pixels of the image."""

    left: float
    top: float
    side: float

    @property
    def centre(self) -> tuple[float, float]:
        """The middle of the box, (x, y)."""
        return self.left + self.side / 2, self.top + self.side / 2


def detect_faces(image: NDArray[np.uint8], min_fraction: float) -> Iterator[Box]:
    """Yield candidates for the frontal face by OpenCV's Haar cascade, most likely first.

    Boxes found with more neighbours come first, and of those the larger. The cascade also
    fires on what is no face: whoever fits landmarks tells these apart, and looks no further
    than the first face.

    Parameters
    ----------
    image
        Shape (h, w, 3), RGB.
    min_fraction
        Smallest side of a face, as a fraction of the image's shorter side.

    Raises
    ------
    MerecError
        If there is no candidate.

    References
    ----------
    Viola, Jones: Rapid object detection using a boosted cascade of simple features,
    CVPR 2001, doi:10.1109/CVPR.2001.990517.
    """
    grey = cv2.equalizeHist(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY))
    smallest = max(24, round(min_fraction * min(grey.shape)))
    known: set[Box] = set()
    for n_neighbours in _NEIGHBOURS:
        found = _cascade().detectMultiScale(
            grey, scaleFactor=1.05, minNeighbors=n_neighbours, minSize=(smallest, smallest)
        )
        boxes = [Box(float(left), float(top), float(side)) for left, top, side, _ in found]
        for box in sorted(boxes, key=lambda box: -box.side):
            if box not in known:
                known.add(box)
                yield box
    if not known:
        msg = f"no face of at least {smallest} pixels in an image of {image.shape[1]}x{len(image)}"
        raise MerecError(msg)


def _cascade() -> cv2.CascadeClassifier:
    """Return the thread's own cascade: one must not be used by two at a time."""
    if not hasattr(_OF_THREAD, "cascade"):
        file = files("cv2.data").joinpath("haarcascade_frontalface_default.xml")
        _OF_THREAD.cascade = cv2.CascadeClassifier(str(file))
    cascade: cv2.CascadeClassifier = _OF_THREAD.cascade
    return cascade

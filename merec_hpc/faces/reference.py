"""The reference face: where the eyes and the nose of every registered face come to lie."""

from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from merec_hpc.config import FaceSettings

# Eye corners and the ridge and base of the nose: points that expressions hardly move.
STABLE_POINTS = np.array([*range(27, 36), 36, 39, 42, 45])
_LEFT_EYE, _RIGHT_EYE = np.arange(36, 42), np.arange(42, 48)  # as seen in the image


def reference_landmarks(settings: FaceSettings) -> NDArray[np.float64]:
    """Return the 68 landmarks of the reference face, shape (68, 2), in pixels of the crop.

    The shape is the mean of a frontal face's landmarks and their mirror image. It is scaled
    so that the middles of the eyes are ``interocular_fraction`` of the crop apart, in the
    row ``eye_row_fraction`` from the top, left and right of its middle.
    """
    text = files("merec_hpc.faces").joinpath("reference_face.csv").read_text()
    shape = np.loadtxt(text.splitlines(), delimiter=",", skiprows=1)  # eyes at (-0.5, 0), (0.5, 0)
    scale = settings.interocular_fraction * settings.size_px
    middle = np.array([0.5, settings.eye_row_fraction]) * settings.size_px
    return np.asarray(shape * scale + middle, np.float64)


def interocular_distance(landmarks: NDArray[np.floating]) -> float:
    """Return the distance between the middles of the eyes, in the unit of the landmarks."""
    left, right = landmarks[_LEFT_EYE].mean(axis=0), landmarks[_RIGHT_EYE].mean(axis=0)
    return float(np.linalg.norm(right - left))

"""The reference face: where the eyes and the nose of every registered face come to lie."""

from collections.abc import Iterable
from importlib.resources import files
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from merec_hpc.config.faces import FaceSettings
from merec_hpc.errors import MerecError

# Eye corners and the ridge and base of the nose: points that expressions hardly move.
STABLE_POINTS = np.array([*range(27, 36), 36, 39, 42, 45])
# Each point's mirror image.
MIRRORED = np.array(
    [
        *range(16, -1, -1),
        *range(26, 16, -1),
        *range(27, 31),
        *range(35, 30, -1),
        *(45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40),
        *range(54, 47, -1),
        *range(59, 54, -1),
        *range(64, 59, -1),
        *range(67, 64, -1),
    ]
)
_LEFT_EYE, _RIGHT_EYE = np.arange(36, 42), np.arange(42, 48)  # as seen in the image


def reference_landmarks(settings: FaceSettings) -> NDArray[np.float64]:
    """Return the 68 landmarks of the reference face, shape (68, 2), in pixels of the crop.

    The shape is the mean of a frontal face's landmarks and their mirror image. With ``crop:
    eyes`` it is scaled so that the middles of the eyes are ``interocular_fraction`` of the crop
    apart, in the row ``eye_row_fraction`` from the top, left and right of its middle; with
    ``crop: shape`` the box around all landmarks lies in the middle, and its larger side is
    ``shape_fraction`` of the crop.
    """
    if settings.reference is None:
        text = files("merec_hpc.faces").joinpath("reference_face.csv").read_text()
        shape = np.loadtxt(text.splitlines(), delimiter=",", skiprows=1)
    else:
        shape = normalised_shape(_read_points(settings.reference))
    if settings.crop == "shape":
        low, high = shape.min(axis=0), shape.max(axis=0)
        scale = settings.shape_fraction * settings.size_px / float((high - low).max())
        return np.asarray((shape - (low + high) / 2) * scale + settings.size_px / 2, np.float64)
    scale = settings.interocular_fraction * settings.size_px
    middle = np.array([0.5, settings.eye_row_fraction]) * settings.size_px
    return np.asarray(shape * scale + middle, np.float64)


def normalised_shape(points: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return 68 points with the middles of the eyes at (-0.5, 0) and (0.5, 0)."""
    left, right = points[_LEFT_EYE].mean(axis=0), points[_RIGHT_EYE].mean(axis=0)
    across = right - left
    turn = np.array([[across[0], across[1]], [-across[1], across[0]]]) / (across**2).sum()
    return np.asarray((points - (left + right) / 2) @ turn.T, np.float64)


def mean_shape(faces: Iterable[NDArray[np.floating]]) -> NDArray[np.float64]:
    """Return the mean of faces' landmarks and their mirror images, normalised, (68, 2).

    Each face counts by its shape alone: not by where in an image it was, how large or how tilted.
    """
    shapes = np.stack([normalised_shape(face) for face in faces])
    mirrored = shapes[:, MIRRORED] * [-1, 1]
    return normalised_shape(np.concatenate([shapes, mirrored]).mean(axis=0))


def _read_points(path: Path) -> NDArray[np.float64]:
    """Read 68 rows of x and y, below a header."""
    try:
        points = np.loadtxt(path, delimiter=",", skiprows=1, ndmin=2)
    except (OSError, ValueError) as error:
        msg = f"{path}: a table of 68 points expected, found: {str(error).splitlines()[0]}"
        raise MerecError(msg) from None
    if points.shape != (68, 2):
        msg = f"{path}: 68 rows of x and y expected, found {points.shape[0]} of {points.shape[1]}"
        raise MerecError(msg)
    return points


def interocular_distance(landmarks: NDArray[np.floating]) -> float:
    """Return the distance between the middles of the eyes, in the unit of the landmarks."""
    left, right = landmarks[_LEFT_EYE].mean(axis=0), landmarks[_RIGHT_EYE].mean(axis=0)
    return float(np.linalg.norm(right - left))

"""Registers the frames of a clip onto the reference face."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from merec_hpc.config import FaceSettings
from merec_hpc.errors import MerecError
from merec_hpc.faces.detection import Box, detect_faces
from merec_hpc.faces.landmarks import LandmarkEngine
from merec_hpc.faces.reference import STABLE_POINTS, reference_landmarks
from merec_hpc.faces.warps import Affine, fit_similarity, warp_image


@dataclass(frozen=True)
class RegisteredClip:
    """A clip on the reference face, and how it got there."""

    frames: NDArray[np.uint8]  # (n_frames, size, size, 3), RGB
    landmarks: NDArray[np.float32]  # (n_frames, 68, 2), pixels of the registered frame
    box: Box  # of the face in the first frame, as filmed
    first_landmarks: NDArray[np.float32]  # (68, 2), of the first frame, as filmed


def register_clip(
    frames: NDArray[np.uint8], engine: LandmarkEngine, settings: FaceSettings
) -> RegisteredClip:
    """Register a clip onto the reference face by similarities.

    The map is fitted to the eye corners and the nose, which expressions hardly move. With
    ``registration: first_frame`` the face is detected and fitted on the first frame, and the
    same map is applied to every frame: fitting each frame adds jitter as large as a
    micro-expression. ``each_frame`` is for images that were not filmed in one go.

    Parameters
    ----------
    frames
        Shape (n_frames, h, w, 3), RGB.

    Raises
    ------
    MerecError
        If there is no face in a frame that is fitted, or no landmarks on a registered one.
    """
    reference = reference_landmarks(settings)

    def fit(frame: NDArray[np.uint8]) -> tuple[Box, NDArray[np.float32], Affine]:
        box, landmarks = find_face(frame, engine, settings.min_detection_fraction)
        return box, landmarks, fit_similarity(landmarks[STABLE_POINTS], reference[STABLE_POINTS])

    box, first_landmarks, affine = fit(frames[0])
    affines = [affine] * len(frames)
    if settings.registration == "each_frame":
        affines[1:] = [fit(frame)[2] for frame in frames[1:]]
    registered = np.stack(
        [
            warp_image(frame, affine, settings.size_px)
            for frame, affine in zip(frames, affines, strict=True)
        ]
    )
    expected = _box_around(reference)
    landmarks = np.stack([engine.fit(frame, expected) for frame in registered])
    return RegisteredClip(registered, landmarks, box, first_landmarks)


def find_face(
    image: NDArray[np.uint8], engine: LandmarkEngine, min_fraction: float
) -> tuple[Box, NDArray[np.float32]]:
    """Return the first candidate box in which the landmark engine sees a face, and its fit.

    Raises
    ------
    MerecError
        If there is no candidate, or none in which the engine sees a face; the error of the
        most likely one.
    """
    errors: list[MerecError] = []
    for box in detect_faces(image, min_fraction):
        try:
            return box, engine.fit(image, box)
        except MerecError as error:
            errors.append(error)
    raise errors[0]


def _box_around(landmarks: NDArray[np.float64]) -> Box:
    """Return about the box that the detector would find around landmarks."""
    inner = landmarks[17:]  # without the jaw
    low, high = inner.min(axis=0), inner.max(axis=0)
    side = 1.3 * float((high - low).max())
    left, top = (low + high) / 2 - side / 2
    return Box(float(left), float(top), side)


def landmark_jitter(landmarks: NDArray[np.floating]) -> float:
    """Return the RMS motion of the landmarks from frame to frame, in pixels.

    For landmarks of shape (n_frames, 68, 2); 0 for a single frame. On a still face it is the
    noise of fit and registration; on a moving one the expression adds to it.
    """
    if len(landmarks) < 2:
        return 0.0
    steps = np.diff(landmarks, axis=0)
    return float(np.sqrt((steps**2).sum(axis=2).mean()))

"""Registers the frames of a clip onto the reference face."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from itertools import chain

import cv2
import numpy as np
from numpy.typing import NDArray

from merec_hpc.config.faces import FaceSettings
from merec_hpc.errors import MerecError
from merec_hpc.faces.detection import Box, detect_faces
from merec_hpc.faces.landmark_table import LandmarkTable
from merec_hpc.faces.landmarks import LandmarkEngine
from merec_hpc.faces.reference import STABLE_POINTS, reference_landmarks
from merec_hpc.faces.warps import (
    fit_similarity,
    local_weighted_mean_places,
    piecewise_affine_places,
    shrinking,
    warp_by_places,
    warp_image,
)
from merec_hpc.records import Frames


@dataclass(frozen=True)
class RegisteredClip:
    """A clip on the reference face, and how it got there."""

    frames: Frames
    landmarks: NDArray[np.float32]  # (n_frames, 68, 2), pixels of the registered frame: fitted
    # there if jitter was measured, else where the map has taken those that it was fitted to
    first_frame: NDArray[np.uint8]  # (h, w, 3), as filmed
    box: Box  # of the face in the first frame, as filmed
    first_landmarks: NDArray[np.float32]  # (68, 2), of the first frame, as filmed
    affines: NDArray[np.float64]  # (n_frames, 2, 3), similarities of eyes and nose, as applied
    jitter_px: float  # RMS motion of the landmarks from frame to frame; NaN if not measured


def register_clip(
    frames: Iterable[NDArray[np.uint8]],
    source: LandmarkEngine | LandmarkTable,
    settings: FaceSettings,
) -> RegisteredClip:
    """Register a clip onto the reference face; all registered frames are in memory."""
    registered: list[NDArray[np.uint8]] = []
    described = register_frames(frames, source, settings, registered.append)
    return replace(described, frames=np.stack(registered))


def register_frames(
    frames: Iterable[NDArray[np.uint8]],
    source: LandmarkEngine | LandmarkTable,
    settings: FaceSettings,
    keep: Callable[[NDArray[np.uint8]], None],
) -> RegisteredClip:
    """Register a clip onto the reference face, one frame after the other.

    A similarity is fitted to the eye corners and the nose, which expressions hardly move; the
    other warps take all 68 landmarks to the reference. With ``registration: first_frame`` the
    face is detected and fitted on the first frame, and the same map is applied to every frame:
    fitting each frame adds jitter as large as a micro-expression. ``each_frame`` is for images
    that were not filmed in one go.

    Parameters
    ----------
    frames
        (h, w, 3) each, RGB; one of them is in memory at a time.
    source
        An engine that fits landmarks to detected faces, or a table of landmarks.
    keep
        Takes each registered frame, (size, size, 3).

    Returns
    -------
    RegisteredClip
        What is known of the clip, without its frames.

    Raises
    ------
    MerecError
        If there is no face in a frame that is fitted, or no landmarks on a registered one, or
        a table has not as many frames as the clip.
    """
    if settings.registration == "none":
        return _resize_frames(frames, settings, keep)
    reference = reference_landmarks(settings)
    coming = iter(frames)
    first_frame = next(coming)
    box, first_landmarks = _find(first_frame, 0, source, settings)
    warp = _Warp(first_landmarks, reference, settings)
    affines: list[NDArray[np.float64]] = []
    landmarks: list[NDArray[np.floating]] = []
    for place, frame in enumerate(chain([first_frame], coming)):
        if settings.registration == "each_frame" and place:
            _, found = _find(frame, place, source, settings)
            warp = _Warp(found, reference, settings)
        registered = warp.apply(frame)
        keep(registered)
        affines.append(warp.affine)
        if settings.measure_jitter:
            landmarks.append(_landmarks_again(source, place, registered, warp, reference))
        else:
            landmarks.append(warp.landmarks)
    if isinstance(source, LandmarkTable) and len(source) != len(affines):
        msg = f"{source.path}: {len(affines)} frames, as the clip, expected, found {len(source)}"
        raise MerecError(msg)
    return RegisteredClip(
        frames=np.empty((0, settings.size_px, settings.size_px, 3), np.uint8),
        landmarks=np.stack(landmarks).astype(np.float32),
        first_frame=first_frame,
        box=box,
        first_landmarks=first_landmarks,
        affines=np.stack(affines),
        jitter_px=landmark_jitter(np.stack(landmarks)) if settings.measure_jitter else float("nan"),
    )


def _resize_frames(
    frames: Iterable[NDArray[np.uint8]],
    settings: FaceSettings,
    keep: Callable[[NDArray[np.uint8]], None],
) -> RegisteredClip:
    """Bring whole images to the size of a registered face; nothing is looked for in them."""
    size = settings.size_px
    first_frame, affines = None, []
    for frame in frames:
        first_frame = frame if first_frame is None else first_frame
        scale = np.array([size / frame.shape[1], size / frame.shape[0]])
        kind = cv2.INTER_AREA if scale.min() < 1 else cv2.INTER_LINEAR
        keep(np.asarray(cv2.resize(frame, (size, size), interpolation=kind), np.uint8))
        # Middles of pixels, as the warps map them.
        affines.append(np.column_stack([np.diag(scale), (scale - 1) / 2]))
    assert first_frame is not None
    nowhere = np.full((len(affines), 68, 2), np.nan, np.float32)
    return RegisteredClip(
        frames=np.empty((0, size, size, 3), np.uint8),
        landmarks=nowhere,
        first_frame=first_frame,
        box=Box(0.0, 0.0, float(min(first_frame.shape[:2]))),
        first_landmarks=nowhere[0],
        affines=np.stack(affines),
        jitter_px=float("nan"),
    )


class _Warp:
    """The map of a face onto the reference."""

    def __init__(
        self,
        landmarks: NDArray[np.floating],
        reference: NDArray[np.float64],
        settings: FaceSettings,
    ) -> None:
        self.affine = fit_similarity(landmarks[STABLE_POINTS], reference[STABLE_POINTS])
        self._size = settings.size_px
        self._places: NDArray[np.float32] | None = None
        self.landmarks = landmarks @ self.affine[:, :2].T + self.affine[:, 2]
        if settings.warp == "local_weighted_mean":
            self._places = local_weighted_mean_places(landmarks, reference, self._size)
            self.landmarks = reference
        elif settings.warp == "piecewise_affine":
            self._places = piecewise_affine_places(landmarks, reference, self._size)
            self.landmarks = reference

    def apply(self, frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return the frame on the reference face."""
        if self._places is None:
            return warp_image(frame, self.affine, self._size)
        return warp_by_places(frame, self._places, shrinking(self.affine))


def _find(
    frame: NDArray[np.uint8],
    place: int,
    source: LandmarkEngine | LandmarkTable,
    settings: FaceSettings,
) -> tuple[Box, NDArray[np.float32]]:
    if isinstance(source, LandmarkTable):
        return source.of_frame(place)
    return find_face(frame, source, settings.min_detection_fraction)


def _landmarks_again(
    source: LandmarkEngine | LandmarkTable,
    place: int,
    registered: NDArray[np.uint8],
    warp: _Warp,
    reference: NDArray[np.float64],
) -> NDArray[np.floating]:
    """Return the landmarks of a registered frame: fitted there, or a table's, mapped there."""
    if isinstance(source, LandmarkTable):
        points = source.of_frame(place)[1]
        return points @ warp.affine[:, :2].T + warp.affine[:, 2]
    return source.fit(registered, _box_around(reference))


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

"""Drawn faces with their landmarks and boxes, and errors of landmarks, for several tests."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from merec_hpc.faces.detection import Box
from merec_hpc.faces.reference import interocular_distance
from merec_hpc.faces.shape_training.annotations import AnnotatedFace
from merec_hpc.faces.shape_training.drawn_faces import draw_face, load_head


def drawn_faces(head: Path, n_faces: int, seed: int) -> list[AnnotatedFace]:
    """Faces with the box that the detector would find about their landmarks."""
    shape, rng = load_head(head), np.random.default_rng(seed)
    faces = []
    for _ in range(n_faces):
        grey, landmarks = draw_face(shape, rng)
        side = interocular_distance(landmarks) / 0.35
        left, top = landmarks[36:48].mean(axis=0) - np.array([0.496, 0.414]) * side
        image = np.repeat(grey[..., None], 3, axis=2)
        faces.append(AnnotatedFace(image, landmarks, Box(float(left), float(top), side)))
    return faces


def percent(found: NDArray[np.floating], exact: NDArray[np.floating]) -> float:
    """Mean distance of landmarks, in percent of the distance between the eyes."""
    return 100 * float(np.linalg.norm(found - exact, axis=1).mean()) / interocular_distance(exact)

"""Finds images with 68 annotated landmarks below a folder, to train a shape model on.

Three layouts are known: an iBUG ``.pts`` file beside each image (300-W, drawn faces), CK+'s
``*_landmarks.txt`` anywhere below the folder, and the simulated dataset's ``landmarks.csv``.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from merec_hpc.dataset.images import IMAGE_SUFFIXES, frame_number, read_image
from merec_hpc.dataset.simulated import read_landmarks
from merec_hpc.errors import MerecError
from merec_hpc.faces.detection import Box, detect_faces
from merec_hpc.faces.reference import interocular_distance
from merec_hpc.files.atomic import published

_CKPLUS_ENDING = "_landmarks.txt"
# A box is that of the annotated face if its middle is at most so far from the eyes' (in distances
# between them; boxes reach down to the chin), and its side within this range.
_FROM_EYES = 0.8
_SIDES = (1.6, 4.2)


@dataclass(frozen=True)
class AnnotatedFace:
    """An image, the landmarks of its face, and the box that a detector finds."""

    image: NDArray[np.uint8]  # (h, w, 3), RGB
    landmarks: NDArray[np.float64]  # (68, 2), pixels, (x, y)
    box: Box


def annotated_images(root: Path) -> list[tuple[Path, NDArray[np.float64]]]:
    """Return the images below a folder that have landmarks, and these, (68, 2); sorted.

    Raises
    ------
    MerecError
        If there are none, an image is missing, or a file of landmarks is broken.
    """
    found = [*_beside_images(root), *_ckplus(root), *_simulated(root)]
    if not found:
        msg = f"{root}: images with .pts, *{_CKPLUS_ENDING} or landmarks.csv expected, found none"
        raise MerecError(msg)
    return sorted(found, key=lambda pair: pair[0])


def find_annotated_face(path: Path, landmarks: NDArray[np.float64]) -> AnnotatedFace | None:
    """Read an image and find the box of its annotated face; None if no detected box fits."""
    image = read_image(path)
    middle, distance = landmarks[36:48].mean(axis=0), interocular_distance(landmarks)
    low, high = _SIDES
    try:
        for box in detect_faces(image, 0.15):
            away = float(np.linalg.norm(np.array(box.centre) - middle)) / distance
            if away < _FROM_EYES and low < box.side / distance < high:
                return AnnotatedFace(image, landmarks, box)
    except MerecError:
        return None
    return None


def write_points(path: Path, landmarks: NDArray[np.floating]) -> None:
    """Write 68 landmarks as iBUG's .pts, which counts pixels from 1."""
    rows = [f"{x + 1:.3f} {y + 1:.3f}" for x, y in landmarks]
    text = "\n".join(["version: 1", f"n_points: {len(rows)}", "{", *rows, "}"]) + "\n"
    with published(path) as partial:
        partial.write_text(text, encoding="ascii")


def _beside_images(root: Path) -> Iterator[tuple[Path, NDArray[np.float64]]]:
    for path in root.rglob("*.pts"):
        images = [
            other
            for other in path.parent.glob(f"{path.stem}.*")
            if other.suffix.lower() in IMAGE_SUFFIXES
        ]
        if len(images) != 1:
            msg = f"{path}: one image of the same name beside it expected, found {len(images)}"
            raise MerecError(msg)
        yield images[0], _read_points(path, path.read_text(errors="replace")) - 1


def _ckplus(root: Path) -> Iterator[tuple[Path, NDArray[np.float64]]]:
    tables = list(root.rglob(f"*{_CKPLUS_ENDING}"))
    if not tables:
        return
    images = {path.stem: path for path in root.rglob("*") if path.suffix.lower() in IMAGE_SUFFIXES}
    for path in tables:
        name = path.name.removesuffix(_CKPLUS_ENDING)
        if name not in images:
            msg = f"{path}: an image {name} below {root} expected, found none"
            raise MerecError(msg)
        yield images[name], _read_points(path, path.read_text(errors="replace"))


def _simulated(root: Path) -> Iterator[tuple[Path, NDArray[np.float64]]]:
    for path in root.rglob("landmarks.csv"):
        images = {
            frame_number(image): image
            for image in path.parent.iterdir()
            if image.suffix.lower() in IMAGE_SUFFIXES
        }
        numbers, landmarks = read_landmarks(path)
        for number, points in zip(numbers.tolist(), landmarks, strict=True):
            if number not in images:
                msg = f"{path}: an image numbered {number} beside it expected, found none"
                raise MerecError(msg)
            yield images[number], points


def _read_points(path: Path, text: str) -> NDArray[np.float64]:
    """Read 68 pairs of numbers, between braces if there are any."""
    inner = text.split("{", 1)[-1].split("}", 1)[0]
    try:
        points = np.array(inner.split(), np.float64)
    except ValueError:
        points = np.empty(0)
    if points.shape != (136,) or not np.isfinite(points).all():
        msg = f"{path}: x and y of 68 points expected, found {len(inner.split())} values"
        raise MerecError(msg)
    return points.reshape(68, 2)

"""Writes and reads the registered faces of one subject."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from merec_hpc.arrays import Faces, Text
from merec_hpc.config import FaceSettings, to_json
from merec_hpc.store.schema import FACES, opened_store, read_array, write_store


def write_faces(path: Path, faces: Faces, settings: FaceSettings, weights_sha256: str) -> None:
    """Write the registered clips of a subject."""
    attributes = {"settings": to_json(settings), "weights_sha256": weights_sha256}
    write_store(path, FACES, vars(faces), attributes)


def read_face_index(path: Path) -> tuple[Text, Text, NDArray[np.float32]]:
    """Return the clips' names, labels and jitter in pixels."""
    with opened_store(path, FACES) as file:
        return (
            read_array(file, FACES, "clips"),
            read_array(file, FACES, "labels"),
            read_array(file, FACES, "jitter_px"),
        )


def iterate_faces(path: Path) -> Iterator[NDArray[np.uint8]]:
    """Yield the registered frames of each clip, (n_frames, size, size, 3), one at a time."""
    with opened_store(path, FACES) as file:
        starts = read_array(file, FACES, "starts")
        for first, last in itertools.pairwise(starts):
            yield np.asarray(file["frames"][first:last])


def read_face_landmarks(path: Path) -> list[NDArray[np.float32]]:
    """Return the landmarks of each clip, (n_frames, 68, 2), pixels of the registered face."""
    with opened_store(path, FACES) as file:
        landmarks = read_array(file, FACES, "landmarks")
        starts = read_array(file, FACES, "starts")
    return [landmarks[first:last] for first, last in itertools.pairwise(starts)]

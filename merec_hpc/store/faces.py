"""Writes and reads the registered faces of one subject, frame by frame: clips may be long."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from merec_hpc.clips.face_clip import FaceClip
from merec_hpc.clips.interpolation import BLOCK
from merec_hpc.config.base import to_json
from merec_hpc.config.faces import FaceSettings
from merec_hpc.errors import MerecError
from merec_hpc.records import TILE_PX, Text
from merec_hpc.store.schema import (
    FACES,
    opened_store,
    read_array,
    write_arrays,
    written_store,
)

DETECTION_SHAPE = (TILE_PX, TILE_PX, 3)


class StoredFrames:
    """The registered frames of one clip in an open file."""

    def __init__(self, frames: h5py.Dataset, first: int, last: int) -> None:
        self._frames, self._first, self._last = frames, first, last

    def __len__(self) -> int:
        """Return the number of frames."""
        return self._last - self._first

    def __getitem__(self, place: int) -> NDArray[np.uint8]:
        """Return a frame, (size, size, 3), by its place from 0."""
        if not 0 <= place < len(self):
            raise IndexError(place)
        return np.asarray(self._frames[self._first + place], np.uint8)


class FaceWriter:
    """Takes the registered frames of a subject as they come."""

    def __init__(self, file: h5py.File, size_px: int) -> None:
        shape = (0, size_px, size_px, 3)
        self._frames = file.create_dataset(
            "frames", shape, np.uint8, maxshape=(None, *shape[1:]), chunks=(1, *shape[1:])
        )
        # Mostly black or smooth: beside images of one frame they would take half as much again.
        self._detections = file.create_dataset(
            "detections",
            (0, *DETECTION_SHAPE),
            np.uint8,
            maxshape=(None, *DETECTION_SHAPE),
            chunks=(1, *DETECTION_SHAPE),
            compression="gzip",
        )
        self._waiting: list[NDArray[np.uint8]] = []
        self._starts = [0]
        self._landmarks: list[NDArray[np.float32]] = [np.empty((0, 68, 2), np.float32)]
        self._affines: list[NDArray[np.float64]] = [np.empty((0, 2, 3))]
        self._numbers: list[int] = []
        self._clips: list[tuple[str, float, tuple[int, int]]] = []

    def add(self, frame: NDArray[np.uint8]) -> None:
        """Append a frame, (size, size, 3), to the clip that has been begun."""
        self._waiting.append(frame)
        if len(self._waiting) == BLOCK:
            self._write()

    def end_clip(
        self,
        clip: str,
        landmarks: NDArray[np.float32],
        jitter_px: float,
        detection: NDArray[np.uint8],
        affines: NDArray[np.float64],
        filmed: tuple[int, int],
        numbers: Sequence[int],
    ) -> None:
        """Close a clip, with a picture of its first frame.

        Parameters
        ----------
        landmarks
            (n_frames, 68, 2), pixels of the registered face.
        affines
            (n_frames, 2, 3), the similarities that took the frames there.
        filmed
            Height and width of the frames.
        numbers
            Of the frames, as onset and apex count them.
        """
        self._write()
        self._detections.resize(len(self._detections) + 1, axis=0)
        self._detections[-1] = detection
        self._starts.append(len(self._frames))
        self._landmarks.append(landmarks)
        self._affines.append(affines)
        self._numbers += numbers
        self._clips.append((clip, jitter_px, filmed))

    def drop_clip(self) -> None:
        """Forget the frames of a clip that is left out."""
        self._waiting.clear()
        self._frames.resize(self._starts[-1], axis=0)

    def arrays(self) -> dict[str, object]:
        """Return what the file holds beside the frames."""
        return {
            "landmarks": np.concatenate(self._landmarks),
            "starts": np.array(self._starts, np.int64),
            "clips": np.array([clip for clip, _, _ in self._clips], np.str_),
            "jitter_px": np.array([jitter for _, jitter, _ in self._clips], np.float32),
            "numbers": np.array(self._numbers, np.int64),
            "affines": np.concatenate(self._affines),
            "sizes": np.array([size for _, _, size in self._clips], np.int64).reshape(-1, 2),
        }

    def _write(self) -> None:
        if self._waiting:
            before = len(self._frames)
            self._frames.resize(before + len(self._waiting), axis=0)
            self._frames[before:] = np.stack(self._waiting)
            self._waiting.clear()


@contextmanager
def written_faces(path: Path, settings: FaceSettings, weights_sha256: str) -> Iterator[FaceWriter]:
    """Write the registered clips of a subject; the name appears when all is written."""
    attributes = {"settings": to_json(settings), "weights_sha256": weights_sha256}
    with written_store(path, FACES, attributes) as file:
        writer = FaceWriter(file, settings.size_px)
        yield writer
        write_arrays(file, FACES, writer.arrays())


def read_face_index(path: Path) -> tuple[Text, NDArray[np.float32]]:
    """Return the clips' names and jitter in pixels."""
    with opened_store(path, FACES) as file:
        return read_array(file, FACES, "clips"), read_array(file, FACES, "jitter_px")


def iterate_faces(path: Path) -> Iterator[StoredFrames]:
    """Yield the registered frames of each clip, to be read before the next is asked for."""
    with opened_store(path, FACES) as file:
        starts = read_array(file, FACES, "starts").tolist()
        for first, last in itertools.pairwise(starts):
            yield StoredFrames(file["frames"], first, last)


def read_frame_numbers(path: Path) -> dict[str, list[int]]:
    """Return the numbers of each clip's frames, as onset and apex count them.

    Raises
    ------
    MerecError
        If the file is of a version before 3, which has none: an apex could not be found in it.
    """
    with opened_store(path, FACES) as file:
        if "numbers" not in file:
            msg = (
                f"{path}: faces of version {FACES.version} expected, with the numbers of their "
                f"frames, found version {file.attrs['version']}: delete the file to have it made again"
            )
            raise MerecError(msg)
        names = read_array(file, FACES, "clips").tolist()
        starts = read_array(file, FACES, "starts")
        known = read_array(file, FACES, "numbers")
    edges = itertools.pairwise(starts.tolist())
    return {
        name: known[first:last].tolist() for name, (first, last) in zip(names, edges, strict=True)
    }


def iterate_face_clips(
    path: Path, apexes: Mapping[str, int], n_interpolated: int
) -> Iterator[FaceClip]:
    """Yield each clip as features are extracted from it, to be used before the next is asked for.

    Parameters
    ----------
    apexes
        Number of the apex of each clip, by its name.
    n_interpolated
        Frames that interpolation makes of a clip.

    Raises
    ------
    MerecError
        As ``read_frame_numbers``, or if a clip has no apex there, or one that is no frame of it.
    """
    numbers = read_frame_numbers(path)
    landmarks = read_face_landmarks(path)
    with opened_store(path, FACES) as file:
        starts = read_array(file, FACES, "starts").tolist()
        affines = read_array(file, FACES, "affines")
        sizes = read_array(file, FACES, "sizes").tolist()
        edges = itertools.pairwise(starts)
        for place, ((first, last), (name, own)) in enumerate(
            zip(edges, numbers.items(), strict=True)
        ):
            if apexes.get(name) not in own:
                found = apexes.get(name, "none")
                msg = f"{path}: an apex of frames {own[0]} to {own[-1]} of clip '{name}' expected, found {found}"
                raise MerecError(msg)
            yield FaceClip(
                name,
                StoredFrames(file["frames"], first, last),
                landmarks[place],
                own.index(apexes[name]),
                n_interpolated,
                affines[first:last],
                (sizes[place][0], sizes[place][1]),
            )


def iterate_detections(path: Path) -> Iterator[NDArray[np.uint8] | None]:
    """Yield the picture of each clip's first frame; ``None`` from a file of version 1."""
    with opened_store(path, FACES) as file:
        for place in range(len(file["clips"])):
            yield np.asarray(file["detections"][place]) if "detections" in file else None


def read_face_landmarks(path: Path) -> list[NDArray[np.float32]]:
    """Return the landmarks of each clip, (n_frames, 68, 2), pixels of the registered face."""
    with opened_store(path, FACES) as file:
        landmarks = read_array(file, FACES, "landmarks")
        starts = read_array(file, FACES, "starts")
    return [landmarks[first:last] for first, last in itertools.pairwise(starts)]

"""Writes and reads the registered faces of one subject, frame by frame: clips may be long."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from merec_hpc.clips.face_clip import FaceClip
from merec_hpc.clips.interpolation import BLOCK
from merec_hpc.clips.mean_face import MeanFace
from merec_hpc.config.base import to_json
from merec_hpc.config.faces import FaceSettings
from merec_hpc.errors import MerecError
from merec_hpc.records import TILE_PX, Text
from merec_hpc.store.reading import Store, opened_store
from merec_hpc.store.schema import FACES
from merec_hpc.store.writing import StoreWriter, written_store

DETECTION_SHAPE = (TILE_PX, TILE_PX, 3)


class StoredFrames:
    """The registered frames of one clip in an open file."""

    def __init__(self, store: Store, first: int, last: int) -> None:
        self._store, self._first, self._last = store, first, last

    def __len__(self) -> int:
        """Return the number of frames."""
        return self._last - self._first

    def __getitem__(self, place: int) -> NDArray[np.uint8]:
        """Return a frame, (size, size, 3), by its place from 0."""
        if not 0 <= place < len(self):
            raise IndexError(place)
        return self._store.row("frames", self._first + place)


class FaceWriter:
    """Takes the registered frames of a subject as they come."""

    def __init__(self, store: StoreWriter, size_px: int) -> None:
        self._store = store
        self._frames = store.rows("frames", (size_px, size_px, 3), np.uint8)
        # Mostly black or smooth: beside images of one frame they would take half as much again.
        self._detections = store.rows("detections", DETECTION_SHAPE, np.uint8, gzip=4)
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
        self._detections.append(detection[None])
        self._starts.append(len(self._frames))
        self._landmarks.append(landmarks)
        self._affines.append(affines)
        self._numbers += numbers
        self._clips.append((clip, jitter_px, filmed))

    def drop_clip(self) -> None:
        """Forget the frames of a clip that is left out."""
        self._waiting.clear()
        self._frames.cut(self._starts[-1])

    def end(self) -> None:
        """Write what the file holds beside the frames."""
        arrays = {
            "landmarks": np.concatenate(self._landmarks),
            "starts": np.array(self._starts, np.int64),
            "clips": np.array([clip for clip, _, _ in self._clips], np.str_),
            "jitter_px": np.array([jitter for _, jitter, _ in self._clips], np.float32),
            "numbers": np.array(self._numbers, np.int64),
            "affines": np.concatenate(self._affines),
            "sizes": np.array([size for _, _, size in self._clips], np.int64).reshape(-1, 2),
        }
        self._store.write(arrays)

    def _write(self) -> None:
        if self._waiting:
            self._frames.append(np.stack(self._waiting))
            self._waiting.clear()


@contextmanager
def written_faces(path: Path, settings: FaceSettings, weights_sha256: str) -> Iterator[FaceWriter]:
    """Write the registered clips of a subject; the name appears when all is written."""
    attributes = {"settings": to_json(settings), "weights_sha256": weights_sha256}
    with written_store(path, FACES, attributes) as store:
        writer = FaceWriter(store, settings.size_px)
        yield writer
        writer.end()


def read_face_index(path: Path) -> tuple[Text, NDArray[np.float32]]:
    """Return the clips' names and jitter in pixels."""
    with opened_store(path, FACES) as store:
        return store.array("clips"), store.array("jitter_px")


def iterate_faces(path: Path) -> Iterator[StoredFrames]:
    """Yield the registered frames of each clip, to be read before the next is asked for."""
    with opened_store(path, FACES) as store:
        for first, last in _edges(store):
            yield StoredFrames(store, first, last)


def read_frame_numbers(path: Path) -> dict[str, list[int]]:
    """Return the numbers of each clip's frames, as onset and apex count them.

    Raises
    ------
    MerecError
        If the file is of a version before 3, which has none: an apex could not be found in it.
    """
    with opened_store(path, FACES) as store:
        if "numbers" not in store:
            msg = (
                f"{path}: faces of version {FACES.version} expected, with the numbers of their "
                f"frames, found version {store.version}: delete the file to have it made again"
            )
            raise MerecError(msg)
        names = store.array("clips").tolist()
        edges = _edges(store)
        known = store.array("numbers")
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
    with opened_store(path, FACES) as store:
        edges = _edges(store)
        affines = store.array("affines")
        sizes = store.array("sizes").tolist()
        clips = [StoredFrames(store, first, last) for first, last in edges]
        subject = MeanFace(clips, n_interpolated)
        for place, ((first, last), (name, own)) in enumerate(
            zip(edges, numbers.items(), strict=True)
        ):
            if apexes.get(name) not in own:
                found = apexes.get(name, "none")
                msg = f"{path}: an apex of frames {own[0]} to {own[-1]} of clip '{name}' expected, found {found}"
                raise MerecError(msg)
            yield FaceClip(
                name,
                clips[place],
                landmarks[place],
                own.index(apexes[name]),
                n_interpolated,
                affines[first:last],
                (sizes[place][0], sizes[place][1]),
                subject,
            )


def iterate_detections(path: Path) -> Iterator[NDArray[np.uint8] | None]:
    """Yield the picture of each clip's first frame; ``None`` from a file of version 1."""
    with opened_store(path, FACES) as store:
        for place in range(store.length("clips")):
            yield store.row("detections", place) if "detections" in store else None


def read_face_landmarks(path: Path) -> list[NDArray[np.float32]]:
    """Return the landmarks of each clip, (n_frames, 68, 2), pixels of the registered face."""
    with opened_store(path, FACES) as store:
        landmarks = store.array("landmarks")
        return [landmarks[first:last] for first, last in _edges(store)]


def _edges(store: Store) -> list[tuple[int, int]]:
    """Return where the frames of each clip begin and end.

    Raises
    ------
    MerecError
        If they are not all frames, one clip after the other.
    """
    starts = store.array("starts").tolist()
    n_clips, n_frames = store.length("clips"), store.length("frames")
    if (
        len(starts) != n_clips + 1
        or starts != sorted(starts)
        or (starts[0], starts[-1]) != (0, n_frames)
    ):
        msg = (
            f"{store.path}:starts: {n_clips + 1} numbers that rise from 0 to {n_frames} expected, "
            f"found {len(starts)} others"
        )
        raise MerecError(msg)
    return list(itertools.pairwise(starts))

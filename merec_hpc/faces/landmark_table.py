"""Landmarks of a clip that another program has fitted, in OpenFace's table.

One row a frame, with columns ``frame`` (from 1), ``x_0`` .. ``x_67`` and ``y_0`` .. ``y_67`` in
pixels and, if they are there, ``confidence`` and ``success``. Of several faces in a frame the one
of the highest confidence counts. Baltrusaitis et al.: OpenFace 2.0, FG 2018,
doi:10.1109/FG.2018.00019.
"""

import csv
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from merec_hpc.errors import MerecError
from merec_hpc.faces.detection import Box

_COLUMNS = [f"{axis}_{point}" for point in range(68) for axis in "xy"]


class LandmarkTable:
    """The landmarks of the frames of one clip."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._frames = _read(path)

    def __len__(self) -> int:
        """Return how many frames the table knows of."""
        return max(self._frames)

    def of_frame(self, place: int) -> tuple[Box, NDArray[np.float32]]:
        """Return box and landmarks, (68, 2), of a frame of the clip, counted from 0.

        Raises
        ------
        MerecError
            If there is no row of that frame, or the landmarks were not found in it.
        """
        landmarks = self._frames.get(place + 1)
        if landmarks is None:
            msg = f"{self.path}: landmarks of frame {place + 1} expected, found none"
            raise MerecError(msg)
        low, high = landmarks.min(axis=0), landmarks.max(axis=0)
        side = float((high - low).max())
        left, top = (low + high) / 2 - side / 2
        return Box(float(left), float(top), side), landmarks


def _read(path: Path) -> dict[int, NDArray[np.float32]]:
    """Return landmarks by frame number, of the most certain face of each frame."""
    found: dict[int, tuple[float, NDArray[np.float32]]] = {}
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = csv.reader(file, skipinitialspace=True)
            header = [name.strip() for name in next(rows, [])]
            missing = [name for name in ("frame", *_COLUMNS) if name not in header]
            if missing:
                msg = f"{path}: OpenFace's column {missing[0]} expected, found {header[:4]}..."
                raise MerecError(msg)
            for line, row in enumerate(rows, start=2):
                try:
                    value = dict(zip(header, map(float, row), strict=True))
                except ValueError as error:
                    msg = f"{path}, line {line}: {len(header)} numbers expected, found: {error}"
                    raise MerecError(msg) from None
                number, confidence = int(value["frame"]), value.get("confidence", 1.0)
                if not value.get("success", 1.0):
                    continue
                if number not in found or confidence > found[number][0]:
                    points = np.array([value[name] for name in _COLUMNS], np.float32)
                    found[number] = confidence, points.reshape(68, 2)
    except (OSError, UnicodeDecodeError) as error:
        msg = f"{path}: a table of landmarks expected, found: {error}"
        raise MerecError(msg) from None
    if not found:
        msg = f"{path}: landmarks of at least one frame expected, found none"
        raise MerecError(msg)
    return {number: points for number, (_, points) in found.items()}

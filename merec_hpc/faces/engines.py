"""Opens the landmark engine that the configuration names."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from merec_hpc.config.faces import FaceSettings
from merec_hpc.errors import MerecError
from merec_hpc.faces.active_shape import ActiveShape, load_model
from merec_hpc.faces.detection import Box
from merec_hpc.faces.dlib_landmarks import DlibLandmarks
from merec_hpc.faces.landmark_table import LandmarkTable
from merec_hpc.faces.landmarks import FaceMesh, LandmarkEngine


def open_engine(
    settings: FaceSettings, weights: Path | None
) -> Callable[[str], LandmarkEngine | LandmarkTable]:
    """Return what gives the landmark source of a clip, by the clip's name.

    Raises
    ------
    MerecError
        If the engine's file is missing or another.
    """
    if settings.registration == "none":
        return lambda _: _NoEngine()
    if settings.landmark_tables is not None and settings.landmarks == "table":
        return partial(_table_of, settings.landmark_tables)
    engine: LandmarkEngine
    if settings.landmarks == "active_shape":
        engine = ActiveShape(load_model(settings.shape_model))
    elif weights is None:
        msg = f"--landmark-weights expected for faces.landmarks {settings.landmarks}, found none"
        raise MerecError(msg)
    else:
        engine = (FaceMesh if settings.landmarks == "face_mesh" else DlibLandmarks)(weights)
    return lambda _: engine


def _table_of(folder: Path, clip: str) -> LandmarkTable:
    return LandmarkTable(folder / f"{clip}.csv")


class _NoEngine:
    """In place of an engine where no landmarks are asked for."""

    def fit(self, image: NDArray[np.uint8], box: Box) -> NDArray[np.float32]:
        """Refuse to fit."""
        msg = f"no landmarks expected with registration none, asked for in {image.shape}, {box}"
        raise AssertionError(msg)

"""The engine that the configuration names is the one that is opened."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from merec_hpc.config.faces import FaceSettings
from merec_hpc.errors import MerecError
from merec_hpc.faces.active_shape import ActiveShape
from merec_hpc.faces.dlib_landmarks import DlibLandmarks
from merec_hpc.faces.engines import open_engine
from merec_hpc.faces.landmarks import FaceMesh


@pytest.mark.parametrize(
    ("name", "kind"),
    [("face_mesh", FaceMesh), ("dlib", DlibLandmarks), ("active_shape", ActiveShape)],
)
def test_engine_is_the_one_that_is_named(weights: Path, name: str, kind: type) -> None:
    settings = FaceSettings(landmarks=name)  # type: ignore[arg-type]
    path = None if name == "active_shape" else weights / name
    source_of = open_engine(settings, path)
    assert isinstance(source_of("clip"), kind)
    assert source_of("clip") is source_of("other")


def test_table_is_that_of_the_clip(tmp_path: Path) -> None:
    settings = FaceSettings(landmarks="table", landmark_tables=tmp_path)
    with pytest.raises(MerecError, match=str(tmp_path / "s1_01.csv")):
        open_engine(settings, None)("s1_01")


@pytest.mark.parametrize("name", ["face_mesh", "dlib"])
def test_missing_weights_are_named(name: str) -> None:
    settings = FaceSettings(landmarks=name)  # type: ignore[arg-type]
    with pytest.raises(MerecError, match=f"--landmark-weights expected for faces.landmarks {name}"):
        open_engine(settings, None)


def test_tables_need_a_folder() -> None:
    with pytest.raises(ValidationError, match="landmark_tables, a folder of tables, expected"):
        FaceSettings(landmarks="table")


def test_jitter_of_tables_needs_a_similarity(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="warp similarity expected, found piecewise_affine"):
        FaceSettings(
            landmarks="table",
            landmark_tables=tmp_path,
            measure_jitter=True,
            warp="piecewise_affine",
        )

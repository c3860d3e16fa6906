"""dlib as a landmark engine."""

import sys
from pathlib import Path

import numpy as np
import pytest
from faces.drawn import percent
from skimage.data import astronaut

from merec_hpc.errors import MerecError
from merec_hpc.faces.detection import Box
from merec_hpc.faces.dlib_landmarks import DlibLandmarks
from merec_hpc.faces.landmarks import FaceMesh
from merec_hpc.faces.registration import find_face


def test_lands_where_the_default_engine_does(weights: Path) -> None:
    image = np.asarray(astronaut(), np.uint8)
    _, expected = find_face(image, FaceMesh(weights / "face_mesh"), 0.15)
    _, found = find_face(image, DlibLandmarks(weights / "dlib"), 0.15)
    assert found.shape == (68, 2)
    assert percent(found, expected) < 10  # two definitions of the jaw


def test_sees_no_face_beside_the_face(weights: Path) -> None:
    engine = DlibLandmarks(weights / "dlib")
    with pytest.raises(MerecError, match="dlib's detector sees no face"):
        engine.fit(np.asarray(astronaut(), np.uint8), Box(330.0, 300.0, 100.0))


def test_other_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "model").write_bytes(b"no predictor")
    with pytest.raises(MerecError, match="dlib's predictor expected, found"):
        DlibLandmarks(tmp_path / "model")
    with pytest.raises(MerecError, match="predictor of 68 landmarks expected, found no such file"):
        DlibLandmarks(tmp_path / "nothing")


def test_missing_dlib_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "dlib", None)
    with pytest.raises(MerecError, match="pip install dlib-bin"):
        DlibLandmarks(tmp_path / "model")

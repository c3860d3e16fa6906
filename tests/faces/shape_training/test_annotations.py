"""Annotated images are found in each of the three layouts, or the mistake is named."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from skimage.data import astronaut

from merec_hpc.config.datasets import SimulatedSettings
from merec_hpc.dataset.simulated import plan_clips, read_landmarks, simulate
from merec_hpc.errors import MerecError
from merec_hpc.faces.shape_training.annotations import (
    annotated_images,
    find_annotated_face,
    write_points,
)

POINTS = np.arange(136, dtype=np.float64).reshape(68, 2) + 0.5


def _image(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.zeros((8, 8, 3), np.uint8))
    return path


def test_points_beside_an_image_are_read_as_written(tmp_path: Path) -> None:
    image = _image(tmp_path / "set" / "face.png")
    write_points(image.with_suffix(".pts"), POINTS)
    ((path, found),) = annotated_images(tmp_path)
    assert path == image
    np.testing.assert_allclose(found, POINTS, atol=1e-3)


def test_points_count_pixels_from_one(tmp_path: Path) -> None:
    _image(tmp_path / "face.jpg")
    rows = "\n".join(["1.0 1.0"] * 68)
    (tmp_path / "face.pts").write_text(f"version: 1\nn_points:  68\n{{\n{rows}\n}}\n")
    ((_, found),) = annotated_images(tmp_path)
    np.testing.assert_array_equal(found, np.zeros((68, 2)))


def test_landmarks_of_ckplus_are_joined_by_name(tmp_path: Path) -> None:
    image = _image(tmp_path / "cohn-kanade-images" / "S005" / "001" / "S005_001_00000001.png")
    table = tmp_path / "Landmarks" / "S005" / "001" / "S005_001_00000001_landmarks.txt"
    table.parent.mkdir(parents=True)
    np.savetxt(table, POINTS, fmt="%.7e")
    ((path, found),) = annotated_images(tmp_path)
    assert path == image
    np.testing.assert_allclose(found, POINTS)


def test_simulated_dataset_is_known(tmp_path: Path) -> None:
    settings = SimulatedSettings(n_clips=3, n_subjects=2)
    folder, *_ = list(simulate(tmp_path, plan_clips(settings), settings, 1))
    found = annotated_images(tmp_path)
    numbers, landmarks = read_landmarks(folder / "landmarks.csv")
    own = {path.name: points for path, points in found if path.parent == folder}
    assert len(own) == len(numbers)
    np.testing.assert_allclose(own[f"{numbers[0]:05d}.jpg"], landmarks[0])


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, "landmarks.csv expected, found none"),
        ({"a.pts": "{ 1 2 }"}, "one image of the same name beside it expected, found 0"),
        ({"a.png": "", "a.pts": "{ 1 2 }"}, "x and y of 68 points expected, found 2 values"),
        ({"a.png": "", "a.pts": "{ x }"}, "x and y of 68 points expected, found 1 values"),
        ({"S1_landmarks.txt": "1 2"}, "an image S1 below .* expected, found none"),
        (
            {"c/landmarks.csv": "frame,x0,y0\n7" + ",1" * 136 + "\n", "c/6.bmp": ""},
            "an image numbered 7 beside it expected, found none",
        ),
    ],
)
def test_mistake_is_named(tmp_path: Path, files: dict[str, str], message: str) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    with pytest.raises(MerecError, match=message):
        annotated_images(tmp_path)


def test_box_must_be_that_of_the_annotated_face(tmp_path: Path) -> None:
    path = tmp_path / "face.png"
    cv2.imwrite(str(path), astronaut()[..., ::-1])
    landmarks = np.tile([[225.0, 115.0]], (68, 1))
    landmarks[36:42], landmarks[42:48] = [205.0, 110.0], [245.0, 110.0]
    face = find_annotated_face(path, landmarks)
    assert face is not None
    assert np.hypot(face.box.centre[0] - 225, face.box.centre[1] - 115) < 20
    assert find_annotated_face(path, landmarks + np.array([150, 200])) is None

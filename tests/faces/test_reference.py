from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from merec_hpc.config.faces import FaceSettings
from merec_hpc.errors import MerecError
from merec_hpc.faces.reference import (
    MIRRORED,
    STABLE_POINTS,
    interocular_distance,
    mean_shape,
    reference_landmarks,
)

# The 68 points as a mirror shows them: point i lies where point MIRROR[i] lay.
# fmt: off
MIRROR = np.array([
    *range(16, -1, -1),                                                  # jaw
    *range(26, 16, -1),                                                  # brows
    27, 28, 29, 30, 35, 34, 33, 32, 31,                                  # nose
    45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40,                      # eyes
    54, 53, 52, 51, 50, 49, 48, 59, 58, 57, 56, 55,                      # outer lip
    64, 63, 62, 61, 60, 67, 66, 65,                                      # inner lip
])
# fmt: on
SETTINGS = [
    FaceSettings(),
    FaceSettings(size_px=96, interocular_fraction=0.5, eye_row_fraction=0.25),
]


def _eyes(landmarks: NDArray[np.float64]) -> NDArray[np.float64]:
    """The middles of the eyes, (2, 2)."""
    return np.stack([landmarks[36:42].mean(axis=0), landmarks[42:48].mean(axis=0)])


@pytest.mark.parametrize("settings", SETTINGS)
def test_eyes_are_as_far_apart_as_the_settings_say(settings: FaceSettings) -> None:
    landmarks = reference_landmarks(settings)
    expected = settings.interocular_fraction * settings.size_px
    assert interocular_distance(landmarks) == pytest.approx(expected, rel=1e-4)
    assert np.diff(_eyes(landmarks)[:, 0]).item() == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("settings", SETTINGS)
def test_eyes_lie_in_the_row_of_the_settings_about_the_middle(settings: FaceSettings) -> None:
    eyes = _eyes(reference_landmarks(settings))
    np.testing.assert_allclose(eyes[:, 1], settings.eye_row_fraction * settings.size_px, atol=0.05)
    assert eyes[:, 0].mean() == pytest.approx(settings.size_px / 2, abs=0.05)


@pytest.mark.parametrize("settings", SETTINGS)
def test_face_is_its_own_mirror_image(settings: FaceSettings) -> None:
    landmarks = reference_landmarks(settings)
    mirrored = landmarks[MIRROR] * [-1, 1] + [settings.size_px, 0]
    np.testing.assert_allclose(mirrored, landmarks, atol=0.05)


def test_default_face_lies_within_the_crop_and_the_right_way_up() -> None:
    landmarks = reference_landmarks(FaceSettings())
    assert landmarks.shape == (68, 2)
    assert landmarks.min() > 0
    assert landmarks.max() < FaceSettings().size_px
    brow, eye, nose, mouth, chin = landmarks[[19, 37, 33, 57, 8], 1]
    assert brow < eye < nose < mouth < chin


def test_stable_points_are_a_mirror_symmetric_set() -> None:
    assert set(MIRROR[STABLE_POINTS].tolist()) == set(STABLE_POINTS.tolist())


def test_interocular_distance_is_in_the_unit_of_the_landmarks() -> None:
    landmarks = np.zeros((68, 2))
    landmarks[36:42], landmarks[42:48] = (10, 20), (13, 24)
    assert interocular_distance(landmarks) == pytest.approx(5)


def test_mirrored_points_are_an_involution() -> None:
    assert MIRRORED[MIRRORED].tolist() == list(range(68))


def test_the_mean_shape_is_that_of_shapes_alone() -> None:
    shape = reference_landmarks(FaceSettings())
    turn = np.array([[0.8, -0.6], [0.6, 0.8]])
    moved = 2.5 * shape @ turn.T + [100, 7]
    np.testing.assert_allclose(mean_shape([moved]), mean_shape([shape]), atol=1e-9)
    symmetric = mean_shape([moved])
    np.testing.assert_allclose(symmetric[MIRRORED] * [-1, 1], symmetric, atol=1e-9)


def test_a_given_reference_is_scaled_to_the_settings(tmp_path: Path) -> None:
    path = tmp_path / "reference.csv"
    shape = 3 * reference_landmarks(FaceSettings()) + 11
    np.savetxt(path, shape, delimiter=",", header="x,y", comments="")
    given = reference_landmarks(FaceSettings(reference=path))
    np.testing.assert_allclose(given, reference_landmarks(FaceSettings()), atol=0.01)


@pytest.mark.parametrize("text", ["x,y\n1,2\n", "x,y\na,b\n"])
def test_a_reference_that_is_none_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "reference.csv"
    path.write_text(text)
    with pytest.raises(MerecError, match=r"reference.csv: .* expected, found"):
        reference_landmarks(FaceSettings(reference=path))


@pytest.mark.parametrize("fraction", [0.5, 0.8])
def test_crop_by_shape_holds_all_landmarks_in_the_middle(fraction: float) -> None:
    settings = FaceSettings(crop="shape", shape_fraction=fraction, size_px=200)
    landmarks = reference_landmarks(settings)
    low, high = landmarks.min(axis=0), landmarks.max(axis=0)
    np.testing.assert_allclose((low + high) / 2, [100, 100])
    assert (high - low).max() == pytest.approx(fraction * 200)


def test_crops_show_the_same_shape() -> None:
    eyes, shape = (reference_landmarks(FaceSettings(crop=crop)) for crop in ("eyes", "shape"))
    scaled = [
        (points - points.mean(axis=0)) / interocular_distance(points) for points in (eyes, shape)
    ]
    np.testing.assert_allclose(scaled[0], scaled[1], atol=1e-12)

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from skimage.data import astronaut

from merec_hpc.dataset.action_units import SMIC_EXPRESSIONS
from merec_hpc.dataset.simulated_face import (
    SimulatedSubject,
    draw_motion,
    make_frames,
    make_subject,
)
from merec_hpc.errors import MerecError
from merec_hpc.faces.detection import Box
from merec_hpc.faces.landmarks import MESH_VERTICES, FaceMesh
from merec_hpc.faces.reference import STABLE_POINTS, interocular_distance
from merec_hpc.faces.registration import find_face

MIN_FRACTION = 0.15
# Measured on the 16 identities that the embedded dataset has by default, in percent of the
# inter-ocular distance: means of 4.2 to 7.3 over all points, of 2.4 to 8.5 over the stable ones.
ALL_POINTS_PERCENT, STABLE_POINTS_PERCENT = 9.0, 11.0
N_CMU_FACES = 78  # measured: all that are straight and open-eyed

ASTRONAUT = Box(173.0, 63.0, 101.0)


@pytest.fixture(scope="module")
def engine(weights: Path) -> FaceMesh:
    cv2.setNumThreads(1)  # as the command sets it
    return FaceMesh(weights / "face_mesh")


def _percent(
    found: NDArray[np.floating], exact: NDArray[np.floating], points: NDArray[np.int64] | slice
) -> float:
    """Mean distance of points, in percent of the distance between the eyes."""
    distances = np.linalg.norm(found - exact, axis=1)[points]
    return 100 * float(distances.mean()) / interocular_distance(exact)


def _identity(subject: int) -> SimulatedSubject:
    """A subject as the embedded dataset has it by default."""
    rng = np.random.default_rng(np.random.SeedSequence(0, spawn_key=(1, subject)))
    return make_subject(rng, SMIC_EXPRESSIONS)


def _box_around(landmarks: NDArray[np.float64]) -> Box:
    """About the box that the detector would find."""
    low, high = landmarks[17:].min(axis=0), landmarks[17:].max(axis=0)
    side = 1.3 * float((high - low).max())
    left, top = (low + high) / 2 - side / 2
    return Box(float(left), float(top), side)


@pytest.mark.parametrize("subject", [3, 9, 13, 15])  # 9 and 15 are the worst of the 16
def test_landmarks_of_simulated_faces_are_near_the_exact_ones(
    engine: FaceMesh, subject: int
) -> None:
    identity = _identity(subject)
    _, found = find_face(identity.neutral.astype(np.uint8), engine, MIN_FRACTION)
    assert _percent(found, identity.landmarks, slice(None)) < ALL_POINTS_PERCENT
    assert _percent(found, identity.landmarks, STABLE_POINTS) < STABLE_POINTS_PERCENT


@pytest.mark.parametrize("label", ["negative", "positive", "surprise"])
def test_landmarks_of_simulated_expressions_are_near_the_exact_ones(
    engine: FaceMesh, label: str
) -> None:
    rng, subject = np.random.default_rng(0), _identity(3)
    motion = draw_motion(subject, SMIC_EXPRESSIONS[label], 3, (1.5, 3.0), rng)
    frames = make_frames(subject, motion, rng)
    image, exact = list(frames)[1]
    found = engine.fit(image, _box_around(exact))
    assert _percent(found, exact, slice(None)) < ALL_POINTS_PERCENT
    assert _percent(found, exact, STABLE_POINTS) < STABLE_POINTS_PERCENT


def test_landmarks_of_a_photograph_lie_on_its_face(engine: FaceMesh) -> None:
    box, found = find_face(astronaut(), engine, MIN_FRACTION)
    # Read off the photograph, enlarged, on a grid.
    eyes = np.array([found[36:42].mean(axis=0), found[42:48].mean(axis=0)])
    np.testing.assert_allclose(eyes, [[203, 101], [246, 104]], atol=3)
    np.testing.assert_allclose(found[[48, 54]], [[204, 140], [245, 141]], atol=4)
    np.testing.assert_allclose(found[30], [224, 127], atol=5)
    np.testing.assert_allclose(found[8], [225, 178], atol=5)
    assert box.left < found[30, 0] < box.left + box.side


def test_landmarks_are_68_finite_points_in_ibug_order(engine: FaceMesh) -> None:
    found = engine.fit(astronaut(), ASTRONAUT)
    assert found.shape == (68, 2)
    assert found.dtype == np.float32
    assert np.isfinite(found).all()
    jaw, brows, nose, eyes, mouth = np.split(found[:, 1], [17, 27, 36, 48])
    assert brows.mean() < eyes.mean() < nose.mean() < mouth.mean() < jaw.max()
    assert found[0, 0] < found[36, 0] < found[42, 0] < found[16, 0]


def test_each_point_has_a_vertex_of_its_own() -> None:
    assert len(set(MESH_VERTICES.tolist())) == 68


def test_landmarks_follow_a_rotated_and_shifted_face(engine: FaceMesh) -> None:
    upright = engine.fit(astronaut(), ASTRONAUT)
    turn = cv2.getRotationMatrix2D(ASTRONAUT.centre, 25, 1.0)
    turn[:, 2] += [40, 25]
    rotated = cv2.warpAffine(astronaut(), turn, (512, 512), borderMode=cv2.BORDER_REPLICATE)
    box = Box(ASTRONAUT.left + 40, ASTRONAUT.top + 25, ASTRONAUT.side)
    found = engine.fit(rotated, box)
    assert _percent(found, upright @ turn[:, :2].T + turn[:, 2], slice(None)) < 3


def test_landmarks_hardly_depend_on_the_box(engine: FaceMesh) -> None:
    found = engine.fit(astronaut(), ASTRONAUT)
    shifted = engine.fit(astronaut(), Box(ASTRONAUT.left - 12, ASTRONAUT.top + 8, 115.0))
    assert _percent(shifted, found, slice(None)) < 3


def test_no_face_is_seen_in_noise(engine: FaceMesh, rng: np.random.Generator) -> None:
    noise = rng.integers(0, 256, (240, 320, 3), dtype=np.uint8)
    with pytest.raises(MerecError, match=r"the landmark network sees no face \(logit -"):
        engine.fit(noise, Box(60.0, 40.0, 150.0))


@pytest.mark.parametrize("content", [b"", b"not a network", bytes(5000)])
def test_weights_of_another_content_are_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "face_mesh"
    path.write_bytes(content)
    with pytest.raises(MerecError, match="expected the face mesh as a TFLite file") as raised:
        FaceMesh(path)
    assert str(path) in str(raised.value)


def test_weights_of_another_network_are_refused(weights: Path) -> None:
    with pytest.raises(MerecError, match="expected the face mesh as a TFLite file"):
        FaceMesh(weights / "mobilenet_v2")


def test_straight_open_eyed_cmu_faces_are_found_and_fitted(
    engine: FaceMesh, cmu_faces: Path
) -> None:
    files = sorted(cmu_faces.glob("faces/*/*_straight_*_open.pgm"))
    assert len(files) == N_CMU_FACES
    fitted = [points for path in files if (points := _fit_file(engine, path)) is not None]
    assert len(fitted) >= N_CMU_FACES - 1
    # The heads are upright: the eyes lie nearly in a row, the face's right one on the left.
    for points in fitted:
        right, left = points[36:42].mean(axis=0), points[42:48].mean(axis=0)
        assert abs(left[1] - right[1]) < 0.3 * (left[0] - right[0])


def _fit_file(engine: FaceMesh, path: Path) -> NDArray[np.float32] | None:
    """The landmarks of an image file, or None where no face is seen."""
    image = cv2.imread(str(path), cv2.IMREAD_COLOR_RGB)
    try:
        return find_face(np.asarray(image, np.uint8), engine, MIN_FRACTION)[1]
    except MerecError:
        return None

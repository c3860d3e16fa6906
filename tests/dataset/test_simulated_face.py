"""Checks the drawn faces against their landmarks by tracking patches, noise and light off."""

from importlib.resources import files

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from skimage.data import astronaut

from merec_hpc.dataset import simulated_face
from merec_hpc.dataset.action_units import SMIC_EXPRESSIONS
from merec_hpc.dataset.schemes import SCHEMES
from merec_hpc.dataset.simulated_face import (
    HEIGHT,
    WIDTH,
    SimulatedSubject,
    draw_motion,
    make_frames,
    make_subject,
)

SMIC_3 = SCHEMES["smic-3"].classes

# Textured landmarks: brows, base of the nose, corners of the eyes, mouth.
TEXTURED = (21, 22, 33, 36, 39, 42, 45, 48, 51, 54, 57)
TOLERANCE_PX = 0.15
N_FRAMES = 7

Frames = NDArray[np.uint8]
Points = NDArray[np.float64]


@pytest.fixture(scope="module")
def subject() -> SimulatedSubject:
    return _subject(0)


@pytest.fixture
def quiet(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """No sensor noise and no drifting light: what moves is all that changes."""
    monkeypatch.setattr(simulated_face, "_NOISE", 0.0)
    monkeypatch.setattr(simulated_face, "_LIGHT_DRIFT", 0.0)
    return monkeypatch


@pytest.fixture
def still(quiet: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """No head motion either: the expression alone is left."""
    for name in ("_HEAD_SHIFT_PX", "_HEAD_ROTATION", "_HEAD_SCALING"):
        quiet.setattr(simulated_face, name, 0.0)
    return quiet


@pytest.mark.parametrize("label", SMIC_3)
@pytest.mark.parametrize("seed", [0, 1])
def test_patches_of_the_face_move_as_the_landmarks_say(
    quiet: pytest.MonkeyPatch, label: str, seed: int
) -> None:
    frames, points = _clip(_subject(seed), label, seed=seed, n_frames=5)
    apex = _apex(points)
    errors = _tracking_errors(frames[0], frames[apex], points[0], points[apex])
    assert errors.max() < TOLERANCE_PX
    # The check would see landmarks that stand still.
    stood_still = _tracking_errors(frames[0], frames[apex], points[0], points[0], points[apex])
    assert stood_still.max() > 4 * TOLERANCE_PX


def test_patches_move_as_the_landmarks_say_when_the_head_moves_much(
    quiet: pytest.MonkeyPatch, subject: SimulatedSubject
) -> None:
    quiet.setattr(simulated_face, "_HEAD_SHIFT_PX", 1.5)
    quiet.setattr(simulated_face, "_HEAD_ROTATION", 0.01)
    quiet.setattr(simulated_face, "_HEAD_SCALING", 0.01)
    frames, points = _clip(subject, "positive", seed=2, n_frames=5)
    for frame in (2, 4):
        # Everything has moved, so that the head's part is what is checked.
        assert np.linalg.norm(points[frame] - points[0], axis=1).max() > 2.0
        errors = _tracking_errors(frames[0], frames[frame], points[0], points[frame])
        assert errors.max() < TOLERANCE_PX


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_patches_of_the_photograph_lie_at_the_landmarks_of_the_neutral_face(seed: int) -> None:
    face = _subject(seed)
    text = files("merec_hpc.dataset").joinpath("astronaut_landmarks.csv").read_text()
    on_photo = np.loadtxt(text.splitlines(), delimiter=",", skiprows=1)
    zoomed = cv2.warpAffine(
        astronaut(), np.array([[2.0, 0, 0], [0, 2.0, 0]]), (1024, 1024), flags=cv2.INTER_CUBIC
    )
    corners = [36, 39, 42, 45, 48]  # of eyes and mouth: sharp in both directions
    neutral = np.clip(np.rint(face.neutral), 0, 255).astype(np.uint8)
    errors = _tracking_errors(zoomed, neutral, 2 * on_photo, face.landmarks, which=corners)
    assert errors.max() < 0.5  # light and skin differ too; the warp is of some 10 px


def test_first_frame_is_the_neutral_face(
    quiet: pytest.MonkeyPatch, subject: SimulatedSubject
) -> None:
    frames, points = _clip(subject, "surprise", seed=0, n_frames=3)
    np.testing.assert_allclose(points[0], subject.landmarks, atol=1e-6)
    difference = frames[0].astype(np.float32) - subject.neutral
    assert np.abs(difference).max() <= 0.51  # rounding


def test_frames_are_rgb_bytes_of_the_size_of_the_camera(subject: SimulatedSubject) -> None:
    frames, points = _clip(subject, "negative", seed=0, n_frames=3)
    assert frames.shape == (3, HEIGHT, WIDTH, 3) == (3, 480, 640, 3)
    assert frames.dtype == np.uint8
    assert points.shape == (3, 68, 2)


@pytest.mark.parametrize("label", SMIC_3)
def test_displacement_of_landmarks_is_below_the_peak(
    still: pytest.MonkeyPatch, subject: SimulatedSubject, label: str
) -> None:
    _, points = _clip(subject, label, seed=4, peak_px=2.0)
    largest = np.linalg.norm(points - points[0], axis=2).max()
    assert 0.8 < largest <= 2.0 + 1e-6


def test_displacement_follows_the_peak_of_the_settings(
    still: pytest.MonkeyPatch, subject: SimulatedSubject
) -> None:
    small = _clip(subject, "positive", seed=4, peak_px=0.5)[1]
    large = _clip(subject, "positive", seed=4, peak_px=2.0)[1]
    apex = _apex(large)
    moved = np.linalg.norm(large[apex] - large[0], axis=1)
    ratio = np.linalg.norm(small[apex] - small[0], axis=1)[moved > 0.5] / moved[moved > 0.5]
    np.testing.assert_allclose(ratio, 0.25, rtol=0.1)


def test_expression_rises_to_the_apex_and_falls_to_the_offset(
    still: pytest.MonkeyPatch, subject: SimulatedSubject
) -> None:
    for seed in range(2):
        _, points = _clip(subject, "positive", seed=seed, n_frames=11)
        size = np.linalg.norm(points - points[0], axis=2).max(axis=1)
        apex = int(size.argmax())
        assert 0.35 * 10 - 0.5 <= apex <= 0.65 * 10 + 0.5
        assert (np.diff(size[: apex + 1]) > 0).all()
        assert (np.diff(size[apex:]) < 0).all()
        assert size[-1] < 0.45 * size[apex]


def test_each_class_moves_its_own_part_of_the_face(
    still: pytest.MonkeyPatch, subject: SimulatedSubject
) -> None:
    moves = {}
    for label in SMIC_3:
        _, points = _clip(subject, label, seed=5)
        moves[label] = points[_apex(points)] - points[0]
    corners = [48, 54]
    assert (moves["positive"][corners, 1] < -0.5).all()
    assert moves["positive"][48, 0] < 0 < moves["positive"][54, 0]
    assert (moves["negative"][corners, 1] > 0.5).all()
    assert (moves["negative"][[21, 22], 1] > 0.2).all()
    assert (moves["surprise"][17:27, 1] < -0.2).all()
    assert (moves["surprise"][[8, 57], 1] > 0.5).all()


def test_picture_changes_only_where_the_face_moves(
    still: pytest.MonkeyPatch, subject: SimulatedSubject
) -> None:
    frames, points = _clip(subject, "positive", seed=0)
    difference = np.abs(frames[_apex(points)].astype(int) - frames[0]).max(axis=2)
    x, y = np.rint(points[0][48]).astype(int)
    assert difference[y - 10 : y + 10, x - 10 : x + 10].max() > 20
    assert difference[:, :60].max() <= 1
    assert difference[:, -60:].max() <= 1


def test_noise_is_that_of_the_camera(still: pytest.MonkeyPatch, subject: SimulatedSubject) -> None:
    still.setattr(simulated_face, "_NOISE", 1.0)
    frames, _ = _clip(subject, "positive", seed=0, n_frames=3)
    noise = (frames[0].astype(np.float32) - subject.neutral)[
        (subject.neutral > 10) & (subject.neutral < 245)
    ]
    assert abs(noise.mean()) < 0.02
    assert abs(noise.std() - np.sqrt(1 + 1 / 12)) < 0.02  # and rounding


def test_light_drifts_slowly_by_less_than_two_per_cent(
    still: pytest.MonkeyPatch, subject: SimulatedSubject
) -> None:
    dark = _clip(subject, "positive", seed=0)[0]
    still.setattr(simulated_face, "_LIGHT_DRIFT", 0.003)
    lit = _clip(subject, "positive", seed=0)[0]
    ratio = lit.mean(axis=(1, 2, 3)) / dark.mean(axis=(1, 2, 3))
    assert abs(ratio[0] - 1) < 1e-6
    assert 1e-5 < np.abs(ratio - 1).max() < 0.02


def test_same_numbers_draw_the_same_subject_and_clip() -> None:
    one, same, other = _subject(7), _subject(7), _subject(8)
    np.testing.assert_array_equal(one.neutral, same.neutral)
    np.testing.assert_array_equal(one.landmarks, same.landmarks)
    assert one.strengths == same.strengths
    assert np.abs(one.neutral - other.neutral).mean() > 5
    assert np.abs(one.landmarks - other.landmarks).max() > 2
    frames, points = _clip(one, "positive", seed=1, n_frames=3)
    again, points_again = _clip(same, "positive", seed=1, n_frames=3)
    np.testing.assert_array_equal(frames, again)
    np.testing.assert_array_equal(points, points_again)


def _subject(seed: int) -> SimulatedSubject:
    return make_subject(np.random.default_rng([1, seed]), SMIC_EXPRESSIONS)


def _clip(
    subject: SimulatedSubject,
    label: str,
    seed: int,
    n_frames: int = N_FRAMES,
    peak_px: float = 3.0,
) -> tuple[Frames, Points]:
    rng = np.random.default_rng([2, seed])
    units = SMIC_EXPRESSIONS[label]
    motion = draw_motion(subject, units, n_frames, (peak_px, peak_px), rng)
    drawn = list(make_frames(subject, motion, rng))
    return np.stack([frame for frame, _ in drawn]), np.stack([points for _, points in drawn])


def _apex(points: Points) -> int:
    return int(np.linalg.norm(points - points[0], axis=2).max(axis=1).argmax())


def _tracking_errors(
    before: Frames,
    after: Frames,
    origins: Points,
    claimed: Points,
    guesses: Points | None = None,
    which: tuple[int, ...] | list[int] = TEXTURED,
    half: int = 8,
) -> Points:
    """Return how far from the claimed places the patches of ``before`` lie in ``after``."""
    guesses = claimed if guesses is None else guesses
    tracked = [_track(_grey(before), _grey(after), origins[p], guesses[p], half) for p in which]
    return np.linalg.norm(np.array(tracked) - claimed[list(which)], axis=1)


def _track(
    before: NDArray[np.float32],
    after: NDArray[np.float32],
    origin: Points,
    guess: Points,
    half: int,
) -> Points:
    """Return where the patch around ``origin`` lies, up to an affine change of its form.

    Evangelidis, Psarakis: Parametric image alignment using enhanced correlation coefficient
    maximization, 2008, doi:10.1109/TPAMI.2008.113; it is blind to gain and offset of light.
    """
    side = 2 * half + 1
    patch = cv2.getRectSubPix(before, (side, side), (float(origin[0]), float(origin[1])))
    warp = np.array([[1, 0, guess[0] - half], [0, 1, guess[1] - half]], np.float32)
    stop = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 200, 1e-6)
    _, found = cv2.findTransformECC(patch, after, warp, cv2.MOTION_AFFINE, stop, None, 1)
    return np.asarray(found @ np.array([half, half, 1.0]), np.float64)


def _grey(frame: Frames) -> NDArray[np.float32]:
    return frame.astype(np.float32).mean(axis=2)

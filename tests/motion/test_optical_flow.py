"""Flow and strain against motions that are known, on the drawn face of the embedded dataset."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from oracles.descriptors import strain_by_hand
from scipy.ndimage import map_coordinates, spline_filter

from merec_hpc.config.faces import FaceSettings
from merec_hpc.config.motion import FlowSettings
from merec_hpc.dataset.action_units import SMIC_EXPRESSIONS, landmark_moves
from merec_hpc.dataset.simulated_face import SimulatedSubject, _displacement_at, make_subject
from merec_hpc.errors import MerecError
from merec_hpc.faces.reference import STABLE_POINTS, reference_landmarks
from merec_hpc.faces.warps import fit_similarity, invert
from merec_hpc.motion.optical_flow import (
    check_flow,
    counted_motion,
    grey_frame,
    open_flow,
    optical_strain,
)

SIZE = 224
DEFAULT = FlowSettings()
RIGID, EXPRESSIONS = ("translation", "rotation"), tuple(SMIC_EXPRESSIONS)
MOTIONS = (*RIGID, "zoom", *EXPRESSIONS)
PEAK_PX = 2.5  # of an expression, in the registered face

Grey = NDArray[np.uint8]
Field = NDArray[np.float64]


@cache
def _subject(seed: int) -> SimulatedSubject:
    return make_subject(np.random.default_rng(seed), SMIC_EXPRESSIONS)


@cache
def _splines(seed: int) -> NDArray[np.float64]:
    """A smooth surface through the pixels of the neutral face.

    OpenCV's cubics move what they read by up to 0.05 pixels; splines of this order by far less.
    """
    grey = cv2.cvtColor(_subject(seed).neutral, cv2.COLOR_RGB2GRAY)
    return np.asarray(spline_filter(grey.astype(np.float64), 5))


def _affine(seed: int) -> NDArray[np.float64]:
    reference = reference_landmarks(FaceSettings(size_px=SIZE))
    return fit_similarity(_subject(seed).landmarks[STABLE_POINTS], reference[STABLE_POINTS])


def _pixels() -> Field:
    rows, columns = np.mgrid[0:SIZE, 0:SIZE]
    return np.stack([columns, rows], axis=2).astype(np.float64)


def _face_at(seed: int, places: Field) -> Grey:
    """The registered face, read at places of it."""
    back = invert(_affine(seed))
    x, y = np.moveaxis(places @ back[:, :2].T + back[:, 2], 2, 0)
    read = map_coordinates(_splines(seed), [y, x], order=5, mode="nearest", prefilter=False)
    return np.clip(np.rint(read), 0, 255).astype(np.uint8)


def _expression(seed: int, label: str) -> Field:
    """The displacement at the apex that the embedded dataset draws, in the registered face."""
    subject, affine = _subject(seed), _affine(seed)
    back = invert(affine)
    places = (_pixels() @ back[:, :2].T + back[:, 2]).reshape(-1, 2)
    moves = sum(
        (landmark_moves(unit, 1.0, 0.8) for unit in SMIC_EXPRESSIONS[label][0]), np.zeros((68, 2))
    )
    field = _displacement_at(places, subject.landmarks, moves) @ affine[:, :2].T
    return np.asarray(PEAK_PX * field / np.linalg.norm(field, axis=1).max()).reshape(SIZE, SIZE, 2)


def _true_flow(seed: int, motion: str) -> Field:
    from_middle = _pixels() - (SIZE - 1) / 2
    if motion == "translation":
        return np.broadcast_to(np.array([1.5, -0.8]), from_middle.shape)
    if motion == "rotation":
        cosine, sine = np.cos(np.pi / 180), np.sin(np.pi / 180)
        return from_middle @ (np.array([[cosine, sine], [-sine, cosine]]) - np.eye(2))
    if motion == "zoom":
        return 0.01 * from_middle
    return _expression(seed, motion)


@cache
def _pair(seed: int, motion: str) -> tuple[Grey, Grey, Field]:
    """Two frames, and the flow from the first to the second.

    The second is the face; what the first shows at a pixel is where the flow leads in it.
    """
    true = _true_flow(seed, motion)
    return _face_at(seed, _pixels() + true), _face_at(seed, _pixels()), true


@cache
def _inside(seed: int) -> NDArray[np.bool_]:
    """The convex hull of the landmarks."""
    affine = _affine(seed)
    points = _subject(seed).landmarks @ affine[:, :2].T + affine[:, 2]
    hull = cv2.convexHull(np.rint(points).astype(np.int32))
    return cv2.fillConvexPoly(np.zeros((SIZE, SIZE), np.uint8), hull, 1).astype(bool)


def _errors(seed: int, motion: str, chosen: FlowSettings) -> NDArray[np.float64]:
    """How far the flow is from the truth at the pixels of the face."""
    first, second, true = _pair(seed, motion)
    found = open_flow(chosen)(first, second)
    assert found.shape == true.shape
    assert found.dtype == np.float32
    errors: NDArray[np.float64] = np.linalg.norm(found - true, axis=2)[_inside(seed)]
    return errors


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("motion", MOTIONS)
def test_default_is_within_a_tenth_of_a_pixel(seed: int, motion: str) -> None:
    errors = _errors(seed, motion, DEFAULT)
    assert errors.mean() < 0.05
    assert np.percentile(errors, 95) < 0.1


@pytest.mark.parametrize(
    ("chosen", "most"),
    [
        (FlowSettings(preset="medium"), 0.12),
        (FlowSettings(preset="fast"), 0.35),
        (FlowSettings(preset="ultrafast"), 0.35),
        (FlowSettings(method="farneback"), 0.15),
        (FlowSettings(method="farneback", window=31), 0.2),
    ],
)
@pytest.mark.parametrize("motion", MOTIONS)
def test_others_are_near(motion: str, chosen: FlowSettings, most: float) -> None:
    assert _errors(0, motion, chosen).mean() < most


def test_presets_and_windows_differ() -> None:
    first, second, _ = _pair(0, "positive")
    chosen = [
        *(FlowSettings(preset=preset) for preset in ("ultrafast", "fast", "medium", "fine")),
        *(FlowSettings(method="farneback", window=window) for window in (15, 31)),
    ]
    assert len({open_flow(one)(first, second).tobytes() for one in chosen}) == len(chosen)


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("motion", RIGID)
def test_rigid_motion_does_not_strain(seed: int, motion: str) -> None:
    first, second, _ = _pair(seed, motion)
    strain = optical_strain(open_flow(DEFAULT)(first, second))[_inside(seed)]
    assert strain.mean() < 0.01
    assert np.percentile(strain, 95) < 0.01


@pytest.mark.parametrize("label", EXPRESSIONS)
def test_expression_strains_as_its_field_does(label: str) -> None:
    first, second, true = _pair(0, label)
    inside = _inside(0)
    found = optical_strain(open_flow(DEFAULT)(first, second))[inside]
    expected = optical_strain(true.astype(np.float32))[inside]
    assert expected.mean() > 0.01
    assert np.corrcoef(found, expected)[0, 1] > 0.9


@pytest.mark.parametrize("size", [32, 45, 64])
def test_smallest_faces_have_a_flow(size: int) -> None:
    wide = cv2.resize(_face_at(0, _pixels()), (size + 1, size), interpolation=cv2.INTER_AREA)
    first, second = np.ascontiguousarray(wide[:, 1:]), np.ascontiguousarray(wide[:, :-1])
    flow = open_flow(DEFAULT)(first, second)
    np.testing.assert_allclose(np.median(flow, axis=(0, 1)), [1, 0], atol=0.1)


@pytest.fixture
def opencv_threads() -> Iterator[None]:
    before = cv2.getNumThreads()
    yield
    cv2.setNumThreads(before)


@pytest.mark.parametrize(
    "chosen",
    [DEFAULT, FlowSettings(preset="fast"), FlowSettings(method="farneback")],
    ids=["fine", "fast", "farneback"],
)
@pytest.mark.usefixtures("opencv_threads")
def test_threads_change_no_byte(chosen: FlowSettings) -> None:
    pairs = [_pair(seed, motion)[:2] for seed in (0, 1) for motion in MOTIONS]
    cv2.setNumThreads(1)
    one = _flows(pairs, chosen)
    with ThreadPoolExecutor(2) as pool:
        # Each thread has its own engine, which sees the pairs in an order of its own.
        halves = list(pool.map(partial(_flows, chosen=chosen), [pairs[::2][::-1], pairs[1::2]]))
    assert halves[0][::-1] == one[::2]
    assert halves[1] == one[1::2]
    cv2.setNumThreads(2)
    assert _flows(pairs, chosen) == one


def _flows(pairs: list[tuple[Grey, Grey]], chosen: FlowSettings) -> list[bytes]:
    compute = open_flow(chosen)
    return [compute(*pair).tobytes() for pair in pairs]


def test_tvl1_without_its_module_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(cv2, "optflow", raising=False)
    wanted = FlowSettings(method="tvl1")
    with pytest.raises(MerecError, match=r"^flow\.method tvl1: OpenCV with its contributed"):
        open_flow(wanted)
    with pytest.raises(MerecError, match=r"^experiment\.yaml: flow\.method tvl1"):
        check_flow(wanted, "experiment.yaml: ")
    check_flow(DEFAULT)


def test_tvl1_with_its_module_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = SimpleNamespace(calc=lambda first, second, flow: flow + np.array([1, 2]))
    module = SimpleNamespace(DualTVL1OpticalFlow_create=lambda: engine)
    monkeypatch.setattr(cv2, "optflow", module, raising=False)
    flow = open_flow(FlowSettings(method="tvl1"))(np.zeros((3, 4), np.uint8), np.zeros((3, 4)))
    assert flow.dtype == np.float32
    np.testing.assert_array_equal(flow, np.broadcast_to([1, 2], (3, 4, 2)))


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 2**32), st.integers(2, 9), st.integers(2, 9))
def test_strain_is_that_of_the_definition(seed: int, height: int, width: int) -> None:
    flow = np.random.default_rng(seed).normal(size=(height, width, 2)).astype(np.float32)
    np.testing.assert_allclose(optical_strain(flow), strain_by_hand(flow), rtol=1e-5, atol=1e-7)


def test_strain_is_0_for_a_shift_and_a_small_turn_and_not_for_a_zoom() -> None:
    x, y = np.moveaxis(_pixels(), 2, 0)
    turn = np.dstack([3 - 0.01 * y, 0.01 * x - 2]).astype(np.float32)
    assert optical_strain(turn).max() < 1e-6
    zoom = np.dstack([0.01 * x, 0.01 * y]).astype(np.float32)
    np.testing.assert_allclose(optical_strain(zoom), 0.01 * np.sqrt(2), rtol=1e-3)


def test_what_was_not_filmed_neither_moves_nor_strains(rng: np.random.Generator) -> None:
    flow = rng.normal(size=(9, 8, 2)).astype(np.float32)
    is_valid = rng.random((9, 8)) < 0.5
    counted, strain = counted_motion(flow, is_valid)
    np.testing.assert_array_equal(counted[is_valid], flow[is_valid])
    # The strain of a filmed pixel is that of the whole flow, also beside an edge.
    np.testing.assert_array_equal(strain[is_valid], optical_strain(flow)[is_valid])
    assert not counted[~is_valid].any()
    assert not strain[~is_valid].any()
    everything, all_strain = counted_motion(flow, None)
    np.testing.assert_array_equal(everything, flow)
    np.testing.assert_array_equal(all_strain, optical_strain(flow))


def test_grey_is_the_brightness_of_red_green_and_blue() -> None:
    frame = np.zeros((1, 3, 3), np.uint8)
    frame[0, [0, 1, 2], [0, 1, 2]] = 255
    np.testing.assert_array_equal(grey_frame(frame), [[76, 150, 29]])

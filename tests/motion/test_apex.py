"""The apex of clips in which it is known, and the curves and the search against slow twins."""

from dataclasses import dataclass
from typing import get_args

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from oracles.apex import (
    dc_rois_by_hand,
    difference_by_hand,
    divide_and_conquer_by_hand,
    smooth_by_hand,
)

from merec_hpc.config.faces import FaceSettings
from merec_hpc.config.motion import ApexMethod
from merec_hpc.errors import MerecError
from merec_hpc.faces.reference import reference_landmarks
from merec_hpc.motion.apex import (
    apex_curve,
    apex_of_curve,
    divide_and_conquer,
    find_apex,
    smooth_over_time,
)

METHODS: tuple[ApexMethod, ...] = get_args(ApexMethod)
WITHOUT_LANDMARKS: tuple[ApexMethod, ...] = ("difference", "flow")
SIZE = 112
LANDMARKS = reference_landmarks(FaceSettings(size_px=SIZE)).astype(np.float32)
NOWHERE = np.full((68, 2), np.nan, np.float32)


@dataclass(frozen=True)
class Disturbance:
    """What a camera, a lamp and a head add to a clip; drifts are largest at its end."""

    noise: float = 0.0  # standard deviation, grey values
    light: float = 0.0  # grey values
    shift_px: float = 0.0


def make_clip(
    apex: int, n_frames: int, disturbance: Disturbance, peak_px: float = 2.0, seed: int = 0
) -> list[NDArray[np.uint8]]:
    """Return a textured face whose mouth moves upwards until the apex, and back."""
    rng = np.random.default_rng(seed)
    coarse = cv2.GaussianBlur(rng.normal(size=(SIZE, SIZE)), (0, 0), 2.0)
    face = 120 + 30 * coarse / coarse.std()
    y, x = np.mgrid[0:SIZE, 0:SIZE]
    mouth_x, mouth_y = LANDMARKS[48:68].mean(axis=0)
    patch = np.exp(-((x - mouth_x) ** 2 + (y - mouth_y) ** 2) / (2 * 10.0**2))
    frames = []
    for number in range(n_frames):
        rise = number / apex if number <= apex else (n_frames - number) / (n_frames - apex)
        late = number / (n_frames - 1)
        places = (x + disturbance.shift_px * late, y + peak_px * rise * patch)
        moved = cv2.remap(
            face,
            places[0].astype(np.float32),
            places[1].astype(np.float32),
            cv2.INTER_CUBIC,
            borderMode=cv2.BORDER_REFLECT,
        )
        seen = moved + disturbance.light * late + disturbance.noise * rng.normal(size=face.shape)
        frames.append(np.repeat(np.clip(np.rint(seen), 0, 255).astype(np.uint8)[..., None], 3, 2))
    return frames


def landmarks_of(
    frames: list[NDArray[np.uint8]], points: NDArray[np.float32]
) -> NDArray[np.float32]:
    return np.tile(points, (len(frames), 1, 1))


@pytest.mark.parametrize("method", WITHOUT_LANDMARKS)
@pytest.mark.parametrize(
    "disturbance",
    [
        Disturbance(),
        Disturbance(noise=2.0),
        Disturbance(light=12.0),
        Disturbance(shift_px=0.5),
        Disturbance(noise=1.0, light=6.0, shift_px=0.3),
    ],
    ids=["undisturbed", "noise", "light", "shift", "all"],
)
def test_the_frame_of_the_largest_motion_is_found(
    method: ApexMethod, disturbance: Disturbance
) -> None:
    frames = make_clip(7, 19, disturbance)
    assert find_apex(frames, landmarks_of(frames, LANDMARKS), method) == 7


@pytest.mark.parametrize(
    "disturbance",
    [
        Disturbance(),
        Disturbance(noise=2.0),
        Disturbance(light=12.0),
        Disturbance(shift_px=0.1),
        Disturbance(noise=1.0, light=6.0, shift_px=0.1),
    ],
    ids=["undisturbed", "noise", "light", "shift", "all"],
)
def test_patterns_find_it_to_a_frame_if_the_head_holds_nearly_still(
    disturbance: Disturbance,
) -> None:
    frames = make_clip(7, 19, disturbance)
    assert abs(find_apex(frames, landmarks_of(frames, LANDMARKS), "dc_rois") - 7) <= 1


def test_light_and_shift_would_mislead_the_plain_difference() -> None:
    # What the clips above ask for is not had for nothing.
    for disturbance in (Disturbance(light=12.0), Disturbance(shift_px=0.5)):
        grey = np.array(make_clip(7, 19, disturbance))[..., 0].astype(float)
        assert np.abs(grey - grey[0]).mean(axis=(1, 2)).argmax() != 7


@pytest.mark.parametrize("method", WITHOUT_LANDMARKS)
def test_without_landmarks_the_whole_image_is_the_face(method: ApexMethod) -> None:
    frames = make_clip(4, 12, Disturbance(noise=1.0, light=6.0, shift_px=0.3))
    assert find_apex(frames, landmarks_of(frames, NOWHERE), method) == 4


def test_dc_rois_asks_for_landmarks() -> None:
    frames = make_clip(2, 5, Disturbance())
    said = r"^apex\.method dc_rois: landmarks expected, found none \(faces\.registration none\)$"
    with pytest.raises(MerecError, match=said):
        find_apex(frames, landmarks_of(frames, NOWHERE), "dc_rois")


@pytest.mark.parametrize("method", METHODS)
def test_what_moves_outside_the_face_does_not_matter(method: ApexMethod) -> None:
    frames = make_clip(6, 15, Disturbance(noise=1.0))
    rng = np.random.default_rng(1)
    hair = int(LANDMARKS[:, 1].min()) - 14  # the reach of the smoothing, and more
    assert hair > 5
    other = [frame.copy() for frame in frames]
    for frame in other[12:]:
        frame[:hair] = rng.integers(256, size=frame[:hair].shape)
    found, expected = (
        find_apex(clip, landmarks_of(clip, LANDMARKS), method) for clip in (other, frames)
    )
    assert found == expected


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("n_frames", [1, 2])
def test_the_shortest_clips_have_one_answer(method: ApexMethod, n_frames: int) -> None:
    frames = make_clip(4, 9, Disturbance())[:n_frames]
    assert find_apex(frames, landmarks_of(frames, LANDMARKS), method) == n_frames - 1


@pytest.mark.parametrize("method", METHODS)
def test_a_still_clip_has_its_apex_after_the_onset(method: ApexMethod) -> None:
    frames = make_clip(4, 9, Disturbance())[:1] * 6
    landmarks = landmarks_of(frames, LANDMARKS)
    np.testing.assert_allclose(apex_curve(frames, landmarks, method), 0, atol=1e-12)
    assert find_apex(frames, landmarks, method) >= 1


@pytest.mark.parametrize("method", METHODS)
def test_black_frames_differ_by_nothing(method: ApexMethod) -> None:
    frames = [np.zeros((SIZE, SIZE, 3), np.uint8)] * 4
    assert find_apex(frames, landmarks_of(frames, LANDMARKS), method) == 1


@pytest.mark.parametrize("method", METHODS)
def test_a_generator_gives_what_a_list_gives(method: ApexMethod) -> None:
    frames = make_clip(4, 9, Disturbance(noise=1.0))
    landmarks = landmarks_of(frames, LANDMARKS)
    expected = apex_curve(frames, landmarks, method)
    found = apex_curve((frame for frame in frames), landmarks, method)
    np.testing.assert_array_equal(found, expected)
    assert expected.shape == (9,)
    assert expected[0] == 0


@pytest.mark.parametrize("method", METHODS)
def test_threads_do_not_change_the_curve(method: ApexMethod) -> None:
    frames = make_clip(4, 9, Disturbance(noise=1.0))
    landmarks = landmarks_of(frames, LANDMARKS)
    before = cv2.getNumThreads()
    curves = []
    try:
        for n_threads in (1, 2):
            cv2.setNumThreads(n_threads)
            curves.append(apex_curve(frames, landmarks, method))
    finally:
        cv2.setNumThreads(before)
    np.testing.assert_array_equal(*curves)


def test_frames_and_landmarks_belong_together() -> None:
    frames = make_clip(4, 9, Disturbance())
    with pytest.raises(ValueError, match="landmarks of 9 frames expected, found 8"):
        apex_curve(frames, landmarks_of(frames[:8], LANDMARKS), "difference")
    with pytest.raises(ValueError, match="at least one frame expected"):
        apex_curve([], landmarks_of(frames, LANDMARKS), "difference")


@pytest.mark.parametrize("method", WITHOUT_LANDMARKS)
def test_of_equal_frames_the_first_is_the_apex(method: ApexMethod) -> None:
    assert apex_of_curve(np.array([0.0, 1, 3, 1, 3, 1, 0, 0]), method) == 2


def test_the_onset_is_never_the_apex() -> None:
    for method in METHODS:
        assert apex_of_curve(np.array([0.0, 0, 0, 0]), method) == 1
        assert apex_of_curve(np.array([9.0, 3, 2, 1]), method) == 1


@settings(deadline=None, max_examples=200)
@given(st.lists(st.floats(0, 1e3), min_size=1, max_size=130))
def test_the_curve_is_smoothed_by_a_gaussian(values: list[float]) -> None:
    found = smooth_over_time(np.array(values))
    np.testing.assert_allclose(found, smooth_by_hand(values), rtol=1e-9, atol=1e-9)


@settings(deadline=None, max_examples=300)
@given(st.lists(st.integers(0, 6), min_size=2, max_size=40))
def test_the_search_ends_where_the_definition_ends(values: list[int]) -> None:
    curve = [float(value) for value in values]
    assert divide_and_conquer(np.array(curve)) == divide_and_conquer_by_hand(curve)


def test_the_search_weighs_sums_of_peaks_and_not_the_highest() -> None:
    # Halves of frames 1..4 and 5..9; the second has more in sum: 4 + 3 against 5.
    curve = np.array([0.0, 1, 5, 1, 0, 4, 0, 3, 0, 0])
    assert divide_and_conquer(curve) == 5
    assert apex_of_curve(curve, "dc_rois") == 5
    assert apex_of_curve(curve, "difference") == 2


def test_a_curve_without_peaks_ends_at_its_highest_frame() -> None:
    assert divide_and_conquer(np.array([0.0, 1, 2, 3])) == 3
    assert divide_and_conquer(np.array([0.0, 0])) == 1


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_differences_are_those_of_the_definition(seed: int) -> None:
    disturbance = Disturbance(noise=2.0, light=5.0, shift_px=0.4)
    frames = [frame[:60, :50] for frame in make_clip(3, 6, disturbance, seed=seed)]
    found = apex_curve(frames, landmarks_of(frames, NOWHERE), "difference")
    expected = difference_by_hand([frame[..., 0].astype(np.float64) for frame in frames])
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_patterns_are_those_of_the_definition(seed: int) -> None:
    rng = np.random.default_rng(seed)
    frames = make_clip(2, 4, Disturbance(noise=3.0), seed=seed)
    points = (LANDMARKS / 2 + rng.normal(0, 3, (68, 2))).astype(np.float32)
    frames = [frame[:56, :56] for frame in frames]
    found = apex_curve(frames, landmarks_of(frames, points), "dc_rois")
    expected = dc_rois_by_hand([frame[..., 0].astype(np.float64) for frame in frames], points)
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)
    assert found[1:].min() > 0.01


def test_a_shift_of_the_whole_face_is_no_flow() -> None:
    frames = make_clip(1, 2, Disturbance(shift_px=1.0), peak_px=0.0)
    moving = make_clip(1, 2, Disturbance(shift_px=1.0), peak_px=2.0)
    landmarks = landmarks_of(frames, LANDMARKS)
    still, expressive = (apex_curve(clip, landmarks, "flow")[1] for clip in (frames, moving))
    assert still < 0.1
    assert expressive > 2 * still

"""Histograms and main directions against their slow definitions, and their laws."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from oracles.descriptors import bi_woof_by_hand, hoof_by_hand, main_direction_by_hand

from merec_hpc.config.faces import FaceSettings
from merec_hpc.errors import MerecError
from merec_hpc.faces.reference import reference_landmarks
from merec_hpc.motion.directions import hoof, mdmo
from merec_hpc.motion.optical_flow import counted_motion, optical_strain
from merec_hpc.motion.regions import REGION_NAMES, region_masks

SIZE = 48
LANDMARKS = reference_landmarks(FaceSettings(size_px=SIZE))


def _random_flow(seed: int, height: int, width: int) -> NDArray[np.float32]:
    return np.random.default_rng(seed).normal(size=(height, width, 2)).astype(np.float32)


def _random_mask(seed: int, height: int, width: int) -> NDArray[np.bool_]:
    return np.random.default_rng(seed + 1).random((height, width)) < 0.7


def _constant(u: float, v: float) -> NDArray[np.float32]:
    return np.full((SIZE, SIZE, 2), [u, v], np.float32)


sizes = st.integers(4, 13)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 2**32), sizes, sizes, st.integers(1, 4), st.integers(2, 9))
def test_histograms_are_those_of_the_definition(
    seed: int, height: int, width: int, n_blocks: int, n_bins: int
) -> None:
    flow, is_valid = _random_flow(seed, height, width), _random_mask(seed, height, width)
    # The mask alone keeps what was not filmed from voting.
    strain = optical_strain(flow)
    found = hoof(flow, strain, is_valid, n_blocks, n_bins)
    sums = hoof_by_hand(flow, is_valid, n_blocks, n_bins)
    totals = sums.sum(axis=2, keepdims=True)
    np.testing.assert_allclose(found, sums / np.where(totals > 0, totals, 1), rtol=1e-9)
    weighted = hoof(flow, strain, is_valid, n_blocks, n_bins, "bi_woof")
    expected = bi_woof_by_hand(flow, is_valid, n_blocks, n_bins)
    np.testing.assert_allclose(weighted, expected, rtol=1e-5)


def test_all_pixels_count_where_no_mask_is_given() -> None:
    flow = _random_flow(0, 12, 12)
    everywhere = np.ones((12, 12), bool)
    strain = counted_motion(flow, None)[1]
    for weights in ("none", "bi_woof"):
        without = hoof(flow, strain, None, 3, 8, weights)  # type: ignore[arg-type]
        np.testing.assert_array_equal(without, hoof(flow, strain, everywhere, 3, 8, weights))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("vector", "number"),
    [
        ((1, 0), 0),
        ((1, 1e-3), 0),
        ((1, -1e-3), 7),
        ((1, -1e-30), 0),  # an angle that rounds to the whole circle
        ((0, 1), 2),
        ((-1, 0), 4),
        ((-1, -1e-3), 4),
        ((0, -1), 6),
    ],
)
def test_bins_go_round_from_the_right_by_way_of_down(
    vector: tuple[float, float], number: int
) -> None:
    flow = np.full((4, 4, 2), vector, np.float32)
    histogram = hoof(flow, np.zeros((4, 4), np.float32), None, 1, 8)[0, 0]
    np.testing.assert_array_equal(histogram, np.eye(8)[number])


def test_left_and_right_are_not_folded() -> None:
    strain = np.zeros((SIZE, SIZE), np.float32)
    left = hoof(_constant(-1, -0.5), strain, None, 1, 8)
    right = hoof(_constant(1, -0.5), strain, None, 1, 8)
    assert not np.array_equal(left, right)


def test_votes_are_magnitudes() -> None:
    flow = np.zeros((1, 2, 2), np.float32)
    flow[0, 0], flow[0, 1] = [3, 0.1], [-1, 0.1]
    histogram = hoof(flow, np.zeros((1, 2), np.float32), None, 1, 2 * 4)[0, 0]
    np.testing.assert_allclose(histogram[0] / histogram[3], np.hypot(3, 0.1) / np.hypot(1, 0.1))


def test_bi_woof_prefers_blocks_that_strain_and_keeps_no_scale() -> None:
    flow = _constant(1, 0)
    flow[:, SIZE // 2 :, 0] *= np.linspace(0.5, 1.5, SIZE)[:, None]
    strain = counted_motion(flow, None)[1]
    strain[:, SIZE // 2 - 2 : SIZE // 2] = 0  # beside the step
    found = hoof(flow, strain, None, 2, 4, "bi_woof")
    assert not found[:, 0].any()
    np.testing.assert_allclose(found.sum(), 1)
    twice = counted_motion(2 * flow, None)
    twice[1][:, SIZE // 2 - 2 : SIZE // 2] = 0
    np.testing.assert_allclose(hoof(*twice, None, 2, 4, "bi_woof"), found, rtol=1e-5)


@pytest.mark.parametrize("weights", ["none", "bi_woof"])
def test_still_face_has_empty_histograms(weights: str) -> None:
    still = np.zeros((8, 8, 2), np.float32)
    found = hoof(still, still[..., 0], None, 2, 8, weights)  # type: ignore[arg-type]
    np.testing.assert_array_equal(found, np.zeros((2, 2, 8)))


def test_block_that_was_not_filmed_has_an_empty_histogram() -> None:
    flow, is_valid = _random_flow(3, 8, 8), np.ones((8, 8), bool)
    is_valid[:4, :4] = False
    counted, strain = counted_motion(flow, is_valid)
    for weights in ("none", "bi_woof"):
        found = hoof(counted, strain, is_valid, 2, 8, weights)  # type: ignore[arg-type]
        assert not found[0, 0].any()
        assert found[1, 1].any()


def test_more_blocks_than_pixels_are_refused() -> None:
    flow = _random_flow(0, 6, 5)
    with pytest.raises(MerecError, match=r"^flow\.n_blocks 6: .* found faces of 6 x 5$"):
        hoof(flow, flow[..., 0], None, 6, 8)


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 2**32), st.integers(2, 9))
def test_main_directions_are_those_of_the_definition(seed: int, n_bins: int) -> None:
    rng = np.random.default_rng(seed)
    flow, is_valid = _random_flow(seed, SIZE, SIZE), _random_mask(seed, SIZE, SIZE)
    # Some vectors too short to count, and regions in which several bins are equally full.
    flow[rng.random((SIZE, SIZE)) < 0.2] *= 0.002
    points = LANDMARKS + rng.normal(0, 1, (68, 2))
    expected = []
    for mask in region_masks(points, SIZE):
        vectors = [
            (float(flow[y, x, 0]), float(flow[y, x, 1]))
            for y, x in zip(*np.nonzero(mask), strict=True)
            if is_valid[y, x]
        ]
        expected.append(main_direction_by_hand(vectors, n_bins, 0.01))
    np.testing.assert_allclose(mdmo(flow, is_valid, points, n_bins), expected, rtol=1e-9)


def test_moving_region_is_found_and_the_others_stand_still() -> None:
    number = REGION_NAMES.index("left_jaw")
    mask = region_masks(LANDMARKS, SIZE)[number]
    flow = _constant(0, 0)
    flow[mask] = [0, -2]
    found = mdmo(flow, None, LANDMARKS, 8)
    np.testing.assert_allclose(found[number], [2, -np.pi / 2])
    np.testing.assert_array_equal(found[REGION_NAMES.index("right_brow_inner")], [0, 0])


def test_angles_beside_pi_do_not_cancel() -> None:
    flow = _constant(-1, 0.3)
    flow[::2] = [-1, -0.3]
    # One bin of 120 degrees reaches over the left: its mean vector points there.
    magnitudes, angles = mdmo(flow, None, LANDMARKS, 3).T
    np.testing.assert_allclose(np.abs(angles), np.pi, atol=0.12)
    assert (magnitudes > 0.95).all()


def test_fullest_bin_wins_over_the_strongest_and_the_first_of_equals() -> None:
    mask = region_masks(LANDMARKS, SIZE)[REGION_NAMES.index("chin")]
    y, x = np.argwhere(mask)[:5].T
    only = np.zeros((SIZE, SIZE), bool)
    only[y, x] = True
    flow = _constant(0, 0)
    flow[y, x] = [[-9, 1], [-9, 1], [1, 0.5], [1, 0.5], [1, 0.5]]
    chin = mdmo(flow, only, LANDMARKS, 8)[REGION_NAMES.index("chin")]
    np.testing.assert_allclose(chin, [np.hypot(1, 0.5), np.arctan2(0.5, 1)])
    only[y[-1], x[-1]] = False  # two against two
    chin = mdmo(flow, only, LANDMARKS, 8)[REGION_NAMES.index("chin")]
    np.testing.assert_allclose(chin, [np.hypot(1, 0.5), np.arctan2(0.5, 1)])


def test_region_without_pixels_has_no_direction() -> None:
    found = mdmo(_constant(1, 1), None, LANDMARKS + np.array([0, 1000]), 8)
    np.testing.assert_array_equal(found, np.zeros((36, 2)))

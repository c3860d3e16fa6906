import numpy as np
import pytest
from numpy.typing import NDArray

from merec_hpc.dataset.action_units import (
    CASME2_EXPRESSIONS,
    SMIC_EXPRESSIONS,
    landmark_moves,
    units_of,
)
from merec_hpc.dataset.schemes import SCHEMES

SMIC_3 = SCHEMES["smic-3"].classes

UNITS = sorted({*units_of(SMIC_EXPRESSIONS), *units_of(CASME2_EXPRESSIONS)})
LEFT_BROW, RIGHT_BROW = slice(17, 22), slice(22, 27)
LEFT_CORNER, RIGHT_CORNER, CHIN = 48, 54, 8
LEFT_LOWER_LID, RIGHT_LOWER_LID = [40, 41], [46, 47]

# The 68 points in mirrored order, written out independently of the module under test.
MIRRORED = [
    *range(16, -1, -1),  # jaw
    *range(26, 16, -1),  # brows
    *range(27, 31),  # bridge of the nose
    *range(35, 30, -1),  # base of the nose
    *(45, 44, 43, 42, 47, 46),  # left eye
    *(39, 38, 37, 36, 41, 40),  # right eye
    *range(54, 47, -1),  # outer upper lip
    *range(59, 54, -1),  # outer lower lip
    *range(64, 59, -1),  # inner upper lip
    *range(67, 64, -1),  # inner lower lip
]
MIDDLE = [point for point in range(68) if MIRRORED[point] == point]


def test_the_mirrored_order_is_an_involution_with_the_middle_line_fixed() -> None:
    assert [MIRRORED[point] for point in MIRRORED] == list(range(68))
    assert MIDDLE == [8, 27, 28, 29, 30, 33, 51, 57, 62, 66]


def test_every_class_has_units_of_its_own() -> None:
    assert sorted(SMIC_EXPRESSIONS) == sorted(SMIC_3)
    assert sorted(CASME2_EXPRESSIONS) == sorted(SCHEMES["casme2-5"].classes)
    assert units_of(SMIC_EXPRESSIONS) == [4, 15, 6, 12, 1, 2, 26]
    shown = [units for sets in CASME2_EXPRESSIONS.values() for units in sets]
    assert len(set(shown)) == len(shown)


@pytest.mark.parametrize("unit", UNITS)
def test_every_unit_moves_some_landmarks_but_not_all(unit: int) -> None:
    moved = np.abs(landmark_moves(unit)).max(axis=1) > 0
    assert 0 < moved.sum() < 34


@pytest.mark.parametrize("unit", UNITS)
def test_moves_are_mirror_symmetric(unit: int) -> None:
    moves = landmark_moves(unit)
    assert moves.shape == (68, 2)
    np.testing.assert_array_equal(_mirrored(moves), moves)


@pytest.mark.parametrize("unit", UNITS)
def test_exchanged_strengths_give_the_mirror_image(unit: int) -> None:
    moves = landmark_moves(unit, left=0.5, right=2.0)
    np.testing.assert_allclose(_mirrored(moves), landmark_moves(unit, left=2.0, right=0.5))


@pytest.mark.parametrize("unit", UNITS)
def test_each_half_has_its_own_strength(unit: int) -> None:
    whole, left_alone = landmark_moves(unit), landmark_moves(unit, left=1.0, right=0.0)
    right_alone = landmark_moves(unit, left=0.0, right=1.0)
    np.testing.assert_allclose(left_alone + right_alone, whole)
    sides = [point for point in range(68) if point not in MIDDLE]
    moved_twice = (np.abs(left_alone) * np.abs(right_alone))[sides]
    np.testing.assert_array_equal(moved_twice, 0.0)
    np.testing.assert_array_equal(left_alone[MIDDLE], whole[MIDDLE] / 2)


@pytest.mark.parametrize("unit", UNITS)
def test_strength_scales_the_moves(unit: int) -> None:
    np.testing.assert_allclose(landmark_moves(unit, 1.7, 1.7), 1.7 * landmark_moves(unit))
    np.testing.assert_array_equal(landmark_moves(unit, 0.0, 0.0), np.zeros((68, 2)))


def test_smile_moves_the_corners_of_the_mouth_up_and_out() -> None:
    moves = landmark_moves(12)
    assert moves[LEFT_CORNER, 0] < 0 < moves[RIGHT_CORNER, 0]
    assert (moves[[LEFT_CORNER, RIGHT_CORNER], 1] < 0).all()


def test_sadness_moves_the_corners_of_the_mouth_down() -> None:
    moves = landmark_moves(15)
    corners = moves[[LEFT_CORNER, RIGHT_CORNER]]
    assert (corners[:, 1] > 0).all()
    assert (corners[:, 1] > 2 * np.abs(corners[:, 0])).all()


def test_surprise_moves_the_whole_brows_up() -> None:
    moves = landmark_moves(1) + landmark_moves(2)
    assert (moves[LEFT_BROW, 1] < 0).all()
    assert (moves[RIGHT_BROW, 1] < 0).all()
    np.testing.assert_array_equal(moves[27:], 0.0)


def test_inner_brows_rise_by_unit_1_and_outer_brows_by_unit_2() -> None:
    inner, outer = landmark_moves(1)[:, 1], landmark_moves(2)[:, 1]
    assert inner[21] < outer[21]
    assert outer[17] < inner[17]


def test_frown_moves_the_inner_brows_down_and_together() -> None:
    moves = landmark_moves(4)
    assert moves[21, 0] > 0 > moves[22, 0]
    assert (moves[[20, 21, 22, 23], 1] > 0).all()


def test_raised_cheeks_lift_the_lower_lids() -> None:
    moves = landmark_moves(6)
    assert (moves[[*LEFT_LOWER_LID, *RIGHT_LOWER_LID], 1] < 0).all()


def test_dropped_jaw_moves_chin_and_lower_lip_straight_down() -> None:
    moves = landmark_moves(26)
    assert (moves[[CHIN, 57, 66, 58, 56], 1] > 0).all()
    np.testing.assert_array_equal(moves[:, 0], 0.0)
    np.testing.assert_array_equal(moves[48:55], 0.0)  # upper lip and corners stay


def test_unknown_unit_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(KeyError):
        landmark_moves(99)


def _mirrored(moves: NDArray[np.float64]) -> NDArray[np.float64]:
    return moves[MIRRORED] * [-1.0, 1.0]

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from oracles.interpolation import svd_interpolation

from merec_hpc.clips.interpolation import interpolate, interpolation_matrix

SIZES = st.integers(1, 40)
COUNTS = st.integers(1, 60)
SEEDS = st.integers(0, 2**32 - 1)
# Pixels reach 255, of which float32 keeps 24 bits; sums run over up to 40 frames.
FLOAT32 = 2e-3


def _clip(seed: int, n: int, height: int = 7, width: int = 3) -> NDArray[np.float32]:
    """Random frames: with more pixels than frames they are linearly independent."""
    values = np.random.default_rng(seed).uniform(0, 255, (n, height, width, 3))
    return values.astype(np.float32)


@settings(deadline=None, max_examples=60)
@given(seed=SEEDS, n=st.integers(2, 40), n_frames=COUNTS)
def test_clip_is_that_of_the_papers_singular_value_form(seed: int, n: int, n_frames: int) -> None:
    clip = _clip(seed, n)
    pixels = clip.reshape(n, -1).T.astype(np.float64)
    expected = svd_interpolation(pixels, n_frames)
    np.testing.assert_allclose(pixels @ interpolation_matrix(n, n_frames), expected, atol=1e-6)
    found = interpolate(clip, n_frames).reshape(n_frames, -1).T
    np.testing.assert_allclose(found, expected, atol=FLOAT32)


@settings(deadline=None)
@given(seed=SEEDS, n=SIZES, n_frames=st.integers(2, 60))
def test_first_and_last_frame_are_kept(seed: int, n: int, n_frames: int) -> None:
    clip = _clip(seed, n)
    found = interpolate(clip, n_frames)
    np.testing.assert_allclose(found[0], clip[0], atol=FLOAT32)
    np.testing.assert_allclose(found[-1], clip[-1], atol=FLOAT32)


@settings(deadline=None)
@given(seed=SEEDS, n=st.integers(2, 40))
def test_as_many_frames_as_the_clip_has_give_the_clip(seed: int, n: int) -> None:
    clip = _clip(seed, n)
    np.testing.assert_allclose(interpolate(clip, n), clip, atol=FLOAT32)


@settings(deadline=None)
@given(seed=SEEDS, n=SIZES, n_frames=COUNTS)
def test_still_clip_stays_still(seed: int, n: int, n_frames: int) -> None:
    still = _clip(seed, 1)
    found = interpolate(np.repeat(still, n, axis=0), n_frames)
    np.testing.assert_allclose(found, np.repeat(still, n_frames, axis=0), atol=FLOAT32)


@pytest.mark.parametrize("n_frames", [1, 2, 20])
def test_single_frame_is_repeated(n_frames: int) -> None:
    frame = _clip(3, 1)
    np.testing.assert_array_equal(interpolate(frame, n_frames), np.repeat(frame, n_frames, axis=0))


@pytest.mark.parametrize("n", [3, 5, 11])
def test_one_frame_of_an_odd_clip_is_its_middle_frame(n: int) -> None:
    clip = _clip(n, n)
    np.testing.assert_allclose(interpolate(clip, 1)[0], clip[n // 2], atol=FLOAT32)


def test_one_frame_of_two_is_their_mean() -> None:
    clip = _clip(5, 2)
    np.testing.assert_allclose(interpolate(clip, 1)[0], clip.mean(axis=0), atol=FLOAT32)


@given(n=SIZES, n_frames=COUNTS)
def test_each_new_frame_weighs_the_old_ones_by_a_sum_of_1(n: int, n_frames: int) -> None:
    matrix = interpolation_matrix(n, n_frames)
    assert matrix.shape == (n, n_frames)
    np.testing.assert_allclose(matrix.sum(axis=0), 1, atol=1e-12)


@given(n=SIZES, n_frames=COUNTS)
def test_reversed_clip_gives_the_reversed_result(n: int, n_frames: int) -> None:
    matrix = interpolation_matrix(n, n_frames)
    np.testing.assert_allclose(matrix[::-1, ::-1], matrix, atol=1e-12)


@settings(deadline=None)
@given(seed=SEEDS, n=SIZES, n_frames=COUNTS)
def test_linear_map_of_pixels_may_come_before_or_after(seed: int, n: int, n_frames: int) -> None:
    clip = _clip(seed, n)
    pixel_map = np.random.default_rng(seed + 1).normal(size=(7, 5)) / 7

    def mapped(frames: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.einsum("nhwc,hg->ngwc", frames, pixel_map).astype(np.float32)

    before, after = interpolate(mapped(clip), n_frames), mapped(interpolate(clip, n_frames))
    np.testing.assert_allclose(before, after, atol=FLOAT32)


@pytest.mark.parametrize("kind", [np.uint8, np.int16, np.int64, np.float16, np.float64])
def test_number_types_are_those_of_the_clip_not_of_the_result(kind: type) -> None:
    whole = np.rint(_clip(7, 6)).astype(kind)
    found = interpolate(whole, 9)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, interpolate(whole.astype(np.float32), 9))


def test_step_overshoots_on_both_sides() -> None:
    step = np.zeros((8, 2, 2, 3), np.uint8)
    step[4:] = 255
    found = interpolate(step, 20)
    assert found.min() < -10
    assert found.max() > 265


def test_shape_is_that_of_the_clip_with_the_new_number_of_frames() -> None:
    assert interpolate(np.zeros((4, 6, 5, 1)), 9).shape == (9, 6, 5, 1)


def test_clip_is_left_as_it_was() -> None:
    clip = _clip(9, 4)
    before = clip.copy()
    interpolate(clip, 4)[:] = 0
    np.testing.assert_array_equal(clip, before)


def test_shared_matrix_cannot_be_written_to() -> None:
    with pytest.raises(ValueError, match="read-only"):
        interpolation_matrix(4, 6)[0, 0] = 1


@pytest.mark.parametrize("shape", [(0, 4, 4, 3), (4, 4, 3), (1, 4, 4, 4, 3)])
def test_clip_without_frames_or_with_other_axes_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"\(n >= 1, h, w, c\), found"):
        interpolate(np.zeros(shape), 5)


@pytest.mark.parametrize("n_frames", [0, -3])
def test_fewer_than_one_frame_are_refused(n_frames: int) -> None:
    with pytest.raises(ValueError, match=f"n_frames is {n_frames}, must be at least 1"):
        interpolate(np.zeros((2, 4, 4, 3)), n_frames)


@pytest.mark.parametrize("n_frames", [1, 2, 7, 130])
def test_still_clip_stays_still_to_the_bit(n_frames: int) -> None:
    frame = np.random.default_rng(5).integers(0, 256, (6, 5, 3), dtype=np.uint8)
    found = interpolate(np.repeat(frame[None], n_frames, axis=0), 20)
    np.testing.assert_array_equal(found, np.repeat(frame[None], 20, axis=0))
    assert found.dtype == np.float32


def test_clip_that_moves_in_a_later_block_is_not_still() -> None:
    clip = np.zeros((100, 4, 4, 1), np.uint8)
    clip[-1] = 200
    assert interpolate(clip, 5)[-1].min() > 199

"""The vector instructions against plain NumPy."""

import numpy as np
import pytest
from numba import njit
from numpy.typing import NDArray

from merec_hpc.kernels.simd import BLOCK, add_block, copy_block, sum_outer_products


@njit
def summed(
    left: NDArray[np.float32],
    right: NDArray[np.float32],
    start: int,
    stop: int,
    sums: NDArray[np.float32],
) -> None:
    sum_outer_products(left, right, start, stop, sums, 1)


@njit
def copied(
    source: NDArray[np.float32], first: int, target: NDArray[np.floating], second: int
) -> None:
    copy_block(source, first, target, second)


@pytest.mark.parametrize(("start", "stop"), [(0, 0), (3, 3), (0, 1), (2, 30), (0, 30)])
def test_outer_products_are_summed_over_the_rows(start: int, stop: int) -> None:
    rng = np.random.default_rng(0)
    left, right = rng.integers(-4, 5, size=(2, 30, BLOCK)).astype(np.float32)
    sums = np.full((3, BLOCK, BLOCK), 7, np.float32)
    summed(left, right, start, stop, sums)
    np.testing.assert_array_equal(sums[1], left[start:stop].T @ right[start:stop])
    assert (sums[[0, 2]] == 7).all()


@njit
def added(
    source: NDArray[np.float32], first: int, target: NDArray[np.floating], second: int
) -> None:
    add_block(source, first, target, second)


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_a_block_of_numbers_is_added_and_nothing_else(kind: type) -> None:
    source = np.arange(5 * BLOCK, dtype=np.float32).reshape(5, BLOCK)
    target = np.full((4, BLOCK), -1, kind)
    added(source, BLOCK + 2, target, 2 * BLOCK + 1)
    expected = np.full(4 * BLOCK, -1, kind)
    expected[2 * BLOCK + 1 : 3 * BLOCK + 1] += source.reshape(-1)[BLOCK + 2 : 2 * BLOCK + 2]
    np.testing.assert_array_equal(target.reshape(-1), expected)


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_a_block_of_numbers_is_copied_and_nothing_else(kind: type) -> None:
    source = np.arange(5 * BLOCK, dtype=np.float32).reshape(5, BLOCK) / 3
    target = np.full((4, BLOCK), -1, kind)
    copied(source, BLOCK + 2, target, 2 * BLOCK + 1)
    expected = np.full(4 * BLOCK, -1, kind)
    expected[2 * BLOCK + 1 : 3 * BLOCK + 1] = source.reshape(-1)[BLOCK + 2 : 2 * BLOCK + 2]
    np.testing.assert_array_equal(target.reshape(-1), expected)

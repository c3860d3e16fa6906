"""Inverses against the identity."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from merec_hpc.kernels.inverse import invert, invert_carefully, mirror

Way = Callable[[NDArray[np.float64]], bool]


def definite(n: int, condition: float) -> NDArray[np.float64]:
    rng = np.random.default_rng(n)
    axes = np.linalg.qr(rng.normal(size=(n, n)))[0]
    matrix: NDArray[np.float64] = (axes * np.geomspace(1, condition, n)) @ axes.T
    return matrix


@pytest.mark.parametrize("n", [1, 2, 31, 32, 33, 64, 65, 200])
@pytest.mark.parametrize("condition", [1.0, 1e3, 1e9])
@pytest.mark.parametrize("way", [invert, invert_carefully])
def test_product_with_the_inverse_is_the_identity(way: Way, n: int, condition: float) -> None:
    matrix = definite(n, condition)
    inverse = np.triu(matrix)  # the lower triangle is not read
    assert way(inverse)
    np.testing.assert_allclose(inverse, inverse.T, rtol=0, atol=1e-13 * condition)
    np.testing.assert_allclose(matrix @ inverse, np.eye(n), atol=1e-13 * condition * n)


@pytest.mark.parametrize("n", [90, 200])
def test_errors_of_the_careful_way_grow_with_the_condition_alone(n: int) -> None:
    vague = np.random.default_rng(n).normal(size=(n, n // 2))
    matrix = vague @ vague.T + 1e-9 * np.eye(n)
    condition, inverse = np.linalg.cond(matrix), matrix.copy()
    assert invert_carefully(inverse)
    error = np.linalg.norm(matrix @ inverse - np.eye(n), 2)
    assert error < 1e-14 * condition
    quick = matrix.copy()
    assert not (invert(quick) and np.linalg.norm(matrix @ quick - np.eye(n), 2) < 10 * error)


@pytest.mark.parametrize("n", [2, 40, 100])
@pytest.mark.parametrize("way", [invert, invert_carefully])
def test_a_matrix_that_is_not_definite_is_said_to_be_so(way: Way, n: int) -> None:
    matrix = np.eye(n)
    matrix[n - 1, n - 1] = -1
    assert not way(matrix.copy())
    matrix[n - 1, n - 1] = np.nan
    assert not way(matrix)


def test_nothing_is_inverted_to_nothing() -> None:
    assert invert(np.empty((0, 0)))


@pytest.mark.parametrize("n", [1, 5, 70])
def test_the_upper_triangle_is_mirrored(n: int) -> None:
    matrix = np.random.default_rng(0).normal(size=(n, n))
    expected = np.triu(matrix) + np.triu(matrix, 1).T
    mirror(matrix)
    np.testing.assert_array_equal(matrix, expected)

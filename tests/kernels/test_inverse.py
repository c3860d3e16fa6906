"""Inverses against the identity."""

import numpy as np
import pytest
from numpy.typing import NDArray

from merec_hpc.kernels.inverse import invert, mirror


def definite(n: int, condition: float) -> NDArray[np.float64]:
    rng = np.random.default_rng(n)
    axes = np.linalg.qr(rng.normal(size=(n, n)))[0]
    matrix: NDArray[np.float64] = (axes * np.geomspace(1, condition, n)) @ axes.T
    return matrix


@pytest.mark.parametrize("n", [1, 2, 31, 32, 33, 64, 65, 200])
@pytest.mark.parametrize("condition", [1.0, 1e3, 1e9])
def test_product_with_the_inverse_is_the_identity(n: int, condition: float) -> None:
    matrix = definite(n, condition)
    inverse = np.triu(matrix)  # the lower triangle is not read
    assert invert(inverse)
    np.testing.assert_allclose(inverse, inverse.T, rtol=0, atol=1e-13 * condition)
    np.testing.assert_allclose(matrix @ inverse, np.eye(n), atol=1e-13 * condition * n)


@pytest.mark.parametrize("n", [2, 40, 100])
def test_a_matrix_that_is_not_definite_is_said_to_be_so(n: int) -> None:
    matrix = np.eye(n)
    matrix[n - 1, n - 1] = -1
    assert not invert(matrix.copy())
    matrix[n - 1, n - 1] = np.nan
    assert not invert(matrix)


def test_nothing_is_inverted_to_nothing() -> None:
    assert invert(np.empty((0, 0)))


@pytest.mark.parametrize("n", [1, 5, 70])
def test_the_upper_triangle_is_mirrored(n: int) -> None:
    matrix = np.random.default_rng(0).normal(size=(n, n))
    expected = np.triu(matrix) + np.triu(matrix, 1).T
    mirror(matrix)
    np.testing.assert_array_equal(matrix, expected)

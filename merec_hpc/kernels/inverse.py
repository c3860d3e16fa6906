"""Inverts positive definite matrices, block by block: nearly all of it is matrix products.

At a few hundred rows LAPACK's own inverse runs at a third of the speed of a matrix product.
"""

import numpy as np
from numpy.typing import NDArray

from merec_hpc.kernels.blocks import negative, part, product, put, span, subtract_from, transposed
from merec_hpc.kernels.compiled import compiled

_SMALL = 32  # rows of a block that is inverted row by row


@compiled
def invert(matrix: NDArray[np.float64]) -> bool:
    """Replace a positive definite (n, n) matrix by its inverse; only the upper triangle is read.

    With blocks A, B, D, T = A^-1 B and the Schur complement E = D - B'T, the inverse is
    [[A^-1 + T E^-1 T', -T E^-1], [., E^-1]].

    Returns
    -------
    bool
        Whether it was positive definite, as far as double precision tells.
    """
    n = len(matrix)
    if n <= _SMALL:
        return _sweep(matrix)
    upper, lower = span(0, n // 2), span(n // 2, n)
    first = part(matrix, upper, upper)
    if not invert(first):
        return False
    beside = part(matrix, upper, lower)
    ratio = product(first, beside)
    second = part(matrix, lower, lower)
    subtract_from(second, product(transposed(beside), ratio))
    if not invert(second):
        return False
    across = product(ratio, second)
    back = transposed(across)
    subtract_from(first, product(negative(across), transposed(ratio)))
    put(matrix, upper, upper, 1.0, first)
    put(matrix, lower, lower, 1.0, second)
    put(matrix, upper, lower, -1.0, across)
    put(matrix, lower, upper, -1.0, back)
    return True


@compiled
def _sweep(matrix: NDArray[np.float64]) -> bool:
    """Invert by exchanging one row after the other."""
    n = len(matrix)
    mirror(matrix)
    for k in range(n):
        if not matrix[k, k] > 0:
            return False
        scale = 1.0 / matrix[k, k]
        pivot = matrix[k]
        for row in range(n):
            if row != k:
                target = matrix[row]
                share = target[k] * scale
                for column in range(n):
                    target[column] -= share * pivot[column]
                target[k] = -share
        for column in range(n):
            pivot[column] *= scale
        pivot[k] = scale
    return True


@compiled
def mirror(matrix: NDArray[np.float64]) -> None:
    """Copy the upper triangle to the lower one, tile by tile for the cache's sake."""
    n = len(matrix)
    for top in range(0, n, _SMALL):
        for left in range(top, n, _SMALL):
            right = min(left + _SMALL, n)
            for row in range(top, min(top + _SMALL, n)):
                for column in range(max(left, row + 1), right):
                    matrix[column, row] = matrix[row, column]

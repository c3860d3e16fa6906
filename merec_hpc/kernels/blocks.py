"""Products and parts of matrices, each compiled once for all that use it.

Numba compiles an array expression anew wherever it stands: in small functions it does so once,
which halves the time to the first result.
"""

import numpy as np
from numpy.typing import NDArray

from merec_hpc.kernels.compiled import compiled, compiled_freely

Matrix = NDArray[np.float64]


@compiled
def product(left: Matrix, right: Matrix) -> Matrix:
    """Return left right, of contiguous (m, k) and (k, n)."""
    return np.dot(left, right)


@compiled
def transposed(matrix: Matrix) -> Matrix:
    """Return a contiguous transpose."""
    n_rows, n_columns = matrix.shape
    result = np.empty((n_columns, n_rows))
    for row in range(n_rows):
        for column in range(n_columns):
            result[column, row] = matrix[row, column]
    return result


@compiled
def negative(matrix: Matrix) -> Matrix:
    """Return a matrix with the signs changed."""
    result = np.empty_like(matrix)
    for row in range(len(matrix)):
        for column in range(matrix.shape[1]):
            result[row, column] = -matrix[row, column]
    return result


@compiled
def subtract_from(matrix: Matrix, change: Matrix) -> None:
    """Subtract a matrix of the same shape, in place."""
    for row in range(len(matrix)):
        subtract(matrix[row], 1.0, change[row])


@compiled
def subtract(values: NDArray[np.float64], factor: float, row: NDArray[np.float64]) -> None:
    """Subtract factor times row from values, (n_clips,)."""
    for clip in range(len(values)):
        values[clip] -= factor * row[clip]


@compiled
def part(matrix: Matrix, rows: NDArray[np.int64], columns: NDArray[np.int64]) -> Matrix:
    """Return the values at some rows and columns, (n_rows, n_columns)."""
    result = np.empty((len(rows), len(columns)))
    for i in range(len(rows)):
        source, target = matrix[rows[i]], result[i]
        for j in range(len(columns)):
            target[j] = source[columns[j]]
    return result


@compiled
def put(
    matrix: Matrix,
    rows: NDArray[np.int64],
    columns: NDArray[np.int64],
    factor: float,
    values: Matrix,
) -> None:
    """Write factor times values to some rows and columns."""
    for i in range(len(rows)):
        source, target = values[i], matrix[rows[i]]
        for j in range(len(columns)):
            target[columns[j]] = factor * source[j]


@compiled
def places_of(flags: NDArray[np.bool_], wanted: bool) -> NDArray[np.int64]:
    """Return where flags are as wanted, ascending."""
    count = 0
    for place in range(len(flags)):
        count += flags[place] == wanted
    places = np.empty(count, np.int64)
    count = 0
    for place in range(len(flags)):
        if flags[place] == wanted:
            places[count] = place
            count += 1
    return places


@compiled
def span(first: int, last: int) -> NDArray[np.int64]:
    """Return first, first + 1, ... last - 1."""
    places = np.empty(last - first, np.int64)
    for place in range(last - first):
        places[place] = first + place
    return places


@compiled_freely
def frobenius(matrix: Matrix) -> float:
    """Return the Frobenius norm; nothing but bounds on errors may depend on it."""
    total = 0.0
    for row in range(len(matrix)):
        values = matrix[row]
        for column in range(len(values)):
            total += values[column] * values[column]
    return np.sqrt(total)


@compiled
def trace(matrix: Matrix) -> float:
    """Return the sum of the diagonal."""
    total = 0.0
    for row in range(len(matrix)):
        total += matrix[row, row]
    return total

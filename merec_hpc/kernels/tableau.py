"""The tableau of a machine: its linear system, solved for one value of each clip's pair.

With the residual z = y - f outside the support set S and beta = 0 there, K beta + z = y: in
each pair (beta_i, z_i) one is 0. A tableau R for the set W of clips outside S is that system
solved for the others: with s = beta on S and -z on W, and p the values that are 0 for now,

    s = R[:, S] y_S - [y on W] - R p

    R_SS = K_SS^-1    R_SW = K_SS^-1 K_SW    R_WW = -(K_WW - K_WS K_SS^-1 K_SW)

so that R is symmetric; for W empty it is M, the inverse of K. To exchange the pairs of some
clips D is to solve R_DD p_D = s_D (``docs/engine.md``, step 4).
"""

import numpy as np
from numpy.typing import NDArray

from merec_hpc.kernels.blocks import (
    part,
    places_of,
    product,
    put,
    subtract,
    transposed,
)
from merec_hpc.kernels.compiled import compiled


@compiled
def fill_tableau(
    matrix: NDArray[np.float64],  # (n_clips, n_clips), K if the core is S, M if it is the rest
    sign: float,  # -1 for K, 1 for M
    core: NDArray[np.int64],  # (n_core,)
    core_inverse: NDArray[np.float64],  # (n_core, n_core), inverse of the core's block
    tableau: NDArray[np.float64],  # (n_clips, n_clips), written
) -> None:
    """Write R from K by way of S, or from M by way of the clips outside it.

    Either way it is the same exchange of the pairs of some clips, the core, in a matrix whose
    pairs are those of no clip or of all.
    """
    is_core = np.zeros(len(matrix), np.bool_)
    for clip in core:
        is_core[clip] = True
    rest = places_of(is_core, False)
    beside = part(matrix, core, rest)
    across = product(core_inverse, beside)
    change = np.dot(across.T, beside)
    for i in range(len(rest)):
        source, written, taken = matrix[rest[i]], tableau[rest[i]], change[i]
        for j in range(len(rest)):
            written[rest[j]] = sign * (source[rest[j]] - taken[j])
    put(tableau, core, core, -sign, core_inverse)
    put(tableau, core, rest, -sign, across)
    put(tableau, rest, core, -sign, transposed(across))


@compiled
def fill_start(
    tableau: NDArray[np.float64],  # (n_clips, n_clips)
    target: NDArray[np.float64],  # (n_clips,)
    outside: NDArray[np.bool_],  # (n_clips,)
    start: NDArray[np.float64],  # (n_clips,), written
) -> None:
    """Write s for p = 0."""
    start[:] = 0.0
    for clip in range(len(target)):
        if outside[clip]:
            start[clip] -= target[clip]
        else:
            subtract(start, -target[clip], tableau[clip])


@compiled
def factorise(
    tableau: NDArray[np.float64],  # (n_clips, n_clips)
    clips: NDArray[np.int64],  # (n,)
) -> NDArray[np.float64]:
    """Return the upper triangle D L' of R_DD = L D L'.

    R_DD is quasi-definite (positive definite on S, negative definite outside), and has such
    factors in any order of clips.
    """
    n = len(clips)
    factor = np.empty((n, n))
    for row in range(n):
        source = tableau[clips[row]]
        for column in range(row, n):
            factor[row, column] = source[clips[column]]
    for k in range(n):
        pivot = factor[k]
        for row in range(k + 1, n):
            scaled = pivot[row] / pivot[k]
            rest = factor[row]
            for column in range(row, n):
                rest[column] -= scaled * pivot[column]
    return factor


@compiled
def substitute(
    factor: NDArray[np.float64],  # (n, n), of factorise
    rest: NDArray[np.float64],  # (n,), replaced by the solution
) -> None:
    """Solve R_DD p = rest."""
    n = len(rest)
    for k in range(n):
        pivot, share = factor[k], rest[k] / factor[k, k]
        for row in range(k + 1, n):
            rest[row] -= share * pivot[row]
    for row in range(n - 1, -1, -1):
        for column in range(row + 1, n):
            rest[row] -= factor[row, column] * rest[column]
        rest[row] /= factor[row, row]

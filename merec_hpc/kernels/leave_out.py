"""Linear SVMs with each subject left out, from one inverse of one Gram matrix.

For L2-loss the dual of an SVM on the clips T is, with K = G + I / (2 C), one linear system
on its support vectors S: beta_S = K_SS^-1 y_S, beta = 0 elsewhere, where y_i beta_i >= 0 on
S and y_i f_i >= 1 on the clips of T outside S (f = G beta). Every clip W outside S, held out
or no support vector, is the same to the algebra: with M = K^-1 and b = M y of all clips,

    beta_S = b_S - M_SW z      f_W = y_W - z      z = M_WW^-1 b_W

so that each fold is a small system on its held-out clips and on those that are pivoted out.
S is found by block principal pivoting (Judice, Pires 1994, doi:10.1016/0305-0548(94)90106-6),
which ends for any positive definite K, since it falls back to single pivots.
"""

import numba
import numpy as np
from numpy.typing import NDArray

_N_BLOCK_PIVOTS = 5  # without progress, before single pivots begin
_MOST_PIVOTS_PER_CLIP = 20
_SLACK = 1e-11


@numba.njit()
def leave_folds_out(
    inverse: NDArray[np.float64],  # (n_clips, n_clips), of G + I / (2 C)
    targets: NDArray[np.float64],  # (n_classes, n_clips), +1 or -1
    folds: NDArray[np.int64],  # (n_clips,), from 0
    decisions: NDArray[np.float64],  # (n_clips, n_classes), written
) -> None:
    """Write the decision values of every clip by the SVM that never saw its fold."""
    n_clips = len(folds)
    values, dual = np.empty(n_clips), np.empty(n_clips)
    held_out, outside = np.empty(n_clips, np.bool_), np.empty(n_clips, np.bool_)
    n_folds = 0
    for clip in range(n_clips):
        n_folds = max(n_folds, folds[clip] + 1)
    for target in range(len(targets)):
        _multiply(inverse, targets[target], dual)
        for fold in range(n_folds):
            for clip in range(n_clips):
                held_out[clip] = outside[clip] = folds[clip] == fold
            _pivot(inverse, targets[target], dual, held_out, outside, values)
            for clip in range(n_clips):
                if held_out[clip]:
                    decisions[clip, target] = values[clip]


@numba.njit()
def leave_nothing_out(
    inverse: NDArray[np.float64],  # (n_clips, n_clips), of G + ridge I
    ridge: float,  # 1 / (2 C)
    targets: NDArray[np.float64],  # (n_classes, n_clips), +1 or -1
    decisions: NDArray[np.float64],  # (n_clips, n_classes), written
) -> None:
    """Write the decision values of every clip by the SVM that is trained on all of them."""
    n_clips = targets.shape[1]
    values, dual = np.empty(n_clips), np.empty(n_clips)
    held_out = np.zeros(n_clips, np.bool_)
    for target in range(len(targets)):
        _multiply(inverse, targets[target], dual)
        outside = held_out.copy()
        _pivot(inverse, targets[target], dual, held_out, outside, values)
        for clip in range(n_clips):
            # On S, f = y - ridge beta; outside, the value is f.
            if outside[clip]:
                decisions[clip, target] = values[clip]
            else:
                decisions[clip, target] = targets[target, clip] - ridge * values[clip]


@numba.njit()
def _multiply(
    inverse: NDArray[np.float64],  # (n_clips, n_clips)
    target: NDArray[np.float64],  # (n_clips,)
    dual: NDArray[np.float64],  # (n_clips,), written
) -> None:
    """Write M y."""
    for row in range(len(target)):
        total = 0.0
        for column in range(len(target)):
            total += inverse[row, column] * target[column]
        dual[row] = total


@numba.njit()
def _pivot(
    inverse: NDArray[np.float64],  # (n_clips, n_clips)
    target: NDArray[np.float64],  # (n_clips,)
    dual: NDArray[np.float64],  # (n_clips,), M y of all clips
    held_out: NDArray[np.bool_],  # (n_clips,)
    outside: NDArray[np.bool_],  # (n_clips,), begins as held_out; those outside S, written
    values: NDArray[np.float64],  # (n_clips,), written: f outside S, beta on S
) -> None:
    """Pivot clips in and out of the support set until all conditions hold."""
    n_clips = len(target)
    fewest, patience = n_clips + 1, _N_BLOCK_PIVOTS
    # Pivoting ends by itself in exact arithmetic; the bound ends a tie that rounding keeps
    # undecided, and leaves the clips on the border where the last pivot put them.
    for _ in range(_MOST_PIVOTS_PER_CLIP * n_clips):
        _complement(inverse, target, dual, outside, values)
        n_wrong, last = 0, -1
        for clip in range(n_clips):
            if not held_out[clip] and _is_wrong(
                target[clip] * values[clip], inverse[clip, clip], outside[clip]
            ):
                n_wrong += 1
                last = clip
        if n_wrong == 0:
            return
        if n_wrong < fewest:
            fewest, patience = n_wrong, _N_BLOCK_PIVOTS
        else:
            patience -= 1
        first = 0 if patience >= 0 else last  # a block of pivots, or the last one alone
        for clip in range(first, n_clips):
            if not held_out[clip] and _is_wrong(
                target[clip] * values[clip], inverse[clip, clip], outside[clip]
            ):
                outside[clip] = not outside[clip]


@numba.njit()
def _is_wrong(signed: float, scale: float, is_outside: bool) -> bool:
    """Return whether y f (outside S) or y beta (on S, of the order of scale) breaks its condition.

    The slack covers rounding only: without it a clip on the border would be pivoted for ever.
    """
    return signed < 1.0 - _SLACK if is_outside else signed < -_SLACK * scale


@numba.njit()
def _complement(
    inverse: NDArray[np.float64],  # (n_clips, n_clips)
    target: NDArray[np.float64],  # (n_clips,)
    dual: NDArray[np.float64],  # (n_clips,)
    outside: NDArray[np.bool_],  # (n_clips,)
    values: NDArray[np.float64],  # (n_clips,), written
) -> None:
    """Write f of the clips outside S and beta of those on S."""
    out = np.flatnonzero(outside)
    n_out = len(out)
    factor = np.empty((n_out, n_out))
    rest = np.empty(n_out)
    for row in range(n_out):
        for column in range(row + 1):
            factor[row, column] = inverse[out[row], out[column]]
        rest[row] = dual[out[row]]
    _solve_positive_definite(factor, rest)
    for clip in range(len(target)):
        values[clip] = dual[clip]
    for place in range(n_out):
        row = inverse[out[place]]
        for clip in range(len(target)):
            values[clip] -= row[clip] * rest[place]
    for place in range(n_out):
        values[out[place]] = target[out[place]] - rest[place]


@numba.njit()
def _solve_positive_definite(
    factor: NDArray[np.float64],  # (n, n), lower triangle of the matrix; overwritten
    rest: NDArray[np.float64],  # (n,), right-hand side; overwritten by the solution
) -> None:
    """Solve by Cholesky's factorisation, row by row."""
    n = len(rest)
    for row in range(n):
        for column in range(row):
            total = factor[row, column]
            for k in range(column):
                total -= factor[row, k] * factor[column, k]
            factor[row, column] = total / factor[column, column]
        total = factor[row, row]
        for k in range(row):
            total -= factor[row, k] * factor[row, k]
        factor[row, row] = np.sqrt(total)
    for row in range(n):
        total = rest[row]
        for k in range(row):
            total -= factor[row, k] * rest[k]
        rest[row] = total / factor[row, row]
    for row in range(n - 1, -1, -1):
        total = rest[row]
        for k in range(row + 1, n):
            total -= factor[k, row] * rest[k]
        rest[row] = total / factor[row, row]

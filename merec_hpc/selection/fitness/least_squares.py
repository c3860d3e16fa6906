"""Linear SVMs by orthogonal factors: slow, and right where a Gram matrix is too ill-conditioned.

An L2-loss SVM on its support vectors S is a ridge regression, min |w|^2 / 2 + sum_S C_i
(y_i - x_i w)^2. By QR of the stacked rows its error grows with the root of the condition of
the Gram matrix, where that of any solution from the Gram matrix grows with the condition.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lapack, lstsq

_MOST_STEPS = 1000
_SLACK = 1e-11
_WELL_CONDITIONED = 1e-8


def rotate(chosen: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the clips in an orthonormal basis of what they span: (n_clips, rank or more)."""
    if chosen.shape[1] <= chosen.shape[0]:
        return chosen
    triangle: NDArray[np.float64] = np.linalg.qr(chosen.T).R.T
    return triangle


def fit_support(
    values: NDArray[np.float64],
    target: NDArray[np.float64],
    penalties: NDArray[np.float64],
    training: NDArray[np.bool_],
    start: NDArray[np.float64] | None = None,
) -> NDArray[np.float64]:
    """Return the weights of one machine, (n_features,).

    By finite Newton steps with an exact line search (Keerthi, DeCoste, JMLR 6, 2005), which
    end at the optimum however ill-conditioned the clips.

    Parameters
    ----------
    values
        Shape (n_clips, n_features).
    target
        +1 or -1, shape (n_clips,).
    penalties
        C of each clip, shape (n_clips,).
    training
        The clips to train on, shape (n_clips,).
    start
        Weights to begin with, of a machine that is much alike.
    """
    signed = target[training, None] * values[training]  # (n_training, n_features)
    roots = np.sqrt(2 * penalties[training])
    weights = np.zeros(values.shape[1]) if start is None else start
    margins = signed @ weights
    for _ in range(_MOST_STEPS):
        support = margins < 1
        goal = _regress(roots[support, None] * signed[support], roots[support])
        ahead = signed @ goal
        if (np.where(support, ahead - 1, 1 - ahead) <= _SLACK).all():
            return goal
        step = _line_search(margins, ahead - margins, weights, goal - weights, roots**2)
        weights = weights + step * (goal - weights)
        margins = signed @ weights
    return weights


def _regress(rows: NDArray[np.float64], right: NDArray[np.float64]) -> NDArray[np.float64]:
    """Minimise |rows w - right|^2 + |w|^2."""
    if len(rows) == 0:
        return np.zeros(rows.shape[1])
    # By the smaller of the two normal equations, if it is well-conditioned: w = R'(RR' + 1)^-1 r.
    is_wide = rows.shape[1] > rows.shape[0]
    normal = rows @ rows.T if is_wide else rows.T @ rows
    normal[np.diag_indices_from(normal)] += 1
    factor, failed = lapack.dpotrf(normal, lower=True)
    length = np.abs(normal).sum(axis=0).max()
    if not failed and lapack.dpocon(factor, length, uplo="L")[0] > _WELL_CONDITIONED:
        known = right if is_wide else rows.T @ right
        solution: NDArray[np.float64] = lapack.dpotrs(factor, known, lower=True)[0]
        return rows.T @ solution if is_wide else solution
    stacked = np.concatenate([rows, np.eye(rows.shape[1])])
    padded = np.concatenate([right, np.zeros(rows.shape[1])])
    found: NDArray[np.float64]
    found, *_ = lstsq(stacked, padded, lapack_driver="gelsy", check_finite=False)
    return found


def _line_search(
    margins: NDArray[np.float64],
    change: NDArray[np.float64],
    weights: NDArray[np.float64],
    direction: NDArray[np.float64],
    penalties: NDArray[np.float64],
) -> float:
    """Return the step t that minimises |w + t d|^2 / 2 + sum of C max(0, 1 - m - t c)^2.

    The slope is piecewise linear and rises: it is followed from one clip's margin of 1 to
    the next.
    """
    slope, rise = float(weights @ direction), float(direction @ direction)
    inside = (margins < 1) | ((margins == 1) & (change < 0))
    slope -= float((penalties * (1 - margins) * change)[inside].sum())
    rise += float((penalties * change**2)[inside].sum())
    with np.errstate(divide="ignore", invalid="ignore"):
        crossings = (1 - margins) / change
    step = 0.0
    for clip in np.argsort(crossings, kind="stable"):
        if not crossings[clip] > 0 or not np.isfinite(crossings[clip]):
            continue
        if slope + rise * (crossings[clip] - step) >= 0:
            break
        slope += rise * (crossings[clip] - step)
        step = float(crossings[clip])
        rise += (1.0 if change[clip] < 0 else -1.0) * penalties[clip] * change[clip] ** 2
    return step - slope / rise

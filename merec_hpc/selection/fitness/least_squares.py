"""Linear SVMs by orthogonal factors: slow, and right where a Gram matrix is too ill-conditioned.

An L2-loss SVM on its support vectors S is a ridge regression, min |w|^2 / 2 + sum_S C_i
(y_i - x_i w)^2: with beta_i = 2 C_i (y_i - x_i w), it is R beta + X w = y and w = X' beta. Its
solution is refined until what those two equations lack, taken in twice the working precision,
changes it no more (Bjorck: Iterative refinement of linear least squares solutions, BIT 7, 1967,
doi:10.1007/BF01939321), so that it is right to rounding however ill-conditioned the clips are,
or is known not to be.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lapack, qr, solve_triangular

from merec_hpc.kernels.twofold import add_twofold, multiply_twofold, take_residuals

_MOST_STEPS = 1000
_SLACK = 1e-11
_WELL_CONDITIONED = 1e-8
_MOST_REFINEMENTS = 30
_SETTLED, _NEARLY_SETTLED = 1e-24, 1e-16  # the last change of decisions, of the largest
_MOST_ROUNDS = 400
_PATIENCE = 5  # rounds without progress, before one clip changes sides at a time
_CONDITION_SLACK = 1e-18  # of the machine's largest beta
_WILD = 1e4  # above it, features of different size are not mixed by a rotation as they come

Values = NDArray[np.float64]
Solve = Callable[[Values, Values], tuple[Values, Values]]
"""From what the clips' equations lack and the weights' lack to changes of weights and beta."""


class IllConditionedError(ValueError):
    """What double precision cannot hold."""


@dataclass(frozen=True)
class Machine:
    """A trained SVM without bias."""

    weights: Values  # (n_features,)
    dual: Values  # (n_training,), beta: the weights are its sum of the training clips
    dual_rest: Values  # (n_training,), what is below the rounding of beta


def rotate(chosen: Values) -> Values:
    """Return the clips in an orthonormal basis of what they span: (n_clips, rank or more).

    Features of very different size come in descending order, by a pivoted factorisation, which
    is as exact for the small ones as for the large ones (Cox, Higham: Stability of Householder
    QR factorization for weighted least squares problems, 1998).
    """
    if chosen.shape[1] <= chosen.shape[0]:
        return chosen
    # What is alike stays alike: clips of two classes that are the same have large beta.
    distinct, places = np.unique(chosen, axis=0, return_inverse=True)
    rotated: Values = _rotate_distinct(distinct)[places.reshape(-1)]
    return rotated


def _rotate_distinct(chosen: Values) -> Values:
    sizes = np.sqrt(np.mean(chosen**2, axis=0))
    present = sizes[sizes > 0]
    if len(present) == 0 or present.max() <= _WILD * present.min():
        triangle: Values = np.linalg.qr(chosen.T).R.T
        return triangle
    descending = chosen[:, np.argsort(-sizes, kind="stable")]
    factor, order = qr(descending.T, mode="r", pivoting=True, check_finite=False)
    rotated: Values = np.empty((len(chosen), len(chosen)))
    rotated[order] = factor[: len(chosen)].T
    return rotated


# Features of wild size overflow. A guess then is wrong, and is found to be.
@np.errstate(over="ignore", invalid="ignore")
def fit_machine(
    values: Values, target: Values, penalties: Values, start: Values | None = None
) -> Machine:
    """Train one machine to rounding.

    Parameters
    ----------
    values
        Shape (n_training, n_features).
    target
        +1 or -1, shape (n_training,).
    penalties
        C of each clip, shape (n_training,).
    start
        Weights to begin with, of a machine that is much alike.

    Raises
    ------
    IllConditionedError
        If double precision cannot tell the machine from others.
    """
    support = _approach(target[:, None] * values, penalties, start)
    ridges, turned = 0.5 / penalties, np.ascontiguousarray(values.T)
    fewest, patience = len(target) + 1, _PATIENCE
    stood: tuple[Values, Values] | None = None  # weights, and what margins there are below 1
    for _ in range(_MOST_ROUNDS):
        weights, dual = _solve_support(values, target, ridges, support)
        slack = _CONDITION_SLACK * np.abs(dual[0]).max(initial=0.0)
        # 1 - y x w, from the parts of w, is right far below the rounding of 1.
        lacks = multiply_twofold(turned * -target, weights, 1.0)
        is_right = np.where(support, target * dual[0] >= -slack, lacks <= slack * ridges)
        is_wrong = ~is_right  # as is what is no number
        n_wrong = int(np.count_nonzero(is_wrong))
        if n_wrong == 0:
            return Machine(weights[0], *dual)
        patience = _PATIENCE if n_wrong < fewest else patience - 1
        fewest = min(fewest, n_wrong)
        if patience >= 0:
            support = support ^ is_wrong
            continue
        # As far towards these weights as the objective falls, which ends for certain.
        goal = weights, lacks
        stood = goal if stood is None else _descend(*stood, *goal, ridges, turned * -target)
        support = stood[1] > 0
    msg = "the support vectors do not settle"
    raise IllConditionedError(msg)


def _descend(
    weights: Values, short: Values, goal: Values, goal_short: Values, ridges: Values, turned: Values
) -> tuple[Values, Values]:
    """Return weights between two, where the objective is smallest, and what margins lack to 1.

    The goal is the optimum of the clips that are short of 1, so that the slope at the start is
    known without cancellation.
    """
    change = (goal[0] - weights[0]) + (goal[1] - weights[1])
    ahead = short - goal_short
    bends = ahead**2 / ridges
    rise = float(change @ change + bends[short > 0].sum())
    slope, step = -rise, 0.0
    with np.errstate(divide="ignore", invalid="ignore"):
        crossings = short / ahead
    for clip in np.argsort(crossings, kind="stable"):
        if not 0 <= crossings[clip] < np.inf or (short[clip] <= 0 and ahead[clip] >= 0):
            continue
        if slope + rise * (crossings[clip] - step) >= 0:
            break
        slope += rise * (crossings[clip] - step)
        step = float(crossings[clip])
        rise += float(bends[clip] if ahead[clip] < 0 else -bends[clip])
    step -= slope / rise
    moved = weights.copy()
    add_twofold(moved, step * change)
    return moved, multiply_twofold(turned, moved, 1.0)


def _approach(signed: Values, penalties: Values, start: Values | None) -> NDArray[np.bool_]:
    """Return the support vectors, but for rounding.

    By finite Newton steps with an exact line search (Keerthi, DeCoste, JMLR 6, 2005), which end
    at the optimum however ill-conditioned the clips.
    """
    roots = np.sqrt(2 * penalties)
    weights = np.zeros(signed.shape[1]) if start is None else start
    margins = signed @ weights
    for _ in range(_MOST_STEPS):
        support = margins < 1
        solve = _factorise(signed[support], 0.5 / penalties[support])
        goal, _ = solve(np.ones(np.count_nonzero(support)), np.zeros(signed.shape[1]))
        ahead = signed @ goal
        if (np.where(support, ahead - 1, 1 - ahead) <= _SLACK).all():
            return np.asarray(support, np.bool_)
        step = _line_search(margins, ahead - margins, weights, goal - weights, roots**2)
        weights = weights + step * (goal - weights)
        margins = signed @ weights
    return np.asarray(margins < 1, np.bool_)


def _solve_support(
    values: Values, target: Values, ridges: Values, support: NDArray[np.bool_]
) -> tuple[Values, Values]:
    """Return weights and beta of the regression on some clips, in two parts each."""
    everyone = np.zeros((2, len(target)))
    if not support.any():
        return np.zeros((2, values.shape[1])), everyone
    regression = values, np.ascontiguousarray(values[support]), target[support], ridges[support]
    weights, dual, change = _refine(*regression, _factorise(values[support], ridges[support]))
    if not change <= _SETTLED:
        stacked = _factorise_stacked(values[support], ridges[support])
        weights, dual, change = _refine(*regression, stacked)
    if not change <= _NEARLY_SETTLED:
        msg = "the weights do not settle"
        raise IllConditionedError(msg)
    everyone[:, support] = dual
    return weights, everyone


def _refine(
    values: Values, rows: Values, target: Values, ridges: Values, solve: Solve
) -> tuple[Values, Values, float]:
    """Return weights, beta and the last change of the decisions, in units of the largest."""
    turned, lengths = np.ascontiguousarray(rows.T), np.linalg.norm(rows, axis=1)
    weights, dual = np.zeros((2, rows.shape[1])), np.zeros((2, len(rows)))
    of_clips, of_weights = target.copy(), np.zeros(rows.shape[1])
    smallest, size, n_vain = np.inf, np.inf, 0
    for _ in range(_MOST_REFINEMENTS):
        change, change_of_dual = solve(of_clips, of_weights)
        add_twofold(dual, change_of_dual)
        add_twofold(weights, change)
        # Decisions of a machine whose clips cancel out are nothing but rounding.
        noise = 1e-30 * lengths.max() * (lengths @ np.abs(dual[0]))
        unit = max(_largest(values @ weights[0]), noise / _SETTLED)
        size = _largest(values @ change) / unit if unit > 0 else 0.0
        n_vain = 0 if size < 0.5 * smallest else n_vain + 1
        smallest = min(size, smallest)
        if size <= _SETTLED or n_vain > 1:
            break
        take_residuals(rows, turned, target, ridges, dual, weights, of_clips, of_weights)
    return weights, dual, size


def _largest(values: Values) -> float:
    return float(np.abs(values).max(initial=0.0))


def _factorise(rows: Values, ridges: Values) -> Solve:
    """Return what solves R dbeta + X dw = r, dw - X' dbeta = q for dw and dbeta."""
    n_rows, n_features = rows.shape
    if n_rows == 0:
        return lambda of_clips, of_weights: (of_weights, of_clips)
    # By the smaller of the two normal equations, if it is well-conditioned.
    is_wide = n_features > n_rows
    normal = rows @ rows.T if is_wide else (rows / ridges[:, None]).T @ rows
    normal[np.diag_indices_from(normal)] += ridges if is_wide else 1
    factor, failed = lapack.dpotrf(normal, lower=True)
    length = np.abs(normal).sum(axis=0).max()
    if failed or not lapack.dpocon(factor, length, uplo="L")[0] > _WELL_CONDITIONED:
        return _factorise_stacked(rows, ridges)

    def solve(of_clips: Values, of_weights: Values) -> tuple[Values, Values]:
        if is_wide:
            dual = lapack.dpotrs(factor, of_clips - rows @ of_weights, lower=True)[0]
            return of_weights + rows.T @ dual, dual
        known = of_weights + rows.T @ (of_clips / ridges)
        change = lapack.dpotrs(factor, known, lower=True)[0]
        return change, (of_clips - rows @ change) / ridges

    return solve


def _factorise_stacked(rows: Values, ridges: Values) -> Solve:
    """Solve by QR of the stacked rows, columns brought to one size, the largest rows first."""
    n_rows, n_features = rows.shape
    roots = 1 / np.sqrt(ridges)
    stacked = np.concatenate([roots[:, None] * rows, np.eye(n_features)])
    scales = 1 / np.linalg.norm(stacked, axis=0)
    stacked *= scales
    descending = np.argsort(-np.abs(stacked).max(axis=1), kind="stable")
    basis, triangle, order = qr(
        stacked[descending], mode="economic", pivoting=True, check_finite=False
    )

    def solve(of_clips: Values, of_weights: Values) -> tuple[Values, Values]:
        right = np.zeros(n_rows + n_features)
        right[:n_rows] = roots * of_clips
        known = basis.T @ right[descending]
        known += solve_triangular(triangle, (scales * of_weights)[order], trans="T")
        change, rest = np.empty(n_features), np.empty_like(right)
        change[order] = solve_triangular(triangle, known)
        rest[descending] = right[descending] - basis @ known
        return scales * change, roots * rest[:n_rows]

    return solve


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

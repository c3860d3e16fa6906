"""A linear SVM of few features, from the features themselves, with one fold left out.

The L2-loss SVM min 1/2 |w|^2 + sum_i C_i max(0, 1 - y_i f_i)^2 with f = X w is, once its support
set S = {i: y_i f_i < 1} is known, one system of as many equations as there are features,

    (1 + X_S' D X_S) w = X_S' D y_S,    D = diag(2 C_i),

which is solved for one set after the other until the set is that of its own solution: Newton's
method, of which a step is halved until the machine is no worse (Keerthi, DeCoste: A modified finite
Newton method for fast solution of large scale linear SVMs, Journal of Machine Learning Research 6,
2005).
"""

import numpy as np
from numpy.typing import NDArray

from merec_hpc.kernels.compiled import compiled
from merec_hpc.kernels.pivoting import IMPRECISE, SOLVED, UNSETTLED

PRECISION = 2.0**-42
"""Of a decision, in units of its reach: sums of thousands of clips and features round by less."""
_MOST_ROUNDS = 40
_MOST_HALVES = 10


@compiled
def leave_one_fold_out(
    features: NDArray[np.float64],  # (n_clips, n_features)
    penalties: NDArray[np.float64],  # (n_clips,), C of each clip
    target: NDArray[np.float64],  # (n_clips,), +1 or -1
    first: int,  # clips first..last are held out
    last: int,
    outside: NDArray[np.bool_],  # (n_clips,), those outside S to begin with; written
    decisions: NDArray[np.float64],  # (n_clips,), written
    reach: NDArray[np.float64],  # (n_clips,), written
) -> int:
    """Write the decisions of all clips, and their errors in units of ``PRECISION``.

    The error of w is at most that of the system, which rounding leaves below so much of
    trace(H) |w| + sum_S 2 C_i |x_i|, over the least eigenvalue: 1 or more.

    Returns
    -------
    int
        ``SOLVED``; ``IMPRECISE`` where rounding might change S, ``UNSETTLED`` where S does not
        settle.
    """
    n_clips, n_features = features.shape
    outside[first:last] = True
    weights, values = np.zeros(n_features), np.zeros(n_clips)
    for turn in range(_MOST_ROUNDS):
        support = np.flatnonzero(~outside)
        roots = np.sqrt(2 * penalties[support])
        rows = features[support] * roots.reshape(-1, 1)
        system = rows.T @ rows + np.eye(n_features)
        found = np.linalg.solve(system, rows.T @ (roots * target[support]))
        reached = features @ found
        step = 1.0
        if turn > 0:
            step = _step(penalties, target, first, last, weights, values, found, reached)
        weights, values = weights + step * (found - weights), values + step * (reached - values)
        is_settled = step == 1.0
        for clip in range(n_clips):
            is_beyond = target[clip] * values[clip] >= 1
            if is_beyond != outside[clip] and not first <= clip < last:
                outside[clip] = not outside[clip]
                is_settled = False
        if is_settled:
            error, is_certain = _error(system, rows, roots, weights), True
            for clip in range(n_clips):
                decisions[clip] = values[clip]
                reach[clip] = error * np.sqrt((features[clip] ** 2).sum())
                if not first <= clip < last:
                    lack = abs(1 - target[clip] * values[clip])
                    is_certain &= lack > PRECISION * reach[clip]
            return SOLVED if is_certain else IMPRECISE
    return UNSETTLED


@compiled
def _error(
    system: NDArray[np.float64],  # (n_features, n_features), H
    rows: NDArray[np.float64],  # (n_support, n_features), root times x
    roots: NDArray[np.float64],  # (n_support,), of 2 C
    weights: NDArray[np.float64],  # (n_features,)
) -> float:
    """Return the error of w, in units of ``PRECISION``."""
    scale = np.trace(system) * np.sqrt((weights**2).sum())
    for place in range(len(roots)):
        scale += roots[place] * np.sqrt((rows[place] ** 2).sum())
    return scale * min(1.0, np.sqrt((np.linalg.inv(system) ** 2).sum()))


@compiled
def _step(
    penalties: NDArray[np.float64],  # (n_clips,)
    target: NDArray[np.float64],  # (n_clips,)
    first: int,
    last: int,
    weights: NDArray[np.float64],  # (n_features,), where it stands
    values: NDArray[np.float64],  # (n_clips,), the decisions there
    found: NDArray[np.float64],  # (n_features,), where it would go
    reached: NDArray[np.float64],  # (n_clips,), the decisions there
) -> float:
    """Return how much of the way makes the machine better: 1, or less by halves."""
    known = _cost(penalties, target, first, last, weights, values)
    step = 1.0
    for _ in range(_MOST_HALVES):
        there = weights + step * (found - weights)
        decided = values + step * (reached - values)
        if _cost(penalties, target, first, last, there, decided) <= known:
            break
        step /= 2
    return step


@compiled
def _cost(
    penalties: NDArray[np.float64],  # (n_clips,)
    target: NDArray[np.float64],  # (n_clips,)
    first: int,
    last: int,
    weights: NDArray[np.float64],  # (n_features,)
    values: NDArray[np.float64],  # (n_clips,)
) -> float:
    total = 0.5 * (weights**2).sum()
    for clip in range(len(target)):
        lacks = 1 - target[clip] * values[clip]
        if lacks > 0 and not first <= clip < last:
            total += penalties[clip] * lacks**2
    return total

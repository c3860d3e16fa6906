"""Linear SVMs in many digits: the dual's linear systems by mpmath, from the features as they are.

For sets of a few clips: the support set by pivots that end for certain, Gram matrix and systems in
``DIGITS`` decimal digits. Features, being doubles, are exact.
"""

import mpmath
import numpy as np
from numpy.typing import NDArray

DIGITS = 60


def exact_decisions(
    features: NDArray[np.float64],  # (n_clips, n_features)
    target: NDArray[np.float64],  # (n_clips,), +1 or -1
    penalties: NDArray[np.float64],  # (n_clips,), C of each clip
    training: NDArray[np.bool_],  # (n_clips,)
) -> NDArray[np.float64]:
    """Return the decisions of all clips by the machine of the training clips, rounded once."""
    with mpmath.workdps(DIGITS):
        rows = [[mpmath.mpf(float(value)) for value in row] for row in features]
        gram = [[mpmath.fdot(left, right) for right in rows] for left in rows]
        known = np.flatnonzero(training).tolist()
        ridges = {i: 1 / (2 * mpmath.mpf(float(penalties[i]))) for i in known}
        dual = _settle(gram, ridges, {i: mpmath.mpf(float(target[i])) for i in known})
        return np.array(
            [
                float(mpmath.fsum(gram[clip][i] * beta for i, beta in dual.items()))
                for clip in range(len(rows))
            ]
        )


def _settle(
    gram: list[list[mpmath.mpf]], ridges: dict[int, mpmath.mpf], target: dict[int, mpmath.mpf]
) -> dict[int, mpmath.mpf]:
    """Return beta of the support vectors, by block pivots, and then single ones (Murty's rule)."""
    support = set(target)
    for turn in range(10_000):
        dual = _solve(gram, ridges, target, sorted(support))
        wrong = {i for i in support if target[i] * dual[i] < 0}
        for i in set(target) - support:
            decision = mpmath.fsum(gram[i][j] * beta for j, beta in dual.items())
            if target[i] * decision < 1:
                wrong.add(i)
        if not wrong:
            return dual
        support ^= wrong if turn < 10 else {max(wrong)}
    raise AssertionError(wrong)


def _solve(
    gram: list[list[mpmath.mpf]],
    ridges: dict[int, mpmath.mpf],
    target: dict[int, mpmath.mpf],
    support: list[int],
) -> dict[int, mpmath.mpf]:
    kernel = mpmath.matrix(len(support))
    for row, i in enumerate(support):
        for column, j in enumerate(support):
            kernel[row, column] = gram[i][j] + (ridges[i] if i == j else 0)
    right = mpmath.matrix([target[i] for i in support])
    solution = mpmath.lu_solve(kernel, right)
    return dict(zip(support, solution, strict=True))

"""Linear SVMs with each fold left out, one problem after the other, from the features.

The dual of the L2-loss SVM, min 1/2 a'(Q + I / (2 C)) a - 1'a over a >= 0, is a non-negative
least squares problem on the features themselves: no Gram matrix, no inverse, no pivoting of
ours. SciPy's active-set method solves it to rounding.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls


def svm_weights(
    features: NDArray[np.float64],  # (n_clips, n_features)
    signs: NDArray[np.float64],  # (n_clips,), +1 or -1
    C: float,
) -> NDArray[np.float64]:
    """Return the weights of one L2-regularised L2-loss SVM without bias, (n_features,)."""
    n_clips = len(signs)
    signed = (signs[:, None] * features).T
    ridge = 1 / (2 * C)
    # |A a - b|^2 = a'Qa + ridge a'a - 2 1'a + constant
    stacked = np.concatenate([signed, np.sqrt(ridge) * np.eye(n_clips)])
    wanted = np.concatenate([np.zeros(len(signed)), np.full(n_clips, 1 / np.sqrt(ridge))])
    duals, _ = nnls(stacked, wanted, maxiter=100 * n_clips)
    weights: NDArray[np.float64] = signed @ duals
    return weights


def left_out_decisions(
    features: NDArray[np.float64],  # (n_clips, n_features)
    targets: NDArray[np.float64],  # (n_machines, n_clips), +1 or -1
    folds: NDArray[np.int64],  # (n_clips,)
    C: float,
) -> NDArray[np.float64]:
    """Return the decisions of every clip by SVMs that never saw its fold."""
    decisions = np.empty((len(folds), len(targets)))
    for machine, signs in enumerate(targets):
        for fold in np.unique(folds):
            held_out = folds == fold
            weights = svm_weights(features[~held_out], signs[~held_out], C)
            decisions[held_out, machine] = features[held_out] @ weights
    return decisions


def training_decisions(
    features: NDArray[np.float64],  # (n_clips, n_features)
    targets: NDArray[np.float64],  # (n_machines, n_clips), +1 or -1
    C: float,
) -> NDArray[np.float64]:
    """Return the decisions of every clip by SVMs that were trained on all of them."""
    return np.stack([features @ svm_weights(features, signs, C) for signs in targets], axis=1)

"""The feature that gives linear SVMs an intercept: the same for all clips.

A bias b makes it b times the root of the mean squared length of the training clips, that is of
the mean diagonal of their Gram matrix: it then weighs alike whatever the scale and the number
of features. It is regularised with the other features, as LIBLINEAR's ``-B`` is (Fan et al.:
LIBLINEAR, JMLR 9, 2008), and adds its square to every entry of the Gram matrix.
"""

import numpy as np
from numpy.typing import NDArray


def mean_squares(features: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the mean square of each feature over clips, (n_features,)."""
    totals = np.einsum("cf,cf->f", features, features, dtype=np.float64)
    return np.asarray(totals / len(features), np.float64)


def bias_feature(squares: NDArray[np.float64], mask: NDArray[np.bool_], bias: float) -> float:
    """Return the feature that a bias gives every clip.

    Parameters
    ----------
    squares
        Mean square of each feature over the training clips, (n_features,).
    mask
        The features that the SVM sees, (n_features,).
    bias
        At least 0, in units of the root of the clips' mean squared length.
    """
    return float(bias * np.sqrt((squares * mask).sum()))


def with_constant(chosen: NDArray[np.float64], constant: float) -> NDArray[np.float64]:
    """Return clips with one more feature, that all have alike; as they are if it is 0."""
    if constant == 0:
        return chosen
    return np.column_stack([chosen, np.full(len(chosen), constant)])

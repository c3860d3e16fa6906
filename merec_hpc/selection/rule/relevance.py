"""Gram matrices of clips whose features are weighted by what they say about the classes."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from merec_hpc.selection.rule.fold_statistics import Values


@dataclass(frozen=True)
class RelevanceGram:
    """G = (Q w) Q' of clips, training clips first, divided by their mean G_ii."""

    matrix: NDArray[np.float64]  # (n_clips, n_clips)
    weights: NDArray[np.float64]
    """What w and the division together multiply a feature's products by, (n_features,)."""

    @classmethod
    def of(cls, clips: Values, n_training: int, weights: NDArray[np.float64]) -> Self:
        """Return the Gram matrix of clips; without anything that varies it is 0.

        Parameters
        ----------
        clips
            Training clips first, (n_clips, n_features).
        n_training
            Number of training clips.
        weights
            Of each feature, at least 0, (n_features,).
        """
        weighted = clips * np.sqrt(weights)
        matrix = weighted @ weighted.T
        mean = matrix.diagonal()[:n_training].mean()
        scale = 1.0 / mean if mean > 0 else 0.0
        return cls(matrix * scale, weights * scale)


def relevance_weights(f_values: NDArray[np.float64], p: float) -> NDArray[np.float64]:
    """Return F^p of each feature, over the largest: at most 1, (n_features,).

    p = 0 weighs all features alike. Where no feature has an F above 0, all weigh alike as well.
    """
    largest = f_values.max(initial=0.0)
    if largest == 0:
        return np.ones_like(f_values)
    weights: NDArray[np.float64] = (f_values / largest) ** p
    return weights

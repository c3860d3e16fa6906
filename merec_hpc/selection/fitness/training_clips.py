"""The clips that an SVM is trained on, and what it sees of them."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray

from merec_hpc.learning.bias import bias_feature, mean_squares, with_constant


@dataclass(frozen=True)
class TrainingClips:
    """All clips, as those that an SVM is trained on."""

    kept: NDArray[np.float64]  # (n_clips, n_features)
    rows: NDArray[np.int64] | None = None  # of the kept clips, where others keep them

    @property
    def features(self) -> NDArray[np.float64]:
        """The clips' features, (n_clips, n_features): a copy, where others keep them."""
        return self.kept if self.rows is None else self.kept[self.rows]

    @cached_property
    def squares(self) -> NDArray[np.float64]:
        """Mean square of each feature, (n_features,)."""
        return mean_squares(self.features)

    def constant(self, mask: NDArray[np.bool_], bias: float) -> float:
        """Return the feature that a bias gives every clip."""
        return bias_feature(self.squares, mask, bias) if bias else 0.0

    def chosen(self, mask: NDArray[np.bool_], bias: float) -> NDArray[np.float64]:
        """Return what an SVM sees of the clips: with a bias, one feature more."""
        return with_constant(self.features[:, mask], self.constant(mask, bias))

    def weighted(self, weights: NDArray[np.float64] | None) -> Self:
        """Return the clips with every feature multiplied by its weight, (n_features,)."""
        return self if weights is None else replace(self, kept=self.kept * weights)

"""Scales features by what the training clips show."""

from dataclasses import dataclass
from typing import Literal, Self

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Scaling:
    """An affine map of each feature, learnt from training clips."""

    mean: NDArray[np.float64]  # (n_features,)
    std: NDArray[np.float64]  # (n_features,)

    @classmethod
    def fit(cls, training: NDArray[np.floating], kind: Literal["none", "standard"]) -> Self:
        """Learn the map from training clips, shape (n_clips, n_features).

        "standard" gives every feature mean 0 and standard deviation 1 over the training
        clips (a constant feature becomes 0); "none" changes nothing.
        """
        n_features = training.shape[1]
        if kind == "none":
            return cls(np.zeros(n_features), np.ones(n_features))
        values = training.astype(np.float64)
        std = values.std(axis=0)
        return cls(values.mean(axis=0), np.where(std > 0, std, 1.0))

    def apply(self, values: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return scaled features, shape (n_clips, n_features)."""
        scaled: NDArray[np.float64] = (values - self.mean) / self.std
        return scaled

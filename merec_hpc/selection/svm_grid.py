"""The linear SVMs that a selector chooses from: every C with every bias."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from merec_hpc.config.selection import SelectorSettings
from merec_hpc.records import Masks


@dataclass(frozen=True)
class SvmGrid:
    """Pairs of C and bias. Of equal scores the first counts: the smallest C, then the bias as listed."""

    C: NDArray[np.float64]  # (n_pairs,), ascending
    bias: NDArray[np.float64]  # (n_pairs,), 0 for none

    @classmethod
    def of(cls, settings: SelectorSettings) -> Self:
        """Return the pairs that the settings of a selector allow."""
        penalties = np.sort(np.array(settings.C_values, np.float64))
        biases = np.array(settings.bias, np.float64)
        return cls(np.repeat(penalties, len(biases)), np.tile(biases, len(penalties)))

    def __len__(self) -> int:
        return len(self.C)

    def with_each(self, masks: Masks) -> tuple[Masks, NDArray[np.float64], NDArray[np.float64]]:
        """Return each mask with all pairs, mask by mask: masks, C and bias."""
        n_masks = len(masks)
        return (
            np.repeat(masks, len(self), axis=0),
            np.tile(self.C, n_masks),
            np.tile(self.bias, n_masks),
        )

"""Removes from clips what is their subjects' own, as far as a rule's kappa believes in it."""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from merec_hpc.learning.calibration import SubjectOffsets
from merec_hpc.learning.scaling import Scaling
from merec_hpc.selection.rule.fold_statistics import Statistics, Values, standard_scaling

# What is left of a feature of deviation 1 where all is offset: rounding.
_ROUNDING = 1e-10


@dataclass(frozen=True)
class Calibration:
    """Standardises, removes subjects' offsets, and standardises again."""

    first: Scaling
    offsets: SubjectOffsets | None
    """``None`` removes nothing: kappa is 0."""
    then: Scaling | None

    @classmethod
    def learn(
        cls,
        statistics: Statistics,
        kappa: float,
        standardised: Values,
        subjects: NDArray[np.generic],
        n_training: int,
    ) -> tuple[Self, Values]:
        """Learn the second standardisation, and return the mapped clips with the map.

        From the mean of a subject of n_s clips, lambda of it is removed: lambda is
        kappa vb / (kappa vb + ve / n_s + vmix), with the variances of ``SubjectOffsets``.

        Parameters
        ----------
        statistics
            Of the training clips.
        kappa
            From 0; 0 is inductive.
        standardised
            Clips by ``statistics.scaling``, those to train on first, (n_clips, n_features).
        subjects
            Of each clip, (n_clips,); whose clips are trained on has no others.
        n_training
            Number of clips to train on.
        """
        if kappa == 0:
            return cls(statistics.scaling, None, None), standardised
        known = statistics.offsets
        offsets = replace(known, between=kappa * known.between)
        left = offsets.removed(standardised, subjects)  # type: ignore[arg-type]
        then = standard_scaling(left[:n_training], _ROUNDING)
        return cls(statistics.scaling, offsets, then), then.apply(left)

    @property
    def is_transductive(self) -> bool:
        """Whether a clip is mapped by what others of its subject show."""
        return self.offsets is not None

    def apply(self, values: Values, subjects: NDArray[np.generic]) -> Values:
        """Return mapped clips, (n_clips, n_features).

        Parameters
        ----------
        values
            All clips of each subject at once, (n_clips, n_features): their mean is the subject's.
        subjects
            Of each clip, (n_clips,).
        """
        standardised = self.first.apply(values)
        if self.offsets is None or self.then is None:
            return standardised
        return self.then.apply(self.offsets.removed(standardised, subjects))  # type: ignore[arg-type]

"""Removes from clips what is their subjects' own, as far as a rule's kappa believes in it."""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from merec_hpc.learning.calibration import SubjectOffsets
from merec_hpc.learning.scaling import Scaling
from merec_hpc.selection.rule.statistics import Statistics, Values, standard_scaling

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
        values: Values,
        subjects: NDArray[np.generic],
    ) -> Self:
        """Learn the second standardisation from training clips; the rest they have told already.

        From the mean of a subject of n_s clips, lambda of it is removed: lambda is
        kappa vb / (kappa vb + ve / n_s + vmix), with the variances of ``SubjectOffsets``.

        Parameters
        ----------
        statistics
            Of the same training clips.
        kappa
            From 0; 0 is inductive.
        values
            Shape (n_clips, n_features).
        subjects
            Of each clip, (n_clips,).
        """
        if kappa == 0:
            return cls(statistics.scaling, None, None)
        known = statistics.offsets
        offsets = replace(known, between=kappa * known.between)
        left = offsets.removed(statistics.scaling.apply(values), subjects)  # type: ignore[arg-type]
        return cls(statistics.scaling, offsets, standard_scaling(left, _ROUNDING))

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

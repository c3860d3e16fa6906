"""Removes from a subject's features what is the subject's own and not its expressions'.

People differ by an offset: a random intercept of each feature. The mean of a subject's clips
estimates it, with the noise of few clips and with the classes that these happen to show. How much
of the mean to believe is learnt from the variances of the training clips (shrinkage of a random
effect: Robinson, 1991, doi:10.1214/ss/1177011926). What reads the mean of whom is to be predicted
is transductive: it needs several of its unlabelled clips, of several classes.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]


@dataclass(frozen=True)
class SubjectOffsets:
    """How far a subject's mean is its offset: a variance of each feature for each thing in it."""

    between: Values
    """Between subjects, times kappa, (n_features,)."""
    within: Values
    """Between the clips of a subject, their classes apart, (n_features,)."""
    mixture: Values
    """Of what a subject's mean owes to the classes that its clips show, (n_features,)."""
    min_clips: int
    """A subject with fewer clips keeps its mean."""

    @classmethod
    def whole(cls, n_features: int, min_clips: int) -> Self:
        """Return offsets that are the whole mean."""
        nothing = np.zeros(n_features)
        return cls(np.ones(n_features), nothing, nothing, min_clips)

    @classmethod
    def learn(
        cls,
        values: Values,
        labels: NDArray[np.int64],
        subjects: NDArray[np.str_],
        kappa: float,
        min_clips: int,
    ) -> Self:
        """Estimate the variances on training clips.

        With the residuals r of the n clips from the means of their classes, and of each of the S
        subjects the number of clips n_s, the mean residual and the mean m_s of its clips' class
        means: ``within`` is the sum of (r - mean residual of the subject)^2 over n - S, ``between``
        kappa max(0, sum n_s (mean residual)^2 / n - S within / n), ``mixture`` sum n_s m_s^2 / n.
        Where no subject has two clips nothing tells offset from noise, and ``between`` is 0.

        Parameters
        ----------
        values
            Of mean 0 over the training clips, (n_clips, n_features).
        labels, subjects
            Of each clip, (n_clips,).
        kappa
            More than 0.
        """
        n_clips, n_features = values.shape
        of_classes, residuals = np.empty((2, n_clips, n_features))
        for rows in _groups(labels):
            of_classes[rows] = values[rows].mean(axis=0)
        np.subtract(values, of_classes, out=residuals)
        within, between, mixture = np.zeros((3, n_features))
        own = list(_groups(subjects))
        for rows in own:
            mean = residuals[rows].mean(axis=0)
            within += ((residuals[rows] - mean) ** 2).sum(axis=0)
            between += len(rows) * mean**2
            mixture += len(rows) * of_classes[rows].mean(axis=0) ** 2
        if n_clips == len(own):
            return cls(np.zeros(n_features), within, mixture / n_clips, min_clips)
        within /= n_clips - len(own)
        between = np.maximum(0, between / n_clips - len(own) * within / n_clips)
        return cls(kappa * between, within, mixture / n_clips, min_clips)

    def shares(self, n_clips: int) -> Values:
        """Return the part of the mean of so many clips that is offset, in 0..1, (n_features,)."""
        if n_clips < self.min_clips:
            return np.zeros_like(self.between)
        everything = self.between + self.within / n_clips + self.mixture
        return np.divide(
            self.between, everything, out=np.zeros_like(everything), where=everything > 0
        )

    def removed(self, values: Values, subjects: NDArray[np.str_]) -> Values:
        """Return the clips without the offset of each subject, (n_clips, n_features)."""
        left = values.copy()
        for rows in _groups(subjects):
            if len(rows) >= self.min_clips:
                left[rows] -= self.shares(len(rows)) * values[rows].mean(axis=0)
        return left


def _groups(names: NDArray[np.generic]) -> Iterator[NDArray[np.int64]]:
    """Yield the places of each name."""
    numbers = np.unique(names, return_inverse=True)[1]
    order = np.argsort(numbers, kind="stable")
    yield from np.split(order, np.flatnonzero(np.diff(numbers[order])) + 1)

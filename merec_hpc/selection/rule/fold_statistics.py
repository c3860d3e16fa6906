"""What the training clips of one fold say about each feature, before any rule is applied."""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from merec_hpc.learning.calibration import SubjectOffsets
from merec_hpc.learning.scaling import Scaling

Values = NDArray[np.float64]  # (n_clips, n_features)

# Of a variance between classes to that within: more is rounding, as of features in float32.
_LARGEST_F = 1e9


def standard_scaling(training: Values, least: float = 0.0) -> Scaling:
    """Return what standardises features by training clips, and makes constant ones 0 everywhere.

    Parameters
    ----------
    training
        Shape (n_clips, n_features).
    least
        Deviations up to it are rounding, and count as 0.
    """
    scaling = Scaling.fit(training, "standard")
    # Scaling leaves constant features as they are, divided by 1.
    undivided = np.flatnonzero(scaling.std == 1.0)
    deviations = (training[:, undivided] - scaling.mean[undivided]).std(axis=0)
    std = np.where(scaling.std > least, scaling.std, np.inf)
    std[undivided[deviations < 0.5]] = np.inf
    return replace(scaling, std=std)


@dataclass(frozen=True)
class Statistics:
    """Of the training clips of one fold."""

    scaling: Scaling
    offsets: SubjectOffsets
    """Variances of standardised features between subjects, within them and by their classes."""

    @classmethod
    def learn(
        cls, values: Values, labels: NDArray[np.int64], subjects: NDArray[np.int64], min_clips: int
    ) -> Self:
        """Learn from training clips.

        Parameters
        ----------
        values
            Shape (n_clips, n_features).
        labels, subjects
            Numbers of each clip's class and subject, (n_clips,).
        min_clips
            A subject with fewer clips keeps its mean.
        """
        scaling = standard_scaling(values)
        standardised = scaling.apply(values)
        # Numbers name subjects as well as text does.
        offsets = SubjectOffsets.learn(standardised, labels, subjects, 1.0, min_clips)  # type: ignore[arg-type]
        return cls(scaling, offsets)


def f_statistics(standardised: Values, labels: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the F of a one-way analysis of variance of each feature, from 0, (n_features,).

    A constant feature has 0, and so has every feature where there is one class. Where nothing
    varies within the classes F is finite, but as large as rounding allows.

    Parameters
    ----------
    standardised
        Of mean 0 and deviation 1, or 0 throughout, (n_clips, n_features).
    labels
        Number of each clip's class, (n_clips,).
    """
    classes, numbers, counts = np.unique(labels, return_inverse=True, return_counts=True)
    if len(classes) < 2:
        return np.zeros(standardised.shape[1])
    is_member = (np.arange(len(classes))[:, None] == numbers).astype(np.float64)
    sums = is_member @ standardised  # (n_classes, n_features)
    between = (sums**2 / counts[:, None]).sum(axis=0)
    within = np.maximum(len(labels) - between, len(labels) / _LARGEST_F)
    freedom = max(len(labels) - len(classes), 1) / (len(classes) - 1)
    found: NDArray[np.float64] = between / within * freedom
    return found

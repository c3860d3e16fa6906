"""Scales features by what the training clips show."""

from dataclasses import dataclass, replace
from typing import Literal, Self

import numpy as np
from numpy.typing import NDArray

from merec_hpc.config.scaling import ScalingSettings
from merec_hpc.learning.calibration import SubjectOffsets
from merec_hpc.records import Features

# What is left of a feature of deviation 1 where all is offset: rounding, which must not be
# scaled up. A feature in single precision has no smaller differences.
_ROUNDING = 1e-10
# Deviation of a constant feature, relative to its size: rounding, which is not a scale.
_CONSTANT = 1e-12


@dataclass(frozen=True)
class Scaling:
    """An affine map of each feature, learnt from training clips.

    A transductive one is two such maps, and between them each subject's own offset is removed.
    """

    mean: NDArray[np.float64]  # (n_features,)
    std: NDArray[np.float64]  # (n_features,)
    offsets: SubjectOffsets | None = None
    """Of the clips so mapped; only of a transductive scaling."""
    then: "Scaling | None" = None
    """Map of what is left without the offsets."""

    @classmethod
    def fit(cls, training: NDArray[np.floating], kind: Literal["none", "standard"]) -> Self:
        """Learn the map from training clips, shape (n_clips, n_features).

        "standard" gives every feature mean 0 and standard deviation 1 over the training
        clips; a constant feature becomes 0, and one that is constant but for rounding is not
        scaled up. "none" changes nothing.
        """
        n_features = training.shape[1]
        if kind == "none":
            return cls(np.zeros(n_features), np.ones(n_features))
        values = training.astype(np.float64)
        mean, std = values.mean(axis=0), values.std(axis=0)
        varies = std > _CONSTANT * np.abs(values).max(axis=0)
        # The mean of equal values may differ from them in its last digit.
        return cls(np.where(varies, mean, values[0]), np.where(varies, std, 1.0))

    @classmethod
    def learn(cls, training: Features, settings: ScalingSettings) -> Self:
        """Learn the map from training clips, whose labels may be known.

        The kinds "none" and "standard" are those of ``fit``. The transductive ones go on from
        "standard": of each subject the mean of its clips is subtracted, the whole of it under
        "transductive_full", and what ``SubjectOffsets.learn`` believes in under
        "transductive_shrunk"; what is left is standardised again by the training clips. Last,
        features are multiplied by their weights, if they have any.

        Raises
        ------
        ValueError
            If there is not one weight of at least 0 for each feature.
        """
        weights = _checked_weights(training)
        if settings.kind in {"none", "standard"}:
            kind: Literal["none", "standard"] = "none" if settings.kind == "none" else "standard"
            return cls.fit(training.values, kind)._weighted(weights)
        standard = cls.fit(training.values, "standard")
        values = standard.apply(training.values)
        if settings.kind == "transductive_full":
            offsets = SubjectOffsets.whole(values.shape[1], settings.min_clips)
        else:
            offsets = SubjectOffsets.learn(
                values, training.labels, training.subjects, settings.kappa, settings.min_clips
            )
        left = cls.fit(offsets.removed(values, training.subjects), "standard")
        left = replace(left, std=np.where(left.std > _ROUNDING, left.std, 1.0))
        return replace(standard, offsets=offsets, then=left._weighted(weights))

    @property
    def is_transductive(self) -> bool:
        """Whether a clip is mapped by what others of its subject show."""
        return self.offsets is not None

    def apply(self, clips: Features | NDArray[np.floating]) -> NDArray[np.float64]:
        """Return scaled features, shape (n_clips, n_features).

        Parameters
        ----------
        clips
            Of a transductive scaling with all clips of each subject at once: their mean is the
            subject's. Of others the values alone are enough.

        Raises
        ------
        ValueError
            If the scaling is transductive, and whose the clips are is not said.
        """
        values = clips.values if isinstance(clips, Features) else clips
        subjects = clips.subjects if isinstance(clips, Features) else None
        scaled: NDArray[np.float64] = (values - self.mean) / self.std
        if self.offsets is None or self.then is None:
            return scaled
        if subjects is None:
            msg = "clips with their subjects expected by a transductive scaling, found values alone"
            raise ValueError(msg)
        return self.then.apply(self.offsets.removed(scaled, subjects))

    def _weighted(self, weights: NDArray[np.float64] | None) -> Self:
        """Return the map whose results are multiplied by weights; of weight 0 they are 0."""
        if weights is None:
            return self
        infinite = np.full_like(self.std, np.inf)
        return replace(self, std=np.divide(self.std, weights, out=infinite, where=weights > 0))


def _checked_weights(training: Features) -> NDArray[np.float64] | None:
    weights, n_features = training.weights, training.values.shape[1]
    if weights is None:
        return None
    if weights.shape != (n_features,) or not (np.isfinite(weights) & (weights >= 0)).all():
        msg = f"{n_features} weights of at least 0 expected, found {weights}"
        raise ValueError(msg)
    return weights

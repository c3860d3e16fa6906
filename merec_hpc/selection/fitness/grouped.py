"""The mean fitness over several groupings of the training subjects, less a penalty."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from merec_hpc.config.selection import Criterion, InnerSettings
from merec_hpc.records import Masks
from merec_hpc.selection.fitness.genome import Genome, n_chosen_units
from merec_hpc.selection.fitness.inner_fitness import InnerFitness
from merec_hpc.selection.fitness.inner_folds import InnerFolds
from merec_hpc.selection.fitness.regrouping import draw_groupings
from merec_hpc.selection.fitness.subject_folds import (
    OwnMasks,
    SubjectFoldFitness,
    flipped_masks,
)


class GroupedFitness:
    """Several groupings of the same training clips, and a penalty on departing from all features.

    The fitness of a mask is the mean of its fitness on each grouping, less the penalty times the
    share of features (of groups, where genes stand for those) that it leaves out, and at least 0.
    That is what selectors compare and what histories and selections record; accuracies are without
    the penalty. What does not involve inner folds is the first grouping's, and so are the features,
    which are kept once for all.
    """

    def __init__(
        self, first: SubjectFoldFitness, n_groupings: int = 1, departure_penalty: float = 0.0
    ) -> None:
        """Take the first grouping, and how many there are with it.

        Parameters
        ----------
        departure_penalty
            What a mask loses that leaves all features out, in [0, 1].

        Raises
        ------
        ValueError
            If there can be no further grouping: see ``draw_groupings``.
        """
        others = draw_groupings(first.folds, n_groupings)
        self._groupings = [first, *map(first.regrouped, others)]
        self._departure_penalty = departure_penalty
        self.training_accuracies, self.machines = first.training_accuracies, first.machines
        self.columns = first.columns

    @property
    def n_features(self) -> int:
        """Number of features that a mask chooses from."""
        return self._groupings[0].n_features

    @property
    def features(self) -> NDArray[np.float64]:
        """The training clips' features, (n_clips, n_features), in the order of ``folds``."""
        return self._groupings[0].features

    @property
    def feature_weights(self) -> NDArray[np.float64] | None:
        """What the features have been multiplied by, (n_features,); ``None`` for nothing."""
        return self._groupings[0].feature_weights

    @property
    def genome(self) -> Genome | None:
        """What the genes of a mask stand for, where they are not features."""
        return self._groupings[0].genome

    @property
    def folds(self) -> InnerFolds:
        """The first grouping's folds, and the clips' classes."""
        return self._groupings[0].folds

    @property
    def classes(self) -> NDArray[np.generic]:
        """The classes, as they were given, sorted, (n_classes,)."""
        return self._groupings[0].classes

    @property
    def groupings(self) -> Sequence[SubjectFoldFitness]:
        """Those whose mean it is."""
        return self._groupings

    def combined(
        self, sizes: ArrayLike, scores: Sequence[NDArray[np.float64]]
    ) -> NDArray[np.float64]:
        """Return the mean of scores, less the penalty for what masks leave out, (n,), at least 0.

        Parameters
        ----------
        sizes
            Number of features of each mask, or of groups, (n,).
        scores
            (n,) of each grouping.
        """
        n_units = self.n_features if self.genome is None else self.genome.n_groups
        left_out = 1 - np.asarray(sizes) / n_units
        fitness = _mean(scores) - self._departure_penalty * left_out
        return np.asarray(np.maximum(fitness, 0.0), np.float64)

    def score(
        self, masks: Masks, C: ArrayLike, criterion: Criterion, bias: ArrayLike | None = None
    ) -> NDArray[np.float64]:
        """Return the fitness by a named criterion, in [0, 1], shape (n_individuals,)."""
        scores = [grouping.score(masks, C, criterion, bias) for grouping in self._groupings]
        return self.combined(n_chosen_units(self.genome, masks), scores)

    def score_own(
        self, own: OwnMasks, C: ArrayLike, criterion: Criterion, bias: ArrayLike | None = None
    ) -> NDArray[np.float64]:
        """Return the fitness of what has a mask of its own in each inner fold, (n_individuals,).

        Parameters
        ----------
        own
            As many features in every fold, of each grouping.
        """
        scores = [
            grouping.score_own([masks], C, criterion, bias)
            for grouping, masks in zip(self._groupings, own, strict=True)
        ]
        return self.combined(n_chosen_units(self.genome, own[0][0]), scores)

    def rate(
        self, masks: Masks, C: ArrayLike, criterion: Criterion, bias: ArrayLike | None = None
    ) -> NDArray[np.float64]:
        """Return the fitness, and the mean accuracy over the folds, shape (n_individuals, 2)."""
        rates = [grouping.rate(masks, C, criterion, bias) for grouping in self._groupings]
        return combined_rates(self, n_chosen_units(self.genome, masks), rates)

    def score_flips(
        self,
        mask: NDArray[np.bool_],
        C: float,
        criterion: Criterion,
        flipped: ArrayLike,
        bias: float = 0.0,
    ) -> NDArray[np.float64]:
        """Return the fitness of a mask with each of some features flipped, shape (n_flips,)."""
        return self.rate_flips(mask, C, criterion, flipped, bias)[:, 0]

    def rate_flips(
        self,
        mask: NDArray[np.bool_],
        C: float,
        criterion: Criterion,
        flipped: ArrayLike,
        bias: float = 0.0,
    ) -> NDArray[np.float64]:
        """Return ``rate`` of a mask with each of some features flipped, shape (n_flips, 2)."""
        rates = [
            grouping.rate_flips(mask, C, criterion, flipped, bias) for grouping in self._groupings
        ]
        if self.genome is None:
            changes = np.where(mask[np.asarray(flipped, np.int64)], -1, 1)
            return combined_rates(self, mask.sum() + changes, rates)
        changed = flipped_masks(mask, np.asarray(flipped, np.int64))
        return combined_rates(self, n_chosen_units(self.genome, changed), rates)

    def fold_accuracies(
        self, masks: Masks, C: ArrayLike, bias: ArrayLike | None = None
    ) -> NDArray[np.float64]:
        """Return the accuracy on each fold of each grouping, (n_individuals, n_folds in all)."""
        found = [grouping.fold_accuracies(masks, C, bias) for grouping in self._groupings]
        return np.concatenate(found, axis=1)


def grouped(first: SubjectFoldFitness, inner: InnerSettings) -> InnerFitness:
    """Return the fitness that the keys of ``inner`` ask for, given the first grouping's.

    Raises
    ------
    ValueError
        As ``GroupedFitness``.
    """
    if inner.n_groupings == 1 and inner.departure_penalty == 0:
        return first
    return GroupedFitness(first, inner.n_groupings, inner.departure_penalty)


def combined_rates(
    fitness: InnerFitness, sizes: ArrayLike, rates: Sequence[NDArray[np.float64]]
) -> NDArray[np.float64]:
    """Return fitness and mean accuracy of masks, (n, 2), from those of each grouping.

    Parameters
    ----------
    sizes
        Number of features of each mask, (n,).
    rates
        (n, 2) of each grouping.
    """
    combined = fitness.combined(sizes, [rate[:, 0] for rate in rates])
    return np.stack([combined, _mean([rate[:, 1] for rate in rates])], axis=1)


def _mean(scores: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Return the mean over groupings, added in their order, whatever the number of masks."""
    total = scores[0].copy()
    for further in scores[1:]:
        total += further
    return total / len(scores)

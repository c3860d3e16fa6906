"""Scores what has a mask of its own in each inner fold, learnt without the fold's clips.

A statistic of all training clips has seen the classes of those that the inner folds ask about:
scores of masks that follow it are too high. Here each fold has what its own training clips say.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from merec_hpc.config.selection import Criterion
from merec_hpc.records import Masks
from merec_hpc.selection.fitness.grouped import combined_rates
from merec_hpc.selection.fitness.inner_fitness import InnerFitness
from merec_hpc.selection.fitness.subject_folds import Answers, SubjectFoldFitness
from merec_hpc.selection.ranking import Ranking

Learner = Callable[[NDArray[np.float64], NDArray[np.int64]], NDArray[Any]]
"""From features (n_clips, n_features) and classes (n_clips,) to a statistic of the features."""


def learnt_without_each(
    fitness: SubjectFoldFitness, learn: Learner, unknown: NDArray[Any]
) -> NDArray[Any]:
    """Return what is learnt from the clips outside each inner fold, (n_folds, ...).

    Parameters
    ----------
    unknown
        What it is where those clips are of one class: nothing tells features apart.
    """
    folds, features = fitness.folds, fitness.features
    found = []
    for fold in range(folds.n_folds):
        is_training = folds.folds != fold
        labels = folds.labels[is_training]
        has_one = bool((labels == labels[0]).all())
        found.append(unknown if has_one else learn(features[is_training], labels))
    return np.stack(found)


def learnt_orders(
    fitness: SubjectFoldFitness, ranking: Ranking, n_wanted: int
) -> NDArray[np.int64]:
    """Return the first features of a ranking without each inner fold, (n_folds, n_wanted).

    Where the other clips are of one class, features stand as they are given.
    """

    def order(features: NDArray[np.float64], labels: NDArray[np.int64]) -> NDArray[np.int64]:
        return ranking(features, labels, n_wanted)[:n_wanted]

    return learnt_without_each(fitness, order, np.arange(n_wanted))


def masks_at(order: NDArray[np.int64], places: Masks, n_features: int) -> Masks:
    """Return masks of the features that stand at some places, (n_individuals, n_features).

    Parameters
    ----------
    order
        The feature at each place, (n_places,).
    places
        Which places, (n_individuals, n_places).
    """
    masks: Masks = np.zeros((len(places), n_features), np.bool_)
    masks[:, order] = places
    return masks


@dataclass(frozen=True)
class RankedFitness:
    """Rates places in a ranking: in each inner fold the features that its own ranking has there."""

    fitness: InnerFitness
    orders: Sequence[NDArray[np.int64]]
    """(n_folds, n_places) of each grouping: the feature at each place, best first."""

    @classmethod
    def learn(cls, fitness: InnerFitness, ranking: Ranking) -> Self:
        """Rank all features without each inner fold of each grouping."""
        n_places = fitness.n_features
        return cls(fitness, [learnt_orders(one, ranking, n_places) for one in fitness.groupings])

    def rate(
        self, masks: Masks, C: ArrayLike, criterion: Criterion, bias: ArrayLike | None = None
    ) -> NDArray[np.float64]:
        """Return the fitness, and the mean accuracy over the folds, shape (n_individuals, 2).

        Parameters
        ----------
        masks
            Of places, (n_individuals, n_places).
        """

        def answer(grouping: int, fold: int) -> Answers:
            ours = masks_at(self.orders[grouping][fold], masks, self.fitness.n_features)
            asked = self.fitness.groupings[grouping]
            return asked.fold_answers(fold, ours, C, criterion, bias)

        return _rate(self.fitness, criterion, masks.sum(axis=1), answer)

    def rate_flips(
        self,
        mask: NDArray[np.bool_],
        C: float,
        criterion: Criterion,
        flipped: ArrayLike,
        bias: float = 0.0,
    ) -> NDArray[np.float64]:
        """Return ``rate`` of a mask with each of some places flipped, shape (n_flips, 2)."""
        places = np.asarray(flipped, np.int64)

        def answer(grouping: int, fold: int) -> Answers:
            order = self.orders[grouping][fold]
            ours = masks_at(order, mask[None], self.fitness.n_features)[0]
            asked = self.fitness.groupings[grouping]
            return asked.fold_flip_answers(fold, ours, C, criterion, order[places], bias)

        sizes = mask.sum() + np.where(mask[places], -1, 1)
        return _rate(self.fitness, criterion, sizes, answer)


def _rate(
    fitness: InnerFitness,
    criterion: Criterion,
    sizes: NDArray[np.int64],
    answer: Callable[[int, int], Answers],
) -> NDArray[np.float64]:
    """Return fitness and mean accuracy, (n, 2), of what is answered on each grouping and fold."""
    rates = []
    for number, grouping in enumerate(fitness.groupings):
        parts = [answer(number, fold) for fold in range(grouping.folds.n_folds)]
        rates.append(grouping.rated(Answers.joined(parts), criterion))
    return combined_rates(fitness, sizes, rates)

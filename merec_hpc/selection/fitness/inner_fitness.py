"""What searches and selectors ask of the training clips of a fold."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from merec_hpc.config.selection import Criterion
from merec_hpc.records import LinearMachines, Masks
from merec_hpc.selection.fitness.genome import Genome
from merec_hpc.selection.fitness.inner_folds import InnerFolds
from merec_hpc.selection.fitness.subject_folds import OwnMasks, SubjectFoldFitness


class Fitness(Protocol):
    """What scores masks on inner folds: ``SubjectFoldFitness``, or a stand-in in tests."""

    @property
    def n_features(self) -> int:
        """Number of features that a mask chooses from."""
        ...

    def score(
        self, masks: Masks, C: ArrayLike, criterion: Criterion, bias: ArrayLike | None = None
    ) -> NDArray[np.float64]:
        """Return the fitness by a named criterion, in [0, 1], shape (n_individuals,)."""
        ...

    def fold_accuracies(
        self, masks: Masks, C: ArrayLike, bias: ArrayLike | None = None
    ) -> NDArray[np.float64]:
        """Return the accuracy on each left-out fold, shape (n_individuals, n_folds)."""
        ...

    def training_accuracies(
        self, masks: Masks, C: ArrayLike, bias: ArrayLike | None = None
    ) -> NDArray[np.float64]:
        """Return the accuracy on the clips that are trained on, (n_individuals,)."""
        ...


class Rater(Protocol):
    """Anything that rates masks, of features or of places in a ranking."""

    def rate(
        self, masks: Masks, C: ArrayLike, criterion: Criterion, bias: ArrayLike | None = None
    ) -> NDArray[np.float64]:
        """Return the fitness, and the mean accuracy over the folds, shape (n_individuals, 2)."""
        ...

    def rate_flips(
        self,
        mask: NDArray[np.bool_],
        C: float,
        criterion: Criterion,
        flipped: ArrayLike,
        bias: float = 0.0,
    ) -> NDArray[np.float64]:
        """Return ``rate`` of a mask with each of some bits flipped, shape (n_flips, 2)."""
        ...


class InnerFitness(Fitness, Rater, Protocol):
    """What selectors see of the training clips: ``SubjectFoldFitness`` or ``GroupedFitness``."""

    @property
    def features(self) -> NDArray[np.float64]:
        """The training clips' features, (n_clips, n_features), in the order of ``folds``."""
        ...

    @property
    def feature_weights(self) -> NDArray[np.float64] | None:
        """What the features have been multiplied by, (n_features,); ``None`` for nothing."""
        ...

    @property
    def genome(self) -> Genome | None:
        """What the genes of a mask stand for, where they are not features."""
        ...

    def columns(self, mask: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Return what a mask chooses of the clips, (n_clips, n_chosen)."""
        ...

    @property
    def folds(self) -> InnerFolds:
        """Who is left out when, and the clips' classes; of several groupings the first."""
        ...

    @property
    def classes(self) -> NDArray[np.generic]:
        """The classes, as they were given, sorted, (n_classes,)."""
        ...

    @property
    def groupings(self) -> Sequence[SubjectFoldFitness]:
        """Those whose mean it is."""
        ...

    def combined(
        self, sizes: ArrayLike, scores: Sequence[NDArray[np.float64]]
    ) -> NDArray[np.float64]:
        """Return the fitness of masks from their scores on each of ``groupings``, (n,).

        Parameters
        ----------
        sizes
            Number of features of each mask, or of groups, (n,).
        scores
            (n,) of each grouping.
        """
        ...

    def score_own(
        self, own: OwnMasks, C: ArrayLike, criterion: Criterion, bias: ArrayLike | None = None
    ) -> NDArray[np.float64]:
        """Return ``score`` of what has a mask of its own in each inner fold, (n_individuals,)."""
        ...

    def machines(
        self,
        masks: Masks,
        C: ArrayLike,
        bias: ArrayLike | None = None,
        weights: NDArray[np.float64] | None = None,
    ) -> LinearMachines:
        """Return the SVMs that are trained on all clips, one an individual."""
        ...

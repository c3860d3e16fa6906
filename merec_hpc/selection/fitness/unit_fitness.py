"""Scores masks whose genes stand for groups of features, or for their weights."""

from collections.abc import Iterator
from operator import call
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from merec_hpc.config.selection import AllFeaturesSettings, Criterion, InnerSettings
from merec_hpc.records import Features
from merec_hpc.selection.fitness.class_weights import ClassWeightFitness
from merec_hpc.selection.fitness.genome import Genome
from merec_hpc.selection.fitness.inner_problem import InnerProblem, Share
from merec_hpc.selection.fitness.subject_folds import Answers, SubjectFoldFitness
from merec_hpc.selection.fitness.training_clips import TrainingClips
from merec_hpc.selection.fitness.unit_problem import UnitProblem, choose, fits
from merec_hpc.selection.units import find_units


class UnitFitness(SubjectFoldFitness):
    """What ``SubjectFoldFitness`` says of the features that genes choose, each by its weight.

    Masks are of genes, (n_individuals, n_features) with ``n_features`` that of genes; but those
    of ``machines`` are of features, as those of a selection are. ``features`` are all of them.
    Predictions and decisions are those of the expanded masks.
    """

    genome: Genome

    def __init__(
        self,
        features: ArrayLike,
        labels: ArrayLike,
        subjects: ArrayLike,
        *,
        genome: Genome,
        **options: Any,
    ) -> None:
        """Take the training clips of one fold.

        Parameters
        ----------
        features, labels, subjects, options
            Those of ``SubjectFoldFitness``.
        genome
            What the genes stand for.

        Raises
        ------
        ValueError
            As ``SubjectFoldFitness``, or if there is not one group for each feature.
        """
        n_features = np.shape(features)[-1]
        if len(genome.group_of) != n_features:
            msg = (
                f"a group for each of {n_features} features expected, found {len(genome.group_of)}"
            )
            raise ValueError(msg)
        self.genome = genome
        self._of_folds: list[InnerProblem] | None = None
        super().__init__(features, labels, subjects, **options)

    @property
    def n_features(self) -> int:
        """Number of genes that a mask chooses from."""
        return self.genome.n_genes

    def regrouped(self, fold_of: NDArray[np.int64]) -> Self:
        """Return the same clips in other inner folds; features and sums are kept once for both."""
        other = super().regrouped(fold_of)
        other._of_folds = None
        return other

    def columns(self, mask: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Return what a mask chooses of the clips, each by its weight, (n_clips, n_chosen)."""
        return choose(self._values, self.genome, mask)

    def _answer_flips(
        self,
        mask: NDArray[np.bool_],
        C: float,
        criterion: Criterion,
        flipped: NDArray[np.int64],
        bias: float,
    ) -> Answers:
        """Answer so many flips that their decisions are in memory: mask by mask, from the sums."""
        return self._answer_each(mask, C, criterion, flipped, bias)

    def _seen(self, mask: NDArray[np.bool_]) -> tuple[TrainingClips, NDArray[np.bool_]]:
        weights = self.genome.weights(mask[None])
        clips = self._everyone().weighted(None if weights is None else weights[0])
        return clips, self.genome.masks(mask[None])[0]

    def _problems(self) -> Iterator[InnerProblem]:
        """Yield one problem for all folds, or with scaled features one for each, kept if they fit."""
        n_folds, n_clips = self._folds.n_folds, len(self._folds.order)
        if self._unscaled is not None or not fits(self.genome.n_groups, n_clips, n_folds):
            yield from super()._problems()
            return
        if self._of_folds is None:
            self._of_folds = list(super()._problems())
        yield from self._of_folds

    def _make_problem(self, features: NDArray[np.float64], *others: Any) -> InnerProblem:
        return UnitProblem(features, *others, genome=self.genome)


class UnitClassWeightFitness(UnitFitness, ClassWeightFitness):
    """``UnitFitness`` with weights of classes, as ``ClassWeightFitness`` takes them."""


def fitness_of(
    clips: tuple[ArrayLike, ArrayLike, ArrayLike],
    genome: Genome | None,
    inner: InnerSettings,
    share: Share = call,
    feature_weights: NDArray[np.float64] | None = None,
) -> SubjectFoldFitness:
    """Return what scores masks of genes, or without a genome of features.

    Parameters
    ----------
    clips
        Features, labels and subjects, as ``SubjectFoldFitness`` takes them.
    feature_weights
        As ``SubjectFoldFitness`` takes them.
    """
    options: dict[str, Any] = {"n_folds": inner.n_inner_folds, "share": share}
    options["feature_weights"] = feature_weights
    if genome is None:
        return SubjectFoldFitness(*clips, **options)
    return UnitFitness(*clips, genome=genome, **options)


def find_genome(features: Features, inner: InnerSettings) -> Genome | None:
    """Return what the keys ``unit``, ``unit_table`` and ``genome`` of a section ask for.

    ``None`` where every gene is a feature, and for "all features", among which nothing is chosen.

    Raises
    ------
    MerecError
        As ``find_units``.
    """
    if isinstance(inner, AllFeaturesSettings):
        return None
    weighs = getattr(inner, "genome", "mask") == "weights"
    units = find_units(features, inner)
    if units is not None:
        return Genome(units.group_of, weighs)
    return Genome(np.arange(len(features.names)), weighs=True) if weighs else None

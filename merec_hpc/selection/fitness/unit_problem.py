"""The SVMs of some inner folds where genes stand for groups of features, or their weights.

The Gram matrix of a mask is the weighted sum of those of its groups. These are computed once, in
double precision, if they fit into memory: a mask then costs no pass over the features.
"""

from collections.abc import Iterator, Sequence
from operator import call

import numpy as np
from numpy.typing import NDArray

from merec_hpc.kernels.sums import sum_grams
from merec_hpc.records import Masks
from merec_hpc.selection.fitness.genome import LEVELS, Genome
from merec_hpc.selection.fitness.inner_problem import WIDE, Gram, InnerProblem, Share, System

MOST_KEPT = 2**25
"""Numbers in the Gram matrices of all groups, at most, that are kept: 256 MiB."""
SUM_PRECISION = 2.0**-40
"""Of an entry of a sum, in units of sqrt(G_ii G_jj): far above its rounding. Where features were
summed in single precision, decisions are certain within it, or made anew; elsewhere double
precision counts as it does there."""
_AT_ONCE = 16  # masks whose Gram matrices are in memory


def fits(n_groups: int, n_clips: int, n_problems: int = 1) -> bool:
    """Return whether the Gram matrices of all groups are kept."""
    return n_problems * n_groups * n_clips**2 <= MOST_KEPT


def group_grams(features: NDArray[np.float64], genome: Genome) -> NDArray[np.float64]:
    """Return the Gram matrix of the clips on each group, (n_groups, n_clips, n_clips).

    Parameters
    ----------
    features
        Shape (n_clips, n_features).
    """
    grams = np.empty((genome.n_groups, len(features), len(features)))
    order = np.argsort(genome.group_of, kind="stable")
    for gram, own in zip(grams, np.split(order, np.cumsum(genome.sizes)[:-1]), strict=True):
        chosen = features[:, own]
        np.matmul(chosen, chosen.T, out=gram)
    return grams


class UnitProblem(InnerProblem):
    """Gram matrices of genes, and the decisions that follow from them."""

    def __init__(
        self,
        features: NDArray[np.float64],
        targets: NDArray[np.float64],
        systems: Sequence[System],
        share: Share = call,
        measured: NDArray[np.bool_] | None = None,
        *,
        genome: Genome,
    ) -> None:
        """Take what ``InnerProblem`` takes, and what genes stand for."""
        self._genome = genome
        self._kept = None
        is_kept = fits(genome.n_groups, len(features))
        super().__init__(features, targets, systems, share, measured, may_be_quick=not is_kept)
        if is_kept:
            self._kept = share(lambda: group_grams(features, genome))

    @property
    def sums_grams(self) -> bool:
        """Whether Gram matrices are sums of those that are kept."""
        return self._kept is not None

    @property
    def precision(self) -> float:
        """Of an entry of what ``grams`` yields, in units of sqrt(G_ii G_jj)."""
        n_clips, n_features = self._features.shape
        if not self.sums_grams:
            return super().precision
        return SUM_PRECISION if n_features > WIDE * n_clips else 0.0

    def constant(self, mask: NDArray[np.bool_], bias: float) -> float:
        """Return the feature that a bias gives every clip under a mask: it depends on both alone."""
        if not bias:
            return 0.0
        by_group = np.bincount(self._genome.group_of, self.squares)
        return float(bias * np.sqrt((self._genome.levels(mask[None])[0] * by_group).sum()))

    def chosen(self, which: NDArray[np.bool_] | NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the features that genes choose, each by its weight, (n_clips, n_chosen)."""
        return choose(self._features, self._genome, np.asarray(which, np.bool_))

    def grams(self, masks: Masks) -> Iterator[Gram]:
        """Yield a Gram matrix of each mask of genes."""
        if self._kept is not None:
            yield from self._sums(self._kept, masks)
        elif not self._is_wide:
            yield from map(self.exact_gram, masks)
        elif self._genome.weighs:
            yield from self._mixtures(masks)
        else:
            yield from super().grams(self._genome.masks(masks))

    def exact_gram(self, mask: NDArray[np.bool_]) -> Gram:
        """Return the Gram matrix of a mask in double precision: of that mask alone."""
        if self._kept is None:
            return super().exact_gram(mask)
        (gram,) = self._sums(self._kept, mask[None])
        matrix = gram.matrix + np.triu(gram.matrix, 1).T
        return Gram(matrix, gram.shifts, is_quick=False)

    def double_gram(self, mask: NDArray[np.bool_], constant: float) -> NDArray[np.float64]:
        """Return ``exact_gram`` of the clips with one more feature, that all have alike."""
        if self._kept is None:
            return super().double_gram(mask, constant)
        return self.exact_gram(mask).matrix + constant**2

    def _sums(self, kept: NDArray[np.float64], masks: Masks) -> Iterator[Gram]:
        # Not by a matrix product, which might round a mask differently among others.
        shifts = np.zeros(kept.shape[1])
        for first in range(0, len(masks), _AT_ONCE):
            levels = self._genome.levels(masks[first : first + _AT_ONCE])
            sums = np.zeros((len(levels), *kept.shape[1:]))
            sum_grams(kept, levels, sums)
            for matrix in sums:
                yield Gram(matrix, shifts, is_quick=False)

    def _mixtures(self, masks: Masks) -> Iterator[Gram]:
        """Yield weighted sums of the Gram matrices of the features of each weight."""
        levels = self._genome.levels(masks)
        weights = LEVELS[LEVELS > 0]
        parts = np.stack([levels == weight for weight in weights], axis=1)
        parts = parts.reshape(-1, self._genome.n_groups)[:, self._genome.group_of]
        grams = super().grams(np.ascontiguousarray(parts))
        for _ in masks:
            matrix, shifts = np.zeros(1), np.zeros(1)
            for weight in weights:
                gram = next(grams)
                matrix, shifts = matrix + weight * gram.matrix, shifts + weight * gram.shifts
            yield Gram(matrix, shifts, is_quick=True)


def choose(
    features: NDArray[np.float64], genome: Genome, genes: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Return the features that genes choose, each by its weight, (n_clips, n_chosen)."""
    inside, weights = genome.masks(genes[None])[0], genome.weights(genes[None])
    chosen = features[:, inside]
    return chosen if weights is None else chosen * weights[0, inside]

"""What the genes of a mask stand for where features are chosen in groups, or weighed.

Without weights a gene is a group: all its features, or none. With weights a group has two genes,
in Gray code, for its part in the Gram matrix: 0, 1/2, 1 or 2. A feature is then multiplied by
the root of that, since its Gram matrix is a product of two of it. A flip of one gene leads to a
neighbouring weight (Gray: Pulse code communication, US patent 2632058, 1953), 0 and 2 being
neighbours too.
"""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from merec_hpc.records import History, Masks, Population, Selection

LEVELS = np.array([0.0, 0.5, 2.0, 1.0])
"""Weight of a group in the Gram matrix, by its two genes read as a number: 00, 01, 10, 11."""


@dataclass(frozen=True)
class Genome:
    """From genes to features."""

    group_of: NDArray[np.int64]  # (n_features,), each of 0..n_groups - 1
    weighs: bool = False
    """Whether a group has a weight, of two genes, in place of one gene."""

    def __post_init__(self) -> None:
        """Check that there is no group without a feature.

        Raises
        ------
        ValueError
            If there is one, or no feature at all.
        """
        found = np.unique(self.group_of)
        if len(found) == 0 or (found != np.arange(len(found))).any():
            msg = f"groups numbered from 0 without a gap expected, found {found}"
            raise ValueError(msg)

    @cached_property
    def n_groups(self) -> int:
        """Number of groups."""
        return int(self.group_of.max()) + 1

    @property
    def n_genes(self) -> int:
        """Number of genes of a mask."""
        return (1 + self.weighs) * self.n_groups

    @cached_property
    def sizes(self) -> NDArray[np.int64]:
        """Features of each group, (n_groups,)."""
        return np.bincount(self.group_of)

    def levels(self, genes: Masks) -> NDArray[np.float64]:
        """Return the weight of each group in the Gram matrix, (n_individuals, n_groups)."""
        if not self.weighs:
            return genes.astype(np.float64)
        return LEVELS[2 * genes[:, ::2].astype(np.int64) + genes[:, 1::2]]

    def masks(self, genes: Masks) -> Masks:
        """Return the features that are chosen, (n_individuals, n_features)."""
        return (self.levels(genes) > 0)[:, self.group_of]

    def weights(self, genes: Masks) -> NDArray[np.float64] | None:
        """Return what each feature is multiplied by, (n_individuals, n_features)."""
        return np.sqrt(self.levels(genes))[:, self.group_of] if self.weighs else None

    def n_chosen_groups(self, genes: Masks) -> NDArray[np.int64]:
        """Return how many groups are chosen, (n_individuals,)."""
        return np.asarray(np.count_nonzero(self.levels(genes), axis=1), np.int64)

    def n_selected(self, genes: Masks) -> NDArray[np.int64]:
        """Return how many features are chosen, (n_individuals,)."""
        found: NDArray[np.int64] = (self.levels(genes) > 0) @ self.sizes
        return found

    def population(self, found: Population) -> Population:
        """Return individuals with masks of features in place of genes."""
        return replace(found, masks=self.masks(found.masks), weights=self.weights(found.masks))

    def history(self, found: History) -> History:
        """Return a history with masks of features in place of genes."""
        return replace(found, best_masks=self.masks(found.best_masks))


def genome_of(fitness: object) -> Genome | None:
    """Return what the genes of a fitness stand for; ``None`` for features."""
    found: Genome | None = getattr(fitness, "genome", None)
    return found


def group_of(fitness: object) -> NDArray[np.int64] | None:
    """Return the group of each feature, (n_features,); ``None`` where each is its own."""
    genome = genome_of(fitness)
    return None if genome is None else genome.group_of


def n_selected(genome: Genome | None, masks: Masks) -> NDArray[np.int64]:
    """Return how many features masks choose, (n_individuals,); without a genome as many as genes."""
    return masks.sum(axis=1) if genome is None else genome.n_selected(masks)


def n_chosen_units(genome: Genome | None, masks: Masks) -> NDArray[np.int64]:
    """Return how many groups masks choose, (n_individuals,); without a genome features."""
    return masks.sum(axis=1) if genome is None else genome.n_chosen_groups(masks)


def in_features(genome: Genome | None, found: Selection) -> Selection:
    """Return a selection whose masks are of features, whatever its genes were."""
    if genome is None:
        return found
    weights = genome.weights(found.mask[None])
    return replace(
        found,
        mask=genome.masks(found.mask[None])[0],
        history=genome.history(found.history),
        hall_of_fame=genome.population(found.hall_of_fame),
        last=genome.population(found.last),
        weights=None if weights is None else weights[0],
        best_weights=genome.weights(found.history.best_masks),
        front=None if found.front is None else genome.population(found.front),
    )

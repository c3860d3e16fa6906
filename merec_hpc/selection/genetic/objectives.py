"""Orders individuals by what a search is for: fitness alone, or fitness and few features."""

import numpy as np
from numpy.typing import NDArray

from merec_hpc.config.selection import GeneticSettings
from merec_hpc.records import Population
from merec_hpc.selection.genetic import pareto


def n_selected(population: Population) -> NDArray[np.int64]:
    """Return the number of features of each individual, (n_individuals,).

    An empty mask counts as one feature more than there are: it predicts nothing of its own, and
    would be on every front.
    """
    counts = population.masks.sum(axis=1, dtype=np.int64)
    return np.asarray(np.where(counts == 0, population.masks.shape[1] + 1, counts), np.int64)


def objectives_of(population: Population) -> NDArray[np.float64]:
    """Return fitness and less the number of features, both to be maximised, (n_individuals, 2)."""
    return np.stack([population.fitness, -n_selected(population)], axis=1)


def ranking(population: Population, settings: GeneticSettings) -> NDArray[np.int64]:
    """Return the places of all individuals, best first, (n_individuals,).

    By fitness, of equals the first; of two objectives as ``pareto.order``.
    """
    if settings.weighs_two:
        return pareto.order(objectives_of(population))
    return np.argsort(-population.fitness, kind="stable")


def front_of(population: Population) -> Population:
    """Return those that no other beats in both objectives, fewest features first.

    Of individuals that are equal in both the first stands for all, so that fitness grows along the
    front.
    """
    return population.take(pareto.front(objectives_of(population)))

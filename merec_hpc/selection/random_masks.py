"""Draws masks at random and keeps the best: what every search has to beat."""

import numpy as np

from merec_hpc.config.selection import RandomMasksSettings
from merec_hpc.records import Population, Selection
from merec_hpc.selection.fitness.inner_fitness import InnerFitness
from merec_hpc.selection.genetic.founders import FOUNDERS
from merec_hpc.selection.steps import HALL_SIZE, best_of
from merec_hpc.selection.svm_grid import SvmGrid


def select_random_masks(fitness: InnerFitness, settings: RandomMasksSettings) -> Selection:
    """Draw masks as the genetic algorithm draws its founders, each with its best C and bias."""
    rng = np.random.default_rng(np.random.SeedSequence(settings.seed))
    masks = FOUNDERS[settings.founders](settings.n_masks, fitness.n_features, rng)
    grid = SvmGrid.of(settings)
    every, penalties, biases = grid.with_each(masks)
    scores = fitness.score(every, penalties, settings.criterion, biases)
    by_mask = scores.reshape(len(masks), len(grid))
    best = by_mask.argmax(axis=1)
    drawn = Population(masks, grid.C[best], grid.bias[best], by_mask.max(axis=1))
    return best_of(fitness, drawn, HALL_SIZE)


def select(
    fitness: InnerFitness,
    name: str,  # noqa: ARG001  # one form for all selectors
    settings: RandomMasksSettings,
    *,
    shows_progress: bool = False,  # noqa: ARG001
) -> Selection:
    """Select as ``selectors`` asks for it."""
    return select_random_masks(fitness, settings)

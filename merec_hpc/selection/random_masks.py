"""Draws masks at random and keeps the best: what every search has to beat."""

import numpy as np

from merec_hpc.config.selection import RandomMasksSettings
from merec_hpc.records import Population, Selection
from merec_hpc.selection.fitness.grouped import InnerFitness
from merec_hpc.selection.genetic.founders import FOUNDERS
from merec_hpc.selection.steps import HALL_SIZE, best_of


def select_random_masks(fitness: InnerFitness, settings: RandomMasksSettings) -> Selection:
    """Draw masks as the genetic algorithm draws its founders, each with its best C."""
    rng = np.random.default_rng(np.random.SeedSequence(settings.seed))
    masks = FOUNDERS[settings.founders](settings.n_masks, fitness.n_features, rng)
    penalties = np.sort(np.array(settings.C_values, np.float64))
    every = np.repeat(masks, len(penalties), axis=0)
    scores = fitness.score(every, np.tile(penalties, len(masks)), settings.criterion)
    by_mask = scores.reshape(len(masks), len(penalties))
    drawn = Population(masks, penalties[by_mask.argmax(axis=1)], by_mask.max(axis=1))
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

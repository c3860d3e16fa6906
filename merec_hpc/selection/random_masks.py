"""Draws masks at random and keeps the best: what every search has to beat."""

import numpy as np

from merec_hpc.arrays import History, Population, Selection
from merec_hpc.config import RandomMasksSettings
from merec_hpc.selection.fitness import SubjectFoldFitness
from merec_hpc.selection.genetic.founders import FOUNDERS

_HALL_SIZE = 10


def select_random_masks(fitness: SubjectFoldFitness, settings: RandomMasksSettings) -> Selection:
    """Draw masks as the genetic algorithm draws its founders, each with its best C."""
    rng = np.random.default_rng(np.random.SeedSequence(settings.seed))
    masks = FOUNDERS[settings.founders](settings.n_masks, fitness.n_features, rng)
    penalties = np.sort(np.array(settings.C_values, np.float64))
    every = np.repeat(masks, len(penalties), axis=0)
    scores = fitness.score(every, np.tile(penalties, len(masks)), settings.criterion)
    by_mask = scores.reshape(len(masks), len(penalties))
    drawn = Population(masks, penalties[by_mask.argmax(axis=1)], by_mask.max(axis=1))
    hall = drawn.take(np.argsort(-drawn.fitness, kind="stable")[:_HALL_SIZE])
    champion, sizes = hall.take(np.array([0])), masks.sum(axis=1)
    history = History(
        best_fitness=champion.fitness,
        training_accuracy=fitness.training_accuracies(champion.masks, champion.C),
        mean_fitness=drawn.fitness.mean(keepdims=True),
        min_selected=sizes.min(keepdims=True),
        max_selected=sizes.max(keepdims=True),
        best_masks=champion.masks,
        best_C=champion.C,
    )
    return Selection(
        mask=champion.masks[0],
        C=float(champion.C[0]),
        fitness=float(champion.fitness[0]),
        generation=0,
        history=history,
        hall_of_fame=hall,
        last=drawn,
    )

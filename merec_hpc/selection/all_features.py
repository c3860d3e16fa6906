"""Keeps every feature, and chooses C alone: the first control of every selector."""

import numpy as np
from numpy.typing import NDArray

from merec_hpc.arrays import History, Population, Selection
from merec_hpc.config import AllFeaturesSettings
from merec_hpc.selection.fitness import SubjectFoldFitness


def select_all_features(fitness: SubjectFoldFitness, settings: AllFeaturesSettings) -> Selection:
    """Choose C for all features by the criterion on the inner folds; of equals the smallest."""
    penalties = np.sort(np.array(settings.C_values, np.float64))
    masks: NDArray[np.bool_] = np.ones((len(penalties), fitness.n_features), np.bool_)
    scores = fitness.score(masks, penalties, settings.criterion)
    order = np.argsort(-scores, kind="stable")
    ranked = Population(masks, penalties, scores).take(order)
    champion = ranked.take(np.array([0]))
    history = History(
        best_fitness=champion.fitness,
        training_accuracy=fitness.training_accuracies(champion.masks, champion.C),
        mean_fitness=scores.mean(keepdims=True),
        min_selected=masks[:1].sum(axis=1),
        max_selected=masks[:1].sum(axis=1),
        best_masks=champion.masks,
        best_C=champion.C,
    )
    return Selection(
        mask=champion.masks[0],
        C=float(champion.C[0]),
        fitness=float(champion.fitness[0]),
        generation=0,
        history=history,
        hall_of_fame=ranked,
        last=ranked,
    )

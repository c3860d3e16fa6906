"""Keeps every feature, and chooses C alone: the first control of every selector."""

import numpy as np
from numpy.typing import NDArray

from merec_hpc.config.selection import AllFeaturesSettings
from merec_hpc.records import Population, Selection
from merec_hpc.selection.fitness.grouped import InnerFitness
from merec_hpc.selection.steps import best_of


def select_all_features(fitness: InnerFitness, settings: AllFeaturesSettings) -> Selection:
    """Choose C for all features by the criterion on the inner folds; of equals the smallest."""
    penalties = np.sort(np.array(settings.C_values, np.float64))
    masks: NDArray[np.bool_] = np.ones((len(penalties), fitness.n_features), np.bool_)
    scores = fitness.score(masks, penalties, settings.criterion)
    order = np.argsort(-scores, kind="stable")
    ranked = Population(masks, penalties, scores).take(order)
    return best_of(fitness, ranked, len(penalties))


def select(
    fitness: InnerFitness,
    name: str,  # noqa: ARG001  # one form for all selectors
    settings: AllFeaturesSettings,
    *,
    shows_progress: bool = False,  # noqa: ARG001
) -> Selection:
    """Select as ``selectors`` asks for it."""
    return select_all_features(fitness, settings)

"""Keeps every feature, and chooses C and bias alone: the first control of every selector."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from merec_hpc.config.selection import AllFeaturesSettings
from merec_hpc.records import Population, Selection
from merec_hpc.selection.fitness.inner_fitness import InnerFitness
from merec_hpc.selection.rule.selecting import rules_of_all_features
from merec_hpc.selection.steps import best_of
from merec_hpc.selection.svm_grid import SvmGrid


def select_all_features(fitness: InnerFitness, settings: AllFeaturesSettings) -> Selection:
    """Choose C and bias for all features by the criterion on the inner folds.

    Of equals the smallest C, then the bias that is listed first.
    """
    grid = SvmGrid.of(settings)
    masks: NDArray[np.bool_] = np.ones((len(grid), fitness.n_features), np.bool_)
    scores = fitness.score(masks, grid.C, settings.criterion, grid.bias)
    order = np.argsort(-scores, kind="stable")
    ranked = Population(masks, grid.C, grid.bias, scores).take(order)
    return best_of(fitness, ranked, len(grid))


def select(
    fitness: InnerFitness,
    name: str,  # noqa: ARG001  # one form for all selectors
    settings: AllFeaturesSettings,
    *,
    shows_progress: bool = False,  # noqa: ARG001
) -> Selection:
    """Select as ``selectors`` asks for it; its ensemble is of ``rules_of_all_features``."""
    return replace(select_all_features(fitness, settings), rules=rules_of_all_features(fitness))

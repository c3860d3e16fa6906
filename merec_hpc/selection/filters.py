"""Keeps the best features by a ranking; how many, and C and bias, is chosen on inner folds."""

import numpy as np
from numpy.typing import NDArray

from merec_hpc.config.selection import Criterion, RankingSettings
from merec_hpc.records import Selection
from merec_hpc.selection.fitness.genome import group_of
from merec_hpc.selection.fitness.inner_fitness import InnerFitness
from merec_hpc.selection.fitness.own_masks import learnt_orders
from merec_hpc.selection.fitness.subject_folds import SubjectFoldFitness
from merec_hpc.selection.ranking import Ranking, find_ranking
from merec_hpc.selection.steps import Steps
from merec_hpc.selection.svm_grid import SvmGrid
from merec_hpc.selection.watching import Watcher


def select_by_rank(
    fitness: InnerFitness,
    settings: RankingSettings,
    ranking: Ranking,
    on_step: Watcher | None = None,
) -> Selection:
    """Rank on all training clips; choose the number on rankings that leave each fold out.

    A clip that is predicted has not taken part in the ranking of its inner fold: the scores of
    a fixed ranking would be those of features that have seen the answer.

    Parameters
    ----------
    on_step
        Called for every number of features, the smallest first; if it returns true, larger
        ones do not count.
    """
    n_features = fitness.n_features
    given = [settings.n_selected] if settings.n_selected else list(settings.n_selected_values)
    numbers = sorted({min(number, n_features) for number in given})
    grid = SvmGrid.of(settings)
    most = numbers[-1]
    found = [
        _scores(grouping, numbers, grid, settings.criterion, ranking)
        for grouping in fitness.groupings
    ]
    scores = fitness.combined(np.repeat(numbers, len(grid)), found)
    scores = scores.reshape(len(numbers), len(grid))
    order = ranking(fitness.features, fitness.folds.labels, most)
    steps = Steps(fitness, on_step=on_step)
    for mask, row in zip(_first(order, numbers, n_features), scores, strict=True):
        best = int(row.argmax())
        svm = float(grid.C[best]), float(grid.bias[best])
        steps.add(mask, *svm, float(row[best]), float(row.mean()))
        if steps.is_over:
            break
    return steps.selection()


def _scores(
    fitness: SubjectFoldFitness,
    numbers: list[int],
    grid: SvmGrid,
    criterion: Criterion,
    ranking: Ranking,
) -> NDArray[np.float64]:
    """Return the score of each number of features and each C and bias, (n_numbers * n_pairs,)."""
    orders = learnt_orders(fitness, ranking, numbers[-1])
    masks = [_first(order, numbers, fitness.n_features) for order in orders]
    own = np.stack([grid.with_each(ours)[0] for ours in masks])
    _, penalties, biases = grid.with_each(masks[0])
    return fitness.score_own([own], penalties, criterion, biases)


def _first(order: NDArray[np.int64], numbers: list[int], n_features: int) -> NDArray[np.bool_]:
    """Return a mask of the first features of a ranking, for each number of them."""
    masks: NDArray[np.bool_] = np.zeros((len(numbers), n_features), np.bool_)
    for mask, number in zip(masks, numbers, strict=True):
        mask[order[:number]] = True
    return masks


def select(
    fitness: InnerFitness,
    name: str,
    settings: RankingSettings,
    *,
    shows_progress: bool = False,  # noqa: ARG001  # one form for all selectors
) -> Selection:
    """Select by the ranking of a name, as ``selectors`` asks for it."""
    return select_by_rank(fitness, settings, find_ranking(name, group_of(fitness)))

"""Keeps the best features by a ranking; how many, and C and bias, is chosen on inner folds."""

import numpy as np
from numpy.typing import NDArray

from merec_hpc.config.selection import RankingSettings
from merec_hpc.records import Selection
from merec_hpc.selection.fitness.subject_folds import SubjectFoldFitness
from merec_hpc.selection.ranking import Ranking, find_ranking
from merec_hpc.selection.steps import Steps
from merec_hpc.selection.svm_grid import SvmGrid
from merec_hpc.selection.watching import Watcher


def select_by_rank(
    fitness: SubjectFoldFitness,
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
    folds, features = fitness.folds, fitness.features
    n_features = fitness.n_features
    given = [settings.n_selected] if settings.n_selected else list(settings.n_selected_values)
    numbers = sorted({min(number, n_features) for number in given})
    grid = SvmGrid.of(settings)
    most = numbers[-1]
    predicted = np.empty((len(numbers), len(grid), len(folds.labels)), np.int64)
    for fold in range(folds.n_folds):
        is_held = folds.folds == fold
        labels = folds.labels[~is_held]
        if (labels == labels[0]).all():  # nothing tells features apart, nor does it matter
            order = np.arange(most)
        else:
            order = ranking(features[~is_held], labels, most)
        every = grid.with_each(_first(order, numbers, n_features))
        found = fitness.predictions(*every)[:, folds.order]
        predicted[..., is_held] = found[:, is_held].reshape(*predicted.shape[:2], -1)
    scores = fitness.judge(predicted.reshape(-1, predicted.shape[-1]), settings.criterion)
    scores = scores.reshape(predicted.shape[:2])  # (n_numbers, n_pairs)
    final = _first(ranking(features, folds.labels, most), numbers, n_features)
    steps = Steps(fitness, on_step=on_step)
    for mask, row in zip(final, scores, strict=True):
        best = int(row.argmax())
        svm = float(grid.C[best]), float(grid.bias[best])
        steps.add(mask, *svm, float(row[best]), float(row.mean()))
        if steps.is_over:
            break
    return steps.selection()


def _first(order: NDArray[np.int64], numbers: list[int], n_features: int) -> NDArray[np.bool_]:
    """Return a mask of the first features of a ranking, for each number of them."""
    masks: NDArray[np.bool_] = np.zeros((len(numbers), n_features), np.bool_)
    for mask, number in zip(masks, numbers, strict=True):
        mask[order[:number]] = True
    return masks


def select(
    fitness: SubjectFoldFitness,
    name: str,
    settings: RankingSettings,
    *,
    shows_progress: bool = False,  # noqa: ARG001  # one form for all selectors
) -> Selection:
    """Select by the ranking of a name, as ``selectors`` asks for it."""
    return select_by_rank(fitness, settings, find_ranking(name))

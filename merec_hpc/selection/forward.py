"""Searches that add or remove one feature at a time, each step scored on all inner folds.

A step scores every feature that may still come (or go) by a change of rank one of the Gram
matrix. Of equal scores the larger mean accuracy over the folds counts, then the lower index.
C and bias are chosen anew after every step.

A ranked search goes through the places of a ranking. Every inner fold ranks the features by its
own training clips, and has its own features at those places: clips that are predicted have had no
part in what predicts them. ``leaky_ranked_forward_`` and a ranking is the search as it is commonly
done: the inner folds take their features from the one ranking of all training clips, which has
seen the classes of the clips that they predict, so that its scores are too high. Of the held-out
subject neither sees anything.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from merec_hpc.config.selection import Criterion, ForwardSettings
from merec_hpc.progress import track
from merec_hpc.records import Masks, Selection
from merec_hpc.selection.fitness.genome import group_of
from merec_hpc.selection.fitness.inner_fitness import InnerFitness, Rater
from merec_hpc.selection.fitness.own_masks import RankedFitness, masks_at
from merec_hpc.selection.ranking import Order, find_ranking
from merec_hpc.selection.selectors import LEAKY, RANKED, SELECTORS
from merec_hpc.selection.steps import Steps
from merec_hpc.selection.svm_grid import SvmGrid
from merec_hpc.selection.watching import Watcher

_RANKED_AT_ONCE = 64  # features of a ranking that are scored before one is taken

FORWARD_SEARCHES = tuple(name for name, one in SELECTORS.items() if one.module == __name__)
"""Names of the searches."""

Scores = NDArray[np.float64]  # (n, 2): the criterion, and the mean accuracy over the folds


@dataclass(frozen=True)
class OneRanking:
    """Rates places in a ranking that is the same for every inner fold, and has seen its clips."""

    fitness: InnerFitness
    order: Order  # (n_places,), the feature at each place

    def rate(
        self, masks: Masks, C: ArrayLike, criterion: Criterion, bias: ArrayLike | None = None
    ) -> NDArray[np.float64]:
        """Return the fitness, and the mean accuracy over the folds, shape (n_individuals, 2)."""
        features = masks_at(self.order, masks, self.fitness.n_features)
        return self.fitness.rate(features, C, criterion, bias)

    def rate_flips(
        self,
        mask: NDArray[np.bool_],
        C: float,
        criterion: Criterion,
        flipped: ArrayLike,
        bias: float = 0.0,
    ) -> NDArray[np.float64]:
        """Return ``rate`` of a mask with each of some places flipped, shape (n_flips, 2)."""
        features = masks_at(self.order, mask[None], self.fitness.n_features)[0]
        places = np.asarray(flipped, np.int64)
        return self.fitness.rate_flips(features, C, criterion, self.order[places], bias)


def search_forward(
    fitness: InnerFitness,
    search: str,
    settings: ForwardSettings,
    *,
    shows_progress: bool = False,
    on_step: Watcher | None = None,
) -> Selection:
    """Search by name: forward, backward, stable_sfs, local_greedy, or (leaky_)ranked_forward_NAME.

    Parameters
    ----------
    on_step
        Called after every step; if it returns true, that step is the last.

    Raises
    ------
    ValueError
        If there is no such search.
    """
    honest = search.removeprefix(LEAKY)
    if honest.startswith(RANKED):
        ranking = find_ranking(honest.removeprefix(RANKED), group_of(fitness))
        order = ranking(fitness.features, fitness.folds.labels, fitness.n_features)
        is_leaky = honest != search
        rater = OneRanking(fitness, order) if is_leaky else RankedFitness.learn(fitness, ranking)
        return search_by_rank(fitness, settings, order, rater, on_step)
    known = [name for name, one in SELECTORS.items() if one.module == __name__]
    if search not in known:
        msg = f"a search of {', '.join(known)} expected, found '{search}'"
        raise ValueError(msg)
    return search_sequentially(
        fitness,
        settings,
        criterion=SELECTORS[search].criterion,
        backward=search == "backward",
        shows_progress=shows_progress,
        on_step=on_step,
    )


def search_sequentially(
    fitness: InnerFitness,
    settings: ForwardSettings,
    *,
    criterion: Criterion | None = None,
    backward: bool = False,
    shows_progress: bool = False,
    on_step: Watcher | None = None,
) -> Selection:
    """Add the best feature, step by step, from none; or ``backward`` remove one from all.

    With the criterion ``mu_minus_deviation`` this is Stable SFS, with ``minimum`` the local
    greedy forward search of paper 1 (III, Table IV); see ``docs/reproduce.md``.

    Returns
    -------
    Selection
        Of at most ``settings.n_steps`` steps that of the best score: of equals the smallest
        mask.
    """
    wanted = criterion or settings.criterion
    grid = SvmGrid.of(settings)
    mask: NDArray[np.bool_] = np.full(fitness.n_features, backward)
    steps = Steps(fitness, on_step=on_step)
    svm = float(grid.C[0]), float(grid.bias[0])
    n_steps = min(settings.n_steps, fitness.n_features - int(backward))
    if backward:
        svm, score = _choose_svm(fitness, mask, grid, wanted)
        steps.add(mask, *svm, score[0], score[0])
    for step in track(range(n_steps), "steps", n_steps) if shows_progress else range(n_steps):
        if steps.is_over:
            break
        candidates = np.flatnonzero(mask == backward)
        is_first = step == 0 and not backward
        tried = zip(grid.C.tolist(), grid.bias.tolist(), strict=True) if is_first else [svm]
        scores = np.stack(
            [fitness.rate_flips(mask, C, wanted, candidates, bias) for C, bias in tried]
        )
        place = _best(_best_of_each(scores))
        mask[candidates[place]] = not backward
        svm, score = _choose_svm(fitness, mask, grid, wanted)
        steps.add(mask, *svm, score[0], float(scores[..., 0].mean()))
    return steps.selection(prefers_last=backward)


def search_by_rank(
    fitness: InnerFitness,
    settings: ForwardSettings,
    order: Order,
    rater: Rater,
    on_step: Watcher | None = None,
) -> Selection:
    """Go through the places of a ranking, the best first, and keep what improves the score.

    The ranked (hybrid) forward search of paper 1 (III, Table IV).

    Parameters
    ----------
    order
        The feature at each place in the ranking of all training clips, (n_places,): the masks of
        the steps take theirs from it.
    rater
        What rates masks of places.
    """
    grid = SvmGrid.of(settings)
    n_places = len(order)
    chosen: NDArray[np.bool_] = np.zeros(n_places, np.bool_)
    chosen[0] = True
    steps = Steps(fitness, on_step=on_step)

    def stand(mean: float | None = None) -> tuple[tuple[float, float], tuple[float, float]]:
        svm, score = _choose_svm(rater, chosen, grid, settings.criterion)
        mask = masks_at(order, chosen[None], fitness.n_features)[0]
        steps.add(mask, *svm, score[0], score[0] if mean is None else mean)
        return svm, score

    (C, bias), score = stand()
    place = 1
    while place < n_places and len(steps.masks) < settings.n_steps and not steps.is_over:
        block = np.arange(place, min(place + _RANKED_AT_ONCE, n_places))
        scores = rater.rate_flips(chosen, C, settings.criterion, block, bias)
        better = np.flatnonzero([_is_better(one, score) for one in scores])
        if len(better) == 0:
            place += len(block)
            continue
        place = int(block[better[0]])
        chosen[place] = True
        place += 1
        (C, bias), score = stand(float(scores[:, 0].mean()))
    return steps.selection()


def _choose_svm(
    rater: Rater, mask: NDArray[np.bool_], grid: SvmGrid, criterion: Criterion
) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return the best C and bias of a mask, of equals the first, and the mask's scores by them."""
    masks, penalties, biases = grid.with_each(mask[None])
    scores = rater.rate(masks, penalties, criterion, biases)
    place = _best(scores)
    svm = float(grid.C[place]), float(grid.bias[place])
    return svm, (float(scores[place, 0]), float(scores[place, 1]))


def _best(scores: Scores) -> int:
    """Return the first of the best: by the criterion, then by the mean."""
    return int(np.lexsort((-scores[:, 1], -scores[:, 0]))[0])


def _best_of_each(scores: NDArray[np.float64]) -> Scores:
    """Return the best scores of each feature over several SVMs, (n_features, 2)."""
    by_mean = np.lexsort((-scores[..., 1], -scores[..., 0]), axis=0)[0]
    return np.asarray(scores[by_mean, np.arange(scores.shape[1])], np.float64)


def _is_better(found: NDArray[np.float64], known: tuple[float, float]) -> bool:
    return (float(found[0]), float(found[1])) > known


def select(
    fitness: InnerFitness,
    name: str,
    settings: ForwardSettings,
    *,
    shows_progress: bool = False,
) -> Selection:
    """Select by the search of a name, as ``selectors`` asks for it."""
    return search_forward(fitness, name, settings, shows_progress=shows_progress)

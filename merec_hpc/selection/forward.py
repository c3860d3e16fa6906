"""Searches that add or remove one feature at a time, each step scored on all inner folds.

A step scores every feature that may still come (or go) by a change of rank one of the Gram
matrix. Of equal scores the larger mean accuracy over the folds counts, then the lower index.
C is chosen anew after every step.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from merec_hpc.config.selection import Criterion, ForwardSettings
from merec_hpc.progress import track
from merec_hpc.records import Selection
from merec_hpc.selection.fitness.grouped import InnerFitness
from merec_hpc.selection.ranking import find_ranking
from merec_hpc.selection.selectors import RANKED, SELECTORS
from merec_hpc.selection.steps import Steps

_RANKED_AT_ONCE = 64  # features of a ranking that are scored before one is taken

Scores = NDArray[np.float64]  # (n, 2): the criterion, and the mean accuracy over the folds


def search_forward(
    fitness: InnerFitness,
    search: str,
    settings: ForwardSettings,
    *,
    shows_progress: bool = False,
) -> Selection:
    """Search by name: forward, backward, stable_sfs, local_greedy, or ranked_forward_ a ranking.

    Raises
    ------
    ValueError
        If there is no such search.
    """
    if search.startswith(RANKED):
        ranking = find_ranking(search.removeprefix(RANKED))
        order = ranking(fitness.features, fitness.folds.labels, fitness.n_features)
        return search_by_rank(fitness, settings, order)
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
    )


def search_sequentially(
    fitness: InnerFitness,
    settings: ForwardSettings,
    *,
    criterion: Criterion | None = None,
    backward: bool = False,
    shows_progress: bool = False,
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
    penalties = np.sort(np.array(settings.C_values, np.float64))
    mask: NDArray[np.bool_] = np.full(fitness.n_features, backward)
    steps = Steps(fitness)
    C = float(penalties[0])
    n_steps = min(settings.n_steps, fitness.n_features - int(backward))
    if backward:
        C, score = _choose_penalty(fitness, mask, penalties, wanted)
        steps.add(mask, C, score[0], score[0])
    for step in track(range(n_steps), "steps", n_steps) if shows_progress else range(n_steps):
        candidates = np.flatnonzero(mask == backward)
        tried = penalties if step == 0 and not backward else np.array([C])
        scores = np.stack([fitness.rate_flips(mask, value, wanted, candidates) for value in tried])
        place = _best(_best_of_each(scores))
        mask[candidates[place]] = not backward
        C, score = _choose_penalty(fitness, mask, penalties, wanted)
        steps.add(mask, C, score[0], float(scores[..., 0].mean()))
    return steps.selection(prefers_last=backward)


def search_by_rank(
    fitness: InnerFitness,
    settings: ForwardSettings,
    order: Sequence[int] | NDArray[np.int64],
) -> Selection:
    """Go through a ranking, best feature first, and keep what improves the score.

    The ranked (hybrid) forward search of paper 1 (III, Table IV).
    """
    penalties = np.sort(np.array(settings.C_values, np.float64))
    ranked = np.asarray(order, np.int64)
    mask: NDArray[np.bool_] = np.zeros(fitness.n_features, np.bool_)
    mask[ranked[0]] = True
    C, score = _choose_penalty(fitness, mask, penalties, settings.criterion)
    steps = Steps(fitness)
    steps.add(mask, C, score[0], score[0])
    place = 1
    while place < len(ranked) and len(steps.masks) < settings.n_steps:
        block = ranked[place : place + _RANKED_AT_ONCE]
        scores = fitness.rate_flips(mask, C, settings.criterion, block)
        better = np.flatnonzero([_is_better(one, score) for one in scores])
        if len(better) == 0:
            place += len(block)
            continue
        mask[block[better[0]]] = True
        place += int(better[0]) + 1
        C, score = _choose_penalty(fitness, mask, penalties, settings.criterion)
        steps.add(mask, C, score[0], float(scores[:, 0].mean()))
    return steps.selection()


def _choose_penalty(
    fitness: InnerFitness,
    mask: NDArray[np.bool_],
    penalties: NDArray[np.float64],
    criterion: Criterion,
) -> tuple[float, tuple[float, float]]:
    """Return the best C of a mask, of equals the smallest, and the mask's scores by it."""
    masks = np.tile(mask, (len(penalties), 1))
    scores = fitness.rate(masks, penalties, criterion)
    place = _best(scores)
    return float(penalties[place]), (float(scores[place, 0]), float(scores[place, 1]))


def _best(scores: Scores) -> int:
    """Return the first of the best: by the criterion, then by the mean."""
    return int(np.lexsort((-scores[:, 1], -scores[:, 0]))[0])


def _best_of_each(scores: NDArray[np.float64]) -> Scores:
    """Return the best scores of each feature over several values of C, (n_features, 2)."""
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

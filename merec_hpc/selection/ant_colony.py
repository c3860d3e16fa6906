"""Ant colony search over masks, with paper 5's parameters.

Features are the nodes; every ant gathers features one after the other: with probability q0 the
best remaining one by tau^alpha eta^beta, else one drawn in proportion to it, tau being the
pheromone of a feature and eta what a filter thinks of it (Dorigo, Gambardella: Ant colony
system, IEEE Transactions on Evolutionary Computation 1997, doi:10.1109/4235.585892). What paper
5 does not say: an ant draws how many features it gathers, uniformly from 1..d, as paper 1's
founders do; after an iteration a share rho of all pheromone evaporates, and every ant leaves its
fitness, divided by the number of ants, on each of its features.
"""

from dataclasses import replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from merec_hpc.config.selection import AntColonySettings, Criterion
from merec_hpc.progress import track
from merec_hpc.records import History, Masks, Population, Selection
from merec_hpc.selection.fitness.genome import group_of
from merec_hpc.selection.fitness.grouped import InnerFitness
from merec_hpc.selection.ranking import anova_f, fisher_score, mean_scores
from merec_hpc.selection.steps import history_of_one
from merec_hpc.selection.svm_grid import SvmGrid
from merec_hpc.selection.watching import Watcher

_HALL_SIZE = 10
HEURISTICS = {"fisher": fisher_score, "anova_f": anova_f}
_LEAST_HEURISTIC = 1e-3  # of the largest: no feature is out of reach


class MaskFitness(Protocol):
    """Anything that scores masks on inner folds of the training clips."""

    @property
    def n_features(self) -> int:
        """Number of features that a mask chooses from."""
        ...

    def score(
        self,
        masks: Masks,
        C: NDArray[np.float64],
        criterion: Criterion,
        bias: NDArray[np.float64] | None = None,
    ) -> NDArray[np.float64]:
        """Return the fitness, in [0, 1], shape (n_individuals,)."""
        ...

    def training_accuracies(
        self, masks: Masks, C: NDArray[np.float64], bias: NDArray[np.float64] | None = None
    ) -> NDArray[np.float64]:
        """Return the accuracy on the clips that are trained on, (n_individuals,)."""
        ...


def search_with_ants(
    fitness: MaskFitness,
    heuristic: NDArray[np.float64],
    settings: AntColonySettings,
    *,
    shows_progress: bool = False,
    on_iteration: Watcher | None = None,
) -> Selection:
    """Return the best mask that an ant has found.

    Parameters
    ----------
    heuristic
        What a filter says of each feature, at least 0, (n_features,).
    on_iteration
        Called after every iteration; if it returns true, that iteration is the last.
    """
    rng = np.random.default_rng(np.random.SeedSequence(settings.seed))
    eta = scaled_heuristic(heuristic)
    pheromone = np.ones(fitness.n_features)
    grid = SvmGrid.of(settings)
    best: Population | None = None
    history: History | None = None
    iterations = range(settings.n_iterations)
    for _ in track(iterations, "iterations", len(iterations)) if shows_progress else iterations:
        appeal = pheromone**settings.alpha * eta**settings.beta
        sizes = _sizes(settings, fitness.n_features, rng)
        masks = np.stack([gather(appeal, size, settings.q0, rng) for size in sizes])
        every, penalties, biases = grid.with_each(masks)
        scores = fitness.score(every, penalties, settings.criterion, biases)
        by_ant = scores.reshape(len(masks), len(grid))
        places = by_ant.argmax(axis=1)
        ants = Population(masks, grid.C[places], grid.bias[places], by_ant.max(axis=1))
        pheromone = renewed(pheromone, masks, ants.fitness, settings.rho)
        best = _fittest(best, ants)
        row = history_of_one(fitness, best.take(np.array([0])), ants)
        history = row if history is None else history.joined(row)
        if on_iteration is not None and on_iteration(history):
            break
    assert best is not None
    assert history is not None
    return Selection(
        mask=best.masks[0],
        C=float(best.C[0]),
        bias=float(best.bias[0]),
        fitness=float(best.fitness[0]),
        generation=int(np.argmax(history.best_fitness == best.fitness[0])),
        history=history,
        hall_of_fame=best,
        last=ants,
    )


def scaled_heuristic(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a filter's scores in (0, 1]: the largest is 1, and so is an infinite one."""
    largest = float(scores[np.isfinite(scores)].max(initial=0.0))
    relative = np.minimum(scores / largest, 1.0) if largest > 0 else np.ones_like(scores)
    return np.asarray(np.maximum(relative, _LEAST_HEURISTIC), np.float64)


def gather(
    appeal: NDArray[np.float64], n_wanted: int, q0: float, rng: np.random.Generator
) -> NDArray[np.bool_]:
    """Return the mask of one ant, that gathers so many features.

    Drawn features come in the order in which clocks ring whose rates are the appeals: of those
    that remain the next one to ring is drawn in proportion to them, whatever was taken before.
    """
    n_features = len(appeal)
    mask: NDArray[np.bool_] = np.zeros(n_features, np.bool_)
    by_appeal = iter(np.argsort(-appeal, kind="stable").tolist())
    by_clock = iter(np.argsort(rng.exponential(size=n_features) / appeal, kind="stable").tolist())
    for is_greedy in (rng.random(n_wanted) < q0).tolist():
        feature = next(one for one in (by_appeal if is_greedy else by_clock) if not mask[one])
        mask[feature] = True
    return mask


def renewed(
    pheromone: NDArray[np.float64],
    masks: Masks,
    fitness: NDArray[np.float64],
    rho: float,
) -> NDArray[np.float64]:
    """Return the pheromone after evaporation and what the ants leave, (n_features,)."""
    return np.asarray((1 - rho) * pheromone + fitness @ masks / len(masks), np.float64)


def _sizes(settings: AntColonySettings, n_features: int, rng: np.random.Generator) -> list[int]:
    if settings.n_selected is not None:
        return [min(settings.n_selected, n_features)] * settings.n_ants
    sizes: list[int] = rng.integers(1, n_features + 1, settings.n_ants).tolist()
    return sizes


def _fittest(known: Population | None, ants: Population) -> Population:
    """Return the best distinct masks so far, of equals the earlier."""
    together = ants if known is None else known.joined(ants)
    order = np.argsort(-together.fitness, kind="stable")
    seen: dict[bytes, int] = {}
    for place in order.tolist():
        seen.setdefault(together.masks[place].tobytes(), place)
    return together.take(np.array(list(seen.values())[:_HALL_SIZE]))


def select(
    fitness: InnerFitness,
    name: str,  # noqa: ARG001  # one form for all selectors
    settings: AntColonySettings,
    *,
    shows_progress: bool = False,
) -> Selection:
    """Select as ``selectors`` asks for it: heuristic and classifier are those of the settings."""
    scores = HEURISTICS[settings.heuristic](fitness.features, fitness.folds.labels)
    heuristic = mean_scores(scores, group_of(fitness))
    if settings.classifier == "random_forest":  # which has no C
        settings = replace(settings, C_values=settings.C_values[:1])
    scored: MaskFitness = fitness
    if (settings.classifier, settings.oversampling) != ("linear_svm", "none"):
        # LIBLINEAR takes half a second, which nobody else should pay.
        from merec_hpc.selection.fitness.any_classifier import ClassifierFitness  # noqa: PLC0415

        scored = ClassifierFitness(
            fitness, settings.classifier, settings.oversampling, settings.seed
        )
    return search_with_ants(scored, heuristic, settings, shows_progress=shows_progress)

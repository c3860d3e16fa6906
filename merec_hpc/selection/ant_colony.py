"""Ant colony search over masks, with paper 5's parameters.

Features are the nodes; every ant gathers features one after the other: with probability q0 the
best remaining one by tau^alpha eta^beta, else one drawn in proportion to it, tau being the
pheromone of a feature and eta what a filter thinks of it (Dorigo, Gambardella: Ant colony
system, IEEE Transactions on Evolutionary Computation 1997, doi:10.1109/4235.585892). What paper
5 does not say: an ant draws how many features it gathers, uniformly from 1..d, as paper 1's
founders do; after an iteration a share rho of all pheromone evaporates, and every ant leaves its
fitness, divided by the number of ants, on each of its features.

Every inner fold has a heuristic of its own training clips. An ant is what it draws: in each fold it
gathers anew, by the fold's heuristic and the one pheromone, and its score is of what the folds' own
masks say of the folds' clips. The mask that is kept, and on which it leaves its pheromone, is
gathered by the heuristic of all training clips. ``leaky_ant_colony`` scores that mask in the inner
folds too, as is common: its heuristic has seen the classes of the clips that they predict, and the
scores are too high. Of the held-out subject neither sees anything.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

from merec_hpc.config.selection import AntColonySettings, Criterion
from merec_hpc.kernels.gathering import gather_features
from merec_hpc.progress import track
from merec_hpc.records import History, Masks, Population, Selection
from merec_hpc.selection.fitness.genome import group_of
from merec_hpc.selection.fitness.inner_fitness import InnerFitness
from merec_hpc.selection.fitness.own_masks import learnt_without_each
from merec_hpc.selection.fitness.subject_folds import OwnMasks
from merec_hpc.selection.ranking import anova_f, fisher_score, mean_scores
from merec_hpc.selection.selectors import LEAKY
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

    def score_own(
        self,
        own: OwnMasks,
        C: NDArray[np.float64],
        criterion: Criterion,
        bias: NDArray[np.float64] | None = None,
    ) -> NDArray[np.float64]:
        """Return ``score`` of what has a mask of its own in each inner fold, (n_individuals,)."""
        ...

    def training_accuracies(
        self, masks: Masks, C: NDArray[np.float64], bias: NDArray[np.float64] | None = None
    ) -> NDArray[np.float64]:
        """Return the accuracy on the clips that are trained on, (n_individuals,)."""
        ...


@dataclass(frozen=True)
class Heuristics:
    """What a filter says of each feature, at least 0."""

    everyone: NDArray[np.float64]
    """By all training clips, (n_features,)."""
    of_folds: Sequence[NDArray[np.float64]] | None = None
    """By the training clips of each inner fold, (n_folds, n_features) of each grouping. Without
    them the folds score the very masks that are kept, and the scores are too high."""

    @classmethod
    def learn(cls, fitness: InnerFitness, name: str, *, is_leaky: bool = False) -> Self:
        """Learn the heuristic of a name, without each inner fold too unless it is to leak.

        That of a group of features is the mean of theirs.

        Where all clips are of one class, all features are alike.
        """
        group = group_of(fitness)

        def learn(features: NDArray[np.float64], labels: NDArray[np.int64]) -> NDArray[np.float64]:
            return mean_scores(HEURISTICS[name](features, labels), group)

        everyone = learn(fitness.features, fitness.folds.labels)
        if is_leaky:
            return cls(everyone)
        alike = np.ones(fitness.n_features)
        return cls(everyone, [learnt_without_each(one, learn, alike) for one in fitness.groupings])


@dataclass(frozen=True)
class Ant:
    """What an ant draws: the same in every inner fold."""

    clocks: NDArray[np.float64]  # (n_features,), when those of rate 1 ring
    is_greedy: NDArray[np.bool_]  # (n_wanted,), of each feature that it takes

    @classmethod
    def draw(cls, n_features: int, n_wanted: int, q0: float, rng: np.random.Generator) -> Self:
        """Draw an ant that gathers so many features."""
        clocks = rng.exponential(size=n_features)
        return cls(clocks, rng.random(n_wanted) < q0)


def search_with_ants(
    fitness: MaskFitness,
    heuristics: Heuristics,
    settings: AntColonySettings,
    *,
    shows_progress: bool = False,
    on_iteration: Watcher | None = None,
) -> Selection:
    """Return the best mask that an ant has found.

    Parameters
    ----------
    on_iteration
        Called after every iteration; if it returns true, that iteration is the last.
    """
    rng = np.random.default_rng(np.random.SeedSequence(settings.seed))
    pheromone = np.ones(fitness.n_features)
    grid = SvmGrid.of(settings)
    best: Population | None = None
    history: History | None = None
    iterations = range(settings.n_iterations)
    for _ in track(iterations, "iterations", len(iterations)) if shows_progress else iterations:
        drawn = [
            Ant.draw(fitness.n_features, size, settings.q0, rng)
            for size in _sizes(settings, fitness.n_features, rng)
        ]

        def gathered(heuristic: NDArray[np.float64]) -> Masks:
            return gather(_appeal(pheromone, heuristic, settings), drawn)  # noqa: B023  # at once

        masks = gathered(heuristics.everyone)
        every, penalties, biases = grid.with_each(masks)
        if heuristics.of_folds is None:
            scores = fitness.score(every, penalties, settings.criterion, biases)
        else:
            own = [
                np.stack([grid.with_each(gathered(ours))[0] for ours in of_folds])
                for of_folds in heuristics.of_folds
            ]
            scores = fitness.score_own(own, penalties, settings.criterion, biases)
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


def gather(appeal: NDArray[np.float64], ants: Sequence[Ant]) -> Masks:
    """Return the masks of ants that see such appeals, (n_ants, n_features).

    Drawn features come in the order in which clocks ring whose rates are the appeals: of those
    that remain the next one to ring is drawn in proportion to them, whatever was taken before.
    """
    masks: Masks = np.zeros((len(ants), len(appeal)), np.bool_)
    by_appeal = np.argsort(-appeal, kind="stable")
    for ant, mask in zip(ants, masks, strict=True):
        by_clock = np.argsort(ant.clocks / appeal, kind="stable")
        gather_features(by_appeal, by_clock, ant.is_greedy, mask)
    return masks


def _appeal(
    pheromone: NDArray[np.float64], heuristic: NDArray[np.float64], settings: AntColonySettings
) -> NDArray[np.float64]:
    eta = scaled_heuristic(heuristic)
    return np.asarray(pheromone**settings.alpha * eta**settings.beta, np.float64)


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
    name: str,
    settings: AntColonySettings,
    *,
    shows_progress: bool = False,
) -> Selection:
    """Select as ``selectors`` asks for it: heuristic and classifier are those of the settings."""
    is_leaky = name.startswith(LEAKY)
    heuristics = Heuristics.learn(fitness, settings.heuristic, is_leaky=is_leaky)
    if settings.classifier == "random_forest":  # which has no C and no bias
        settings = replace(settings, C_values=settings.C_values[:1], bias=(0.0,))
    scored: MaskFitness = fitness
    if (settings.classifier, settings.oversampling) != ("linear_svm", "none"):
        # LIBLINEAR takes half a second, which nobody else should pay.
        from merec_hpc.selection.fitness.any_classifier import ClassifierFitness  # noqa: PLC0415

        scored = ClassifierFitness(
            fitness, settings.classifier, settings.oversampling, settings.seed
        )
    return search_with_ants(scored, heuristics, settings, shows_progress=shows_progress)

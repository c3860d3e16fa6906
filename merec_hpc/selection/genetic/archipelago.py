"""Evolves islands of individuals into a selection of features."""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from merec_hpc.arrays import History, Masks, Population, Selection
from merec_hpc.config import Criterion, GeneticSettings
from merec_hpc.parallel.communicator import Communicator
from merec_hpc.progress import track
from merec_hpc.selection.genetic.founders import FOUNDERS, random_penalties
from merec_hpc.selection.genetic.hall_of_fame import admit
from merec_hpc.selection.genetic.migration import best, migrate_on_ring, replace_worst
from merec_hpc.selection.genetic.operators import MUTATIONS, cross_uniformly, spin_roulette
from merec_hpc.selection.genetic.termination import choose_generation

log = logging.getLogger(__name__)


class Fitness(Protocol):
    """What scores masks on inner folds: ``SubjectFoldFitness``, or a stand-in in tests."""

    @property
    def n_features(self) -> int:
        """Number of features that a mask chooses from."""
        ...

    def score(self, masks: Masks, C: ArrayLike, criterion: Criterion) -> NDArray[np.float64]:
        """Return the fitness by a named criterion, in [0, 1], shape (n_individuals,)."""
        ...

    def fold_accuracies(self, masks: Masks, C: ArrayLike) -> NDArray[np.float64]:
        """Return accuracies, shape (n_individuals, n_folds)."""
        ...

    def training_accuracies(self, masks: Masks, C: ArrayLike) -> NDArray[np.float64]:
        """Return accuracies, shape (n_individuals,)."""
        ...


def evolve(fitness: Fitness, settings: GeneticSettings, comm: Communicator) -> Selection:
    """Search masks by the genetic algorithm of paper 1 (IV.C, V.B).

    Every rank breeds all islands alike, from generators that belong to the islands; only the
    evaluation is shared out, and only its results travel. The result therefore depends on
    the settings alone, never on the number of ranks.

    In each generation an island keeps its elite, fills up with children of parents drawn by
    roulette, and replaces its worst by random migrants. With ``n_islands: 1`` this is the
    paper's panmictic population.

    Parameters
    ----------
    fitness
        Scores masks on the training clips of one fold.

    References
    ----------
    Patel, Hong, Zhao: Selective deep features for micro-expression recognition, ICPR 2016,
    doi:10.1109/ICPR.2016.7899972 ("paper 1").
    """
    archipelago = _Archipelago(fitness, settings, comm)
    generations: Iterable[int] = range(1, settings.n_generations + 1)
    if comm.rank == 0:
        generations = track(generations, "generations", settings.n_generations)
    for generation in generations:
        archipelago.advance(generation)
    return archipelago.select()


class _Archipelago:
    """The state of a search: islands, their generators, hall of fame and history."""

    def __init__(self, fitness: Fitness, settings: GeneticSettings, comm: Communicator) -> None:
        self._fitness, self._settings, self._comm = fitness, settings, comm
        self._rngs = [island_rng(settings.seed, island) for island in range(settings.n_islands)]
        draft = [self._draw(rng, settings.n_individuals) for rng in self._rngs]
        self._islands = self._evaluate(draft)
        empty = self._islands[0].take(np.empty(0, np.int64))
        self._hall = _admit_all(empty, self._islands, settings.hall_of_fame_size)
        self._rows: list[_Row] = [self._row()]

    def advance(self, generation: int) -> None:
        """Go on by one generation."""
        settings = self._settings
        if generation > 1 and (generation - 1) % settings.migration_interval == 0:
            self._islands = migrate_on_ring(self._islands, settings.n_emigrants)
        draft = []
        for island, rng in zip(self._islands, self._rngs, strict=True):
            draft.append(self._breed(island, rng))
            draft.append(self._draw(rng, settings.n_random_migrants))
        evaluated = self._evaluate(draft)
        self._islands = [
            replace_worst(best(island, settings.n_elites).joined(children), migrants)
            for island, children, migrants in zip(
                self._islands, evaluated[::2], evaluated[1::2], strict=True
            )
        ]
        self._hall = _admit_all(self._hall, evaluated, settings.hall_of_fame_size)
        self._rows.append(self._row())
        log.debug("generation %d: best fitness %.4f", generation, self._hall.fitness[0])

    def select(self) -> Selection:
        """Choose the generation, and return its best individual with all that led to it."""
        history = _history(self._rows)
        settings = self._settings
        generation = choose_generation(
            history.best_fitness,
            history.training_accuracy,
            settings.flat_range,
            settings.steep_derivative,
        )
        last = self._islands[0]
        for island in self._islands[1:]:
            last = last.joined(island)
        return Selection(
            mask=history.best_masks[generation],
            C=float(history.best_C[generation]),
            fitness=float(history.best_fitness[generation]),
            generation=generation,
            history=history,
            hall_of_fame=self._hall,
            last=last,
        )

    def _draw(self, rng: np.random.Generator, count: int) -> "_Draft":
        """Draw new individuals."""
        masks = FOUNDERS[self._settings.founders](count, self._fitness.n_features, rng)
        return _Draft(masks, random_penalties(count, self._settings.C_values, rng))

    def _breed(self, island: Population, rng: np.random.Generator) -> "_Draft":
        """Breed as many children as the island holds individuals besides its elite."""
        settings = self._settings
        n_children = settings.n_individuals - settings.n_elites
        mothers = spin_roulette(island.fitness, n_children, rng)
        fathers = spin_roulette(island.fitness, n_children, rng)
        masks, crossed = cross_uniformly(
            island.masks[mothers], island.masks[fathers], settings.crossover_probability, rng
        )
        takes_father = crossed & (rng.random(n_children) < 0.5)
        penalties = np.where(takes_father, island.C[fathers], island.C[mothers])
        masks = MUTATIONS[settings.mutation](masks, settings.mutation_rate, rng)
        redrawn = rng.random(n_children) < settings.mutation_rate
        fresh = random_penalties(n_children, settings.C_values, rng)
        return _Draft(masks, np.where(redrawn, fresh, penalties))

    def _evaluate(self, drafts: "Sequence[_Draft]") -> list[Population]:
        """Score drafts of all islands; every rank scores a part and learns the whole."""
        masks = np.concatenate([draft.masks for draft in drafts])
        penalties = np.concatenate([draft.C for draft in drafts])
        own = slice(self._comm.rank, None, self._comm.size)
        scores = np.empty(len(masks))
        own_scores = self._fitness.score(masks[own], penalties[own], self._settings.criterion)
        for rank, part in enumerate(self._comm.allgather(own_scores)):
            scores[rank :: self._comm.size] = part
        ends = np.cumsum([len(draft.C) for draft in drafts])[:-1]
        return [
            Population(*parts)
            for parts in zip(
                np.split(masks, ends),
                np.split(penalties, ends),
                np.split(scores, ends),
                strict=True,
            )
        ]

    def _row(self) -> "_Row":
        """Take down the present generation."""
        counts = np.concatenate([island.masks.sum(axis=1) for island in self._islands])
        scores = np.concatenate([island.fitness for island in self._islands])
        champion = self._hall.take(np.array([0]))
        return _Row(
            champion=champion,
            training_accuracy=self._training_accuracy(champion),
            mean_fitness=float(scores.mean()),
            min_selected=int(counts.min()),
            max_selected=int(counts.max()),
        )

    def _training_accuracy(self, champion: Population) -> float:
        """Return what paper 1 calls training accuracy: it does not say which."""
        if self._settings.training_accuracy == "inner_folds":
            return float(self._fitness.fold_accuracies(champion.masks, champion.C).mean())
        return float(self._fitness.training_accuracies(champion.masks, champion.C)[0])


@dataclass(frozen=True)
class _Draft:
    """Individuals without a fitness yet."""

    masks: Masks
    C: NDArray[np.float64]


@dataclass(frozen=True)
class _Row:
    """One generation of the history."""

    champion: Population  # of one individual
    training_accuracy: float
    mean_fitness: float
    min_selected: int
    max_selected: int


def island_rng(seed: int, island: int) -> np.random.Generator:
    """Return the island's own stream of random numbers."""
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(island,)))


def _admit_all(hall: Population, newcomers: Sequence[Population], size: int) -> Population:
    """Admit the newcomers of all islands."""
    for island in newcomers:
        hall = admit(hall, island, size)
    return hall


def _history(rows: Sequence[_Row]) -> History:
    return History(
        best_fitness=np.array([row.champion.fitness[0] for row in rows]),
        training_accuracy=np.array([row.training_accuracy for row in rows]),
        mean_fitness=np.array([row.mean_fitness for row in rows]),
        min_selected=np.array([row.min_selected for row in rows]),
        max_selected=np.array([row.max_selected for row in rows]),
        best_masks=np.concatenate([row.champion.masks for row in rows]),
        best_C=np.array([row.champion.C[0] for row in rows]),
    )

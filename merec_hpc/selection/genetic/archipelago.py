"""Evolves islands of individuals into a selection of features."""

import logging
from collections.abc import Iterable, Sequence
from math import fsum

import numpy as np
from numpy.typing import NDArray

from merec_hpc.config.selection import GeneticSettings
from merec_hpc.criteria import mu
from merec_hpc.errors import InterruptedSearchError
from merec_hpc.parallel.communicator import Communicator, SerialCommunicator
from merec_hpc.parallel.signals import StopRequest
from merec_hpc.progress import track
from merec_hpc.records import History, Population, SearchState, Selection
from merec_hpc.selection.fitness.genome import Genome, genome_of, n_selected
from merec_hpc.selection.fitness.inner_fitness import Fitness
from merec_hpc.selection.genetic.breeding import Draft, breed, draw, island_rng, keys_of
from merec_hpc.selection.genetic.hall_of_fame import admit
from merec_hpc.selection.genetic.migration import best, receive, sources_of
from merec_hpc.selection.genetic.objectives import front_of, ranking
from merec_hpc.selection.genetic.survival import next_island
from merec_hpc.selection.genetic.teams import Teams
from merec_hpc.selection.genetic.termination import choose_generation, has_settled
from merec_hpc.selection.watching import Watcher
from merec_hpc.store.checkpoint import Checkpoints

log = logging.getLogger(__name__)


def evolve(
    fitness: Fitness,
    settings: GeneticSettings,
    comm: Communicator,
    checkpoints: Checkpoints | None = None,
    stop: StopRequest | None = None,
    on_generation: Watcher | None = None,
    shows_progress: bool = True,
) -> Selection:
    """Search masks by the genetic algorithm of paper 1 (IV.C, V.B).

    Random numbers belong to the islands, whoever breeds them: ranks of a team breed its islands
    alike and share out the evaluation, of which only the results travel (``teams``). The result
    therefore depends on the settings alone, never on the number of ranks, nor on whether the
    search was resumed. Where there are several teams, ranks but the first return the last
    population of their own islands only.

    In each generation an island keeps its elite, fills up with children of parents drawn by
    roulette, and replaces its worst by random migrants. With ``n_islands: 1`` this is the
    paper's panmictic population.

    With the number of features as a second objective, parents are drawn by tournaments and the
    first fronts of parents and children survive (``survival``); the champion is the fittest of the
    last generation, and the selection has a front. Of several teams' ranks only the first returns
    the front of all islands.

    Parameters
    ----------
    fitness
        Scores masks on the training clips of one fold.
    checkpoints
        Where to begin, if there is something, and where to write.
    stop
        Asks all ranks to end after the present generation, if it is set on one.
    on_generation
        Called on rank 0 after every generation, the founders' included. If it returns true, the
        search is over on all ranks, and what was found until then is returned.
    shows_progress
        Whether rank 0 shows how far the search has come.

    Raises
    ------
    InterruptedSearchError
        If ``stop`` asked for it; the state was written if there are ``checkpoints``.

    References
    ----------
    Patel, Hong, Zhao: Selective deep features for micro-expression recognition, ICPR 2016,
    doi:10.1109/ICPR.2016.7899972 ("paper 1").
    """
    is_first = comm.rank == 0
    found = checkpoints.load() if checkpoints is not None and is_first else None
    archipelago = _Archipelago(fitness, settings, comm, found)
    generations = range(archipelago.generation + 1, settings.n_generations + 1)
    tracked: Iterable[int] = generations
    if is_first and shows_progress:
        tracked = track(generations, "generations", len(generations))

    def is_enough() -> bool:
        return is_first and on_generation is not None and on_generation(archipelago.history)

    ended = any(comm.allgather(is_enough()))
    for generation in tracked:
        if ended or archipelago.has_settled():
            break
        archipelago.advance(generation)
        said = comm.allgather((bool(stop), is_enough()))
        stopped, ended = (any(column) for column in zip(*said, strict=True))
        if checkpoints is not None and (
            stopped or checkpoints.is_due(generation, settings.n_generations)
        ):
            state = archipelago.state()
            if is_first:
                checkpoints.save(state)
        if stopped:
            comm.allgather(None)  # nobody ends before rank 0 has written
            msg = f"stopped after generation {generation} of {settings.n_generations}"
            raise InterruptedSearchError(msg)
    return archipelago.select()


class _Archipelago:
    """A search under way: islands, their generators, hall of fame and history."""

    def __init__(
        self,
        fitness: Fitness,
        settings: GeneticSettings,
        comm: Communicator,
        state: SearchState | None,
    ) -> None:
        self._fitness, self._settings = fitness, settings
        self._teams = Teams(comm, settings.n_islands)
        self._rngs = [island_rng(settings.seed, island) for island in self._teams.islands]
        self._sources = sources_of(settings.topology, settings.n_islands, settings.edges)
        state = self._teams.dealt_out(state)
        if state is not None:
            for rng, rng_state in zip(self._rngs, state.rng_states, strict=True):
                rng.bit_generator.state = rng_state
            self.generation, self._islands = state.generation, state.islands
            self._hall, self.history = state.hall_of_fame, state.history
            return
        self.generation, self._islands = 0, []
        n_features = fitness.n_features
        draft = [draw(rng, settings.n_individuals, n_features, settings) for rng in self._rngs]
        self._islands = self._evaluate(draft)
        self._hall = self._islands[0].take(np.empty(0, np.int64))
        self._admit(self._islands)
        self.history = self._row(None)

    def state(self) -> SearchState:
        """Return all that the search needs to go on: on rank 0 of all islands."""
        return self._teams.collected(self._own_state())

    def _own_state(self) -> SearchState:
        rng_states = [dict(rng.bit_generator.state) for rng in self._rngs]
        return SearchState(self.generation, self._islands, rng_states, self._hall, self.history)

    def advance(self, generation: int) -> None:
        """Go on by one generation."""
        settings = self._settings
        if generation > 1 and (generation - 1) % settings.migration_interval == 0:
            self._migrate()
        draft, n_features = [], self._fitness.n_features
        for island, rng in zip(self._islands, self._rngs, strict=True):
            draft.append(breed(island, rng, settings))
            draft.append(draw(rng, settings.n_random_migrants, n_features, settings))
        evaluated = self._evaluate(draft)
        self._islands = [
            next_island(island, children, migrants, settings)
            for island, children, migrants in zip(
                self._islands, evaluated[::2], evaluated[1::2], strict=True
            )
        ]
        former = self._hall.take(np.array([0]))
        self._admit(evaluated)
        self.history = self.history.joined(self._row(former))
        self.generation = generation
        log.debug("generation %d: best fitness %.4f", generation, self._hall.fitness[0])

    def has_settled(self) -> bool:
        """Return whether the search may end early."""
        return has_settled(
            self.history.best_fitness,
            self.history.training_accuracy,
            self._settings.flat_range,
            self._settings.flat_window,
        )

    def select(self) -> Selection:
        """Choose the generation, and return its best individual with all that led to it."""
        history = self.history
        generation = self._chosen_generation()
        islands = self.state().islands
        last = islands[0]
        for island in islands[1:]:
            last = last.joined(island)
        return Selection(
            mask=history.best_masks[generation],
            C=float(history.best_C[generation]),
            bias=float(history.best_bias[generation]),
            fitness=float(history.best_fitness[generation]),
            generation=generation,
            history=history,
            hall_of_fame=self._hall,
            last=last,
            front=front_of(self._hall.joined(last)) if self._settings.weighs_two else None,
        )

    def _chosen_generation(self) -> int:
        """Return the generation whose best individual is the champion: of two objectives the last."""
        history, settings = self.history, self._settings
        if settings.weighs_two:
            return len(history.best_fitness) - 1
        return choose_generation(
            history.best_fitness,
            history.training_accuracy,
            settings.flat_range,
            settings.steep_derivative,
        )

    def _migrate(self) -> None:
        """Let the best of each island travel to those that receive from it."""
        n_emigrants, own = self._settings.n_emigrants, self._teams.islands
        orders = [ranking(island, self._settings) for island in self._islands]
        leaving = {
            number: best(island, order, n_emigrants)
            for number, island, order in zip(own, self._islands, orders, strict=True)
        }
        emigrants = self._teams.emigrants(leaving, self._sources)
        self._islands = [
            receive(island, order, self._sources[number], emigrants)
            for number, island, order in zip(own, self._islands, orders, strict=True)
        ]

    def _admit(self, newcomers: Sequence[Population]) -> None:
        """Admit the newcomers of all islands to the hall of fame."""
        size, prefers_few = self._settings.hall_of_fame_size, self._settings.weighs_two
        for island in newcomers:
            self._hall = admit(self._hall, island, size, prefers_few=prefers_few)
        self._hall = self._teams.joined_hall(self._hall, size, prefers_few=prefers_few)

    def _evaluate(self, drafts: Sequence[Draft]) -> list[Population]:
        """Score drafts of the team's islands; every rank scores a part and learns the whole.

        Children that are copies of a parent, or of each other, are not scored again.
        """
        masks = np.concatenate([draft.masks for draft in drafts])
        penalties = np.concatenate([draft.C for draft in drafts])
        biases = np.concatenate([draft.bias for draft in drafts])
        keys = np.array(keys_of(Draft(masks, penalties, biases)), dtype=object)
        scores = self._known_scores(keys)
        unknown = np.flatnonzero(np.isnan(scores))
        _, firsts, places = np.unique(keys[unknown], return_index=True, return_inverse=True)
        todo = unknown[np.sort(firsts)]
        # Every rank gets as many small masks as large ones: those cost more or less.
        todo = todo[np.argsort(masks[todo].sum(axis=1), kind="stable")]
        team = self._teams.ranks
        own = todo[team.rank :: team.size]
        own_scores = self._fitness.score(
            masks[own], penalties[own], self._settings.criterion, biases[own]
        )
        for rank, part in enumerate(team.allgather(own_scores)):
            scores[todo[rank :: team.size]] = part
        scores[unknown] = scores[unknown[firsts]][places]
        ends = np.cumsum([len(draft.C) for draft in drafts])[:-1]
        return [
            Population(*parts)
            for parts in zip(
                np.split(masks, ends),
                np.split(penalties, ends),
                np.split(biases, ends),
                np.split(scores, ends),
                strict=True,
            )
        ]

    def _known_scores(self, keys: NDArray[np.object_]) -> NDArray[np.float64]:
        """Return the fitness of those that live on an island already, NaN for the others."""
        known: dict[bytes, float] = {}
        for island in self._islands:
            known |= zip(keys_of(island), island.fitness.tolist(), strict=True)
        return np.array([known.get(key, np.nan) for key in keys])

    def _row(self, former: Population | None) -> History:
        """Take down the present generation; ``former`` is the champion before it."""
        genome = genome_of(self._fitness)
        islands = self._teams.gathered([_summary(island, genome) for island in self._islands])
        n_individuals = self._settings.n_individuals * self._settings.n_islands
        champion = self._hall.take(np.array([0]))
        if former is not None and keys_of(former) == keys_of(champion):
            training_accuracy = self.history.training_accuracy[-1:]
        else:
            training_accuracy = self._training_accuracy(champion)
        return History(
            best_fitness=champion.fitness,
            training_accuracy=training_accuracy,
            mean_fitness=np.array([fsum(total for total, _, _ in islands) / n_individuals]),
            min_selected=np.array([min(fewest for _, fewest, _ in islands)], np.int64),
            max_selected=np.array([max(most for _, _, most in islands)], np.int64),
            best_masks=champion.masks,
            best_C=champion.C,
            best_bias=champion.bias,
        )

    def _training_accuracy(self, champion: Population) -> NDArray[np.float64]:
        """Return what paper 1 calls training accuracy, (1,): it does not say which."""
        if self._settings.training_accuracy == "inner_folds":
            return mu(self._fitness.fold_accuracies(champion.masks, champion.C, champion.bias))
        return self._fitness.training_accuracies(champion.masks, champion.C, champion.bias)


def _summary(island: Population, genome: Genome | None) -> tuple[float, int, int]:
    """Return the sum of fitness, and the fewest and most features of an individual."""
    counts = n_selected(genome, island.masks)
    return fsum(island.fitness), int(counts.min()), int(counts.max())


def select(
    fitness: Fitness,
    name: str,  # noqa: ARG001  # one form for all selectors
    settings: GeneticSettings,
    *,
    shows_progress: bool = False,
) -> Selection:
    """Select as ``selectors`` asks for it: on one rank, without checkpoints."""
    return evolve(fitness, settings, SerialCommunicator(), shows_progress=shows_progress)

"""Predicts how long a search takes, on any number of ranks.

A generation waits for its slowest team: for its share of the evaluations, for the breeding of
its islands, which every rank of a team repeats, and for what travels. docs/scaling.md holds
the prediction against measurements and says what it rests on.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from math import ceil, log, log2, sqrt

import numpy as np
from numpy.typing import NDArray

from merec_hpc.config.selection import GeneticSettings
from merec_hpc.records import Population
from merec_hpc.selection.fitness.inner_fitness import InnerFitness
from merec_hpc.selection.genetic.breeding import breed
from merec_hpc.selection.genetic.founders import random_biases
from merec_hpc.selection.genetic.teams import share_out


@dataclass(frozen=True)
class Costs:
    """What was measured on one core, in seconds."""

    evaluation_s: float
    """Of a mask, in a batch."""
    evaluation_spread: float
    """Standard deviation of the cost of single masks, relative to its mean."""
    breeding_s: float
    """Of a child or a migrant."""
    training_s: float
    """Of what is done once a generation by all alike: the champion's training accuracy."""


@dataclass(frozen=True)
class Interconnect:
    """An interconnect, as published."""

    latency_s: float
    bytes_per_s: float


@dataclass(frozen=True)
class Prediction:
    """Seconds of one search, and bytes that leave a rank in a generation."""

    evaluation_s: float
    breeding_s: float
    waiting_s: float
    communication_s: float
    bytes_per_generation: float

    @property
    def total_s(self) -> float:
        """Seconds in all."""
        return self.evaluation_s + self.breeding_s + self.waiting_s + self.communication_s


def n_evaluations(settings: GeneticSettings) -> int:
    """Return how many individuals a search scores at most: copies are not scored again."""
    children = settings.n_children
    newcomers = settings.n_generations * (children + settings.n_random_migrants)
    return settings.n_islands * (settings.n_individuals + newcomers)


def predict_search(
    settings: GeneticSettings,
    n_features: int,
    n_ranks: int,
    costs: Costs,
    network: Interconnect,
    checkpoint_every: int = 5,
) -> Prediction:
    """Predict a search of all generations.

    The expected greatest of n sums of k costs with relative spread s lies about
    s * sqrt(2 ln n / k) above their mean; the model takes that for what a generation waits.
    """
    teams = share_out(settings.n_islands, n_ranks)
    slowest = max(teams, key=lambda team: len(team.islands) / len(team.ranks))
    n_islands, team_size = len(slowest.islands), len(slowest.ranks)
    children = settings.n_children + settings.n_random_migrants
    drafts = n_islands * children
    share = ceil(drafts / team_size)
    generations = settings.n_generations
    # A child that is neither crossed nor mutated is a copy, and is not scored again.
    copied = (1 - settings.crossover_probability) * (1 - settings.mutation_rate) ** 2
    scored = 1 - copied * settings.n_children / children
    evaluation = share * scored * costs.evaluation_s + costs.training_s
    spread = costs.evaluation_spread * sqrt(2 * log(max(n_ranks, 2)) / share) if n_ranks > 1 else 0
    individual = ceil(n_features / 8) + 24
    sent = 0.0
    hops = 0.0
    if team_size > 1:  # fitness of the team's drafts
        sent += 8 * drafts
        hops += log2(team_size)
    if n_ranks > 1:  # whether to stop
        sent += 8 * n_ranks
        hops += log2(n_ranks)
    if len(teams) > 1:
        rounds = 2 * log2(len(teams))
        sent += rounds * settings.hall_of_fame_size * individual + 100 * settings.n_islands
        hops += rounds + log2(n_ranks)
        exchanged = settings.n_emigrants * individual * n_islands * team_size
        sent += exchanged / settings.migration_interval
        hops += n_ranks / settings.migration_interval
        gathered = settings.n_islands * settings.n_individuals * individual
        sent += gathered / checkpoint_every
        hops += n_ranks / checkpoint_every
    communication = hops * network.latency_s + sent / network.bytes_per_s if n_ranks > 1 else 0.0
    return Prediction(
        evaluation_s=generations * evaluation,
        breeding_s=generations * drafts * costs.breeding_s,
        waiting_s=generations * spread * share * costs.evaluation_s,
        communication_s=generations * communication,
        bytes_per_generation=sent,
    )


def measure_costs(fitness: InnerFitness, settings: GeneticSettings) -> Costs:
    """Measure the costs on this machine, on one core, in a few seconds.

    Of the criterion of ``settings``, on all groupings of the inner folds that there are.
    """
    rng = np.random.default_rng(0)
    n_masks = 64
    masks = rng.random((n_masks, fitness.n_features)) < rng.random((n_masks, 1))
    penalties = rng.choice(settings.C_values, n_masks)
    biases = random_biases(n_masks, settings.bias, rng)

    def score(rows: NDArray[np.int64]) -> object:
        return fitness.score(masks[rows], penalties[rows], settings.criterion, biases[rows])

    everybody = np.arange(n_masks)
    score(everybody)  # compiles
    first = masks[:1], penalties[:1], biases[:1]
    fitness.training_accuracies(*first)
    parts = [_seconds(partial(score, rows)) for rows in np.split(everybody, 8)]
    island = Population(masks, penalties, biases, rng.random(n_masks))
    breed(island, rng, settings)
    children = settings.n_children
    mean = float(np.mean(parts))
    return Costs(
        evaluation_s=_seconds(partial(score, everybody)) / n_masks,
        # Of batches of 8: single masks differ by the square root of 8 more.
        evaluation_spread=float(np.std(parts) / mean * np.sqrt(8)),
        breeding_s=_seconds(lambda: breed(island, rng, settings)) / children,
        training_s=_seconds(lambda: fitness.training_accuracies(*first)),
    )


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start

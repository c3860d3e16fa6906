"""Makes the individuals of the next generation."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from merec_hpc.config.selection import GeneticSettings
from merec_hpc.records import Masks, Population
from merec_hpc.selection.genetic.founders import FOUNDERS, random_biases, random_penalties
from merec_hpc.selection.genetic.objectives import ranking
from merec_hpc.selection.genetic.operators import (
    MUTATIONS,
    cross_uniformly,
    hold_tournaments,
    spin_roulette,
)


@dataclass(frozen=True)
class Draft:
    """Individuals without a fitness yet."""

    masks: Masks
    C: NDArray[np.float64]
    bias: NDArray[np.float64]


def island_rng(seed: int, island: int) -> np.random.Generator:
    """Return the island's own stream of random numbers."""
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(island,)))


def draw(rng: np.random.Generator, count: int, n_features: int, settings: GeneticSettings) -> Draft:
    """Draw new individuals."""
    masks = FOUNDERS[settings.founders](count, n_features, rng)
    penalties = random_penalties(count, settings.C_values, rng)
    return Draft(masks, penalties, random_biases(count, settings.bias, rng))


def breed(island: Population, rng: np.random.Generator, settings: GeneticSettings) -> Draft:
    """Breed as many children as the island holds individuals besides its elite.

    Parents are drawn by roulette, of two objectives by tournaments.
    """
    n_children = settings.n_children
    mothers, fathers = (_draw_parents(island, rng, settings) for _ in range(2))
    masks, crossed = cross_uniformly(
        island.masks[mothers], island.masks[fathers], settings.crossover_probability, rng
    )
    takes_father = crossed & (rng.random(n_children) < 0.5)
    penalties = np.where(takes_father, island.C[fathers], island.C[mothers])
    masks = MUTATIONS[settings.mutation](masks, settings.mutation_rate, rng)
    redrawn = rng.random(n_children) < settings.mutation_rate
    fresh = random_penalties(n_children, settings.C_values, rng)
    biases = _breed_biases(island.bias[mothers], island.bias[fathers], crossed, rng, settings)
    return Draft(masks, np.where(redrawn, fresh, penalties), biases)


def _draw_parents(
    island: Population, rng: np.random.Generator, settings: GeneticSettings
) -> NDArray[np.int64]:
    if settings.weighs_two:
        return hold_tournaments(ranking(island, settings), settings.n_children, rng)
    return spin_roulette(island.fitness, settings.n_children, rng)


def _breed_biases(
    mothers: NDArray[np.float64],
    fathers: NDArray[np.float64],
    crossed: NDArray[np.bool_],
    rng: np.random.Generator,
    settings: GeneticSettings,
) -> NDArray[np.float64]:
    """Return the biases of children, (n_children,), bred as C is; of one value nothing is drawn."""
    if len(settings.bias) == 1:
        return mothers
    takes_father = crossed & (rng.random(len(mothers)) < 0.5)
    redrawn = rng.random(len(mothers)) < settings.mutation_rate
    fresh = random_biases(len(mothers), settings.bias, rng)
    return np.where(redrawn, fresh, np.where(takes_father, fathers, mothers))


def keys_of(individuals: Draft | Population) -> list[bytes]:
    """Return what tells individuals apart: the bits of the mask, C and bias."""
    bits = np.packbits(individuals.masks, axis=1)
    svms = np.stack([individuals.C, individuals.bias], axis=1)
    return [row.tobytes() + svm.tobytes() for row, svm in zip(bits, svms, strict=True)]

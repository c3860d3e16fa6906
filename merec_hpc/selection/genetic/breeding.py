"""Makes the individuals of the next generation."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from merec_hpc.config.selection import GeneticSettings
from merec_hpc.records import Masks, Population
from merec_hpc.selection.genetic.founders import FOUNDERS, random_penalties
from merec_hpc.selection.genetic.operators import MUTATIONS, cross_uniformly, spin_roulette


@dataclass(frozen=True)
class Draft:
    """Individuals without a fitness yet."""

    masks: Masks
    C: NDArray[np.float64]


def island_rng(seed: int, island: int) -> np.random.Generator:
    """Return the island's own stream of random numbers."""
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(island,)))


def draw(rng: np.random.Generator, count: int, n_features: int, settings: GeneticSettings) -> Draft:
    """Draw new individuals."""
    masks = FOUNDERS[settings.founders](count, n_features, rng)
    return Draft(masks, random_penalties(count, settings.C_values, rng))


def breed(island: Population, rng: np.random.Generator, settings: GeneticSettings) -> Draft:
    """Breed as many children as the island holds individuals besides its elite."""
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
    return Draft(masks, np.where(redrawn, fresh, penalties))


def keys_of(masks: Masks, penalties: NDArray[np.float64]) -> list[bytes]:
    """Return what tells individuals apart: the bits of the mask, and C."""
    bits = np.packbits(masks, axis=1)
    return [row.tobytes() + C.tobytes() for row, C in zip(bits, penalties, strict=True)]

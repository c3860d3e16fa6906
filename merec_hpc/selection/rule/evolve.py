"""Evolves the four genes of a rule, or draws as many at random: the control of evolution."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from merec_hpc.selection.rule.family import Family, Genes
from merec_hpc.selection.rule.rules import Rules, joined

Genomes = NDArray[np.float64]  # (n_rules, 4): log10 kappa, p, log10 b, log10 C
Judge = Callable[[Genes], Rules]

LOWEST = np.array([-2.0, 0.0, -3.0, -2.0])
HIGHEST = np.array([2.0, 2.5, 0.0, 2.0])
MEAN = np.array([-1.0, 0.5, -1.5, 0.0])
DEVIATION = np.array([1.2, 0.7, 0.9, 0.8])
ALL_FEATURES = np.array([-2.0, 0.0, -3.0, 0.0])

_N_BEST = 4
_PULL = 0.7  # of the mean towards the best
_LEAST_DEVIATION = 0.15


def evolve_rules(judge: Judge, settings: Family) -> Rules:
    """Return the rules of all generations, in their order; the first is all features.

    Each generation is drawn from a normal distribution, which then moves towards its best four by
    fitness: mean <- .3 mean + .7 theirs, deviation <- .5 deviation + .5 max(theirs, .15).
    """
    rng = np.random.default_rng(np.random.SeedSequence(settings.seed))
    mean, deviation = MEAN, DEVIATION
    generations: list[Rules] = []
    for generation in range(settings.n_generations):
        genomes = _draw(rng, mean, deviation, settings.n_individuals, settings)
        if generation == 0:
            genomes[0] = ALL_FEATURES
        generations.append(judge(genes_of(genomes)))
        best = np.argsort(-generations[-1].fitness, kind="stable")[:_N_BEST]
        mean = (1 - _PULL) * mean + _PULL * genomes[best].mean(axis=0)
        theirs = np.maximum(genomes[best].std(axis=0), _LEAST_DEVIATION)
        deviation = (deviation + theirs) / 2
    return joined(generations)


def random_rules(judge: Judge, settings: Family) -> Rules:
    """Return as many rules as evolution tries, from where it starts; the first is all features."""
    rng = np.random.default_rng(np.random.SeedSequence(settings.seed))
    n_rules = settings.n_individuals * settings.n_generations
    genomes = _draw(rng, MEAN, DEVIATION, n_rules, settings)
    genomes[0] = ALL_FEATURES
    return judge(genes_of(genomes))


def genes_of(genomes: Genomes) -> Genes:
    """Return kappa, p, b and C, (n_rules, 4); at their lower ends kappa and b are 0."""
    genes = 10**genomes
    genes[:, 1] = genomes[:, 1]
    genes[:, [0, 2]] = np.where(genomes[:, [0, 2]] > LOWEST[[0, 2]], genes[:, [0, 2]], 0.0)
    return genes


def _draw(
    rng: np.random.Generator,
    mean: NDArray[np.float64],
    deviation: NDArray[np.float64],
    n_rules: int,
    settings: Family,
) -> Genomes:
    drawn = np.clip(rng.normal(mean, deviation, (n_rules, 4)), LOWEST, HIGHEST)
    families = (settings.kappa_values, settings.p_values, settings.b_values)
    for gene, family in enumerate(families):
        if max(family) == 0:
            drawn[:, gene] = LOWEST[gene]
    return drawn

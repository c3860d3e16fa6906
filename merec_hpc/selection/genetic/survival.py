"""Decides who of an island, its children and its random migrants lives on."""

import numpy as np

from merec_hpc.config.selection import GeneticSettings
from merec_hpc.records import Population
from merec_hpc.selection.genetic import pareto
from merec_hpc.selection.genetic.breeding import keys_of
from merec_hpc.selection.genetic.migration import best, replace_worst
from merec_hpc.selection.genetic.objectives import objectives_of, ranking


def next_island(
    island: Population, children: Population, migrants: Population, settings: GeneticSettings
) -> Population:
    """Return the island's next generation, of ``n_individuals``.

    The elite and the children, whose worst are replaced by the migrants; of two objectives the
    best of parents and children alike, and the migrants.
    """
    if settings.weighs_two:
        room = settings.n_individuals - len(migrants.C)
        return survive(island.joined(children), room).joined(migrants)
    elite = best(island, ranking(island, settings), settings.n_elites)
    bred = elite.joined(children)
    return replace_worst(bred, ranking(bred, settings), migrants)


def survive(everybody: Population, n: int) -> Population:
    """Return the ``n`` best by two objectives, best first (NSGA-II, see ``pareto.survivors``).

    Copies, of equal mask, C and bias, live on only where there are too few others: they would
    fill up a front that has no room for them.
    """
    _, firsts = np.unique(np.array(keys_of(everybody), dtype=object), return_index=True)
    originals = np.sort(firsts)
    copies = np.setdiff1d(np.arange(len(everybody.C)), originals)
    objectives = objectives_of(everybody)
    n_originals = min(n, len(originals))
    kept = originals[pareto.survivors(objectives[originals], n_originals)]
    doubled = copies[pareto.survivors(objectives[copies], n - n_originals)]
    return everybody.take(np.concatenate([kept, doubled]))

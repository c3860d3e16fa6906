"""Who lives on: an elite and children, or the first fronts of parents and children."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oracles.pareto import ranks_by_hand

from merec_hpc.config.selection import GeneticSettings
from merec_hpc.records import Population
from merec_hpc.selection.genetic.breeding import keys_of
from merec_hpc.selection.genetic.objectives import objectives_of
from merec_hpc.selection.genetic.survival import next_island, survive

ONE = GeneticSettings(n_individuals=6, n_random_migrants=2)
TWO = replace(ONE, objectives=("fitness", "n_features"))


def population(seed: int, n_individuals: int) -> Population:
    """Draw from few possible individuals, whose fitness is a function of the mask."""
    rng = np.random.default_rng(seed)
    masks = rng.random((n_individuals, 4)) < 0.5
    penalties = rng.choice([0.1, 1.0], n_individuals)
    weights = np.array([0.3, -0.1, 0.2, 0.05])
    return Population(masks, penalties, np.zeros(n_individuals), 0.2 + masks @ weights)


seeds = st.integers(0, 10**6)


@settings(deadline=None)
@given(seeds, st.integers(1, 25), st.data())
def test_survivors_are_of_the_first_fronts_and_copies_come_last(
    seed: int, n_individuals: int, data: st.DataObject
) -> None:
    everybody = population(seed, n_individuals)
    n = data.draw(st.integers(0, n_individuals))
    kept = survive(everybody, n)
    assert len(kept.C) == n
    keys, known = keys_of(kept), keys_of(everybody)
    originals = sorted({known.index(key) for key in known})
    n_originals = min(n, len(originals))
    assert len(set(keys[:n_originals])) == n_originals
    assert all(keys.count(key) <= known.count(key) for key in keys)
    ranks = ranks_by_hand(objectives_of(everybody)[originals].tolist())
    of_key = dict(zip([known[place] for place in originals], ranks, strict=True))
    assert [of_key[key] for key in keys[:n_originals]] == sorted(ranks)[:n_originals]


def test_ends_of_a_front_survive() -> None:
    masks = np.tri(8, 8, dtype=np.bool_)
    everybody = Population(masks, np.ones(8), np.zeros(8), np.arange(8) / 8)
    kept = survive(everybody, 4)
    assert kept.masks.sum(axis=1)[:2].tolist() == [1, 8]
    assert survive(everybody.joined(everybody), 8).masks.sum(axis=1).tolist()[:2] == [1, 8]


@pytest.mark.parametrize("of", [ONE, TWO])
def test_migrants_join_whatever_they_are_worth(of: GeneticSettings) -> None:
    parents, children = population(1, 6), population(2, of.n_children)
    migrants = replace(population(3, 2), fitness=np.zeros(2))
    after = next_island(parents, children, migrants, of)
    assert len(after.C) == 6
    np.testing.assert_array_equal(after.masks[-2:], migrants.masks)
    assert after.fitness[-2:].tolist() == [0.0, 0.0]


def test_of_one_objective_the_elite_and_the_fittest_children_stay_where_they_are() -> None:
    parents = replace(population(1, 6), fitness=np.array([0.1, 0.9, 0.2, 0.3, 0.9, 0.0]))
    children = replace(population(2, 5), fitness=np.array([0.5, 0.1, 0.7, 0.2, 0.6]))
    after = next_island(parents, children, population(3, 2), ONE)
    assert after.fitness[:4].tolist() == [0.9, 0.5, 0.7, 0.6]
    np.testing.assert_array_equal(after.masks[0], parents.masks[1])


def test_of_two_objectives_parents_survive_worse_children() -> None:
    parents = population(1, 6)
    children = Population(np.ones((6, 4), np.bool_), np.ones(6), np.zeros(6), np.zeros(6))
    after = next_island(parents, children, population(3, 2), TWO)
    assert set(keys_of(after)[:4]) <= set(keys_of(parents))

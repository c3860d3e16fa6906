"""Who receives from whom, and what becomes of islands."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from merec_hpc.config.selection import GeneticSettings
from merec_hpc.records import Population
from merec_hpc.selection.genetic.migration import best, receive, replace_worst, sources_of
from merec_hpc.selection.genetic.objectives import ranking


def island(fitness: list[float], smallest: float = 1.0) -> Population:
    """Return individuals that are told apart by C: the smallest, then one more each"""
    n_individuals = len(fitness)
    return Population(
        np.eye(n_individuals, 4, dtype=np.bool_),
        smallest + np.arange(n_individuals),
        np.zeros(n_individuals),
        np.array(fitness),
    )


def fittest(island: Population) -> NDArray[np.int64]:
    """Return the places by fitness alone."""
    return ranking(island, GeneticSettings())


def migrate(
    islands: list[Population], sources: list[list[int]], n_emigrants: int
) -> list[Population]:
    """Let all islands give at once."""
    orders = [fittest(island) for island in islands]
    emigrants = {
        place: best(island, orders[place], n_emigrants) for place, island in enumerate(islands)
    }
    return [
        receive(island, order, givers, emigrants)
        for island, order, givers in zip(islands, orders, sources, strict=True)
    ]


def ring(islands: list[Population]) -> list[list[int]]:
    return sources_of("ring", len(islands))


@st.composite
def archipelagos(draw: st.DrawFn) -> list[Population]:
    n_islands = draw(st.integers(1, 5))
    share = st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0])
    return [
        island(draw(st.lists(share, min_size=4, max_size=7)), smallest=100.0 * (place + 1))
        for place in range(n_islands)
    ]


@settings(deadline=None)
@given(archipelagos(), st.integers(0, 3))
def test_sizes_are_kept_and_the_best_is_never_lost(
    islands: list[Population], n_emigrants: int
) -> None:
    migrated = migrate(islands, ring(islands), n_emigrants)
    assert [len(part.C) for part in migrated] == [len(part.C) for part in islands]
    for before, after in zip(islands, migrated, strict=True):
        champion = best(before, fittest(before), 1)
        assert champion.C[0] in after.C
        assert after.fitness.max() >= champion.fitness[0]


@settings(deadline=None)
@given(archipelagos(), st.integers(0, 3))
def test_individuals_keep_their_fitness(islands: list[Population], n_emigrants: int) -> None:
    known = {
        C: (mask.tolist(), fitness)
        for part in islands
        for mask, C, fitness in zip(part.masks, part.C, part.fitness, strict=True)
    }
    for part in migrate(islands, ring(islands), n_emigrants):
        for mask, C, fitness in zip(part.masks, part.C, part.fitness, strict=True):
            assert known[C] == (mask.tolist(), fitness)


def test_each_island_receives_from_the_one_before_it() -> None:
    fitness = [0.1, 0.9, 0.5]
    islands = [island(fitness, smallest) for smallest in (10.0, 20.0, 30.0)]
    first, second, third = migrate(islands, ring(islands), 1)
    assert first.C.tolist() == [11.0, 12.0, 31.0]
    assert second.C.tolist() == [21.0, 22.0, 11.0]
    assert third.C.tolist() == [31.0, 32.0, 21.0]


def test_migrants_are_those_from_before_the_migration() -> None:
    islands = [island([0.9, 0.8], 10.0), island([0.2, 0.1], 20.0), island([0.4, 0.3], 30.0)]
    # The 0.9 that island 1 receives does not travel on to island 2 at once.
    assert 10.0 not in migrate(islands, ring(islands), 1)[2].C


@pytest.mark.parametrize(("n_islands", "n_emigrants"), [(1, 2), (3, 0)])
def test_without_partners_or_emigrants_nothing_changes(n_islands: int, n_emigrants: int) -> None:
    islands = [island([0.3, 0.1, 0.2], 10.0 * (place + 1)) for place in range(n_islands)]
    for before, after in zip(islands, migrate(islands, ring(islands), n_emigrants), strict=True):
        np.testing.assert_array_equal(after.C, before.C)
        np.testing.assert_array_equal(after.masks, before.masks)
        np.testing.assert_array_equal(after.fitness, before.fitness)


def test_the_best_of_equals_are_the_first() -> None:
    four = island([0.5, 0.7, 0.5, 0.7])
    assert best(four, fittest(four), 3).C.tolist() == [2.0, 4.0, 1.0]


def test_the_worst_of_equals_are_the_last() -> None:
    four = island([0.5, 0.7, 0.5, 0.5])
    replaced = replace_worst(four, fittest(four), island([0.0], smallest=9.0))
    assert replaced.C.tolist() == [1.0, 2.0, 3.0, 9.0]


def test_newcomers_are_kept_even_if_they_are_worse() -> None:
    two = island([0.5, 0.7])
    replaced = replace_worst(two, fittest(two), island([0.0], smallest=9.0))
    assert replaced.C.tolist() == [2.0, 9.0]


def test_the_ring_passes_on_in_one_direction() -> None:
    assert sources_of("ring", 4) == [[3], [0], [1], [2]]


def test_a_torus_has_neighbours_on_both_sides_of_both_directions() -> None:
    # 0 1 2
    # 3 4 5
    # 6 7 8
    sources = sources_of("torus", 9)
    assert sources[0] == [1, 2, 3, 6]
    assert sources[4] == [1, 3, 5, 7]


@pytest.mark.parametrize("n_islands", [1, 2, 3, 4, 6, 7, 12])
def test_a_torus_is_symmetric_and_nobody_is_cut_off(n_islands: int) -> None:
    sources = sources_of("torus", n_islands)
    for taker, givers in enumerate(sources):
        assert taker not in givers
        assert all(taker in sources[giver] for giver in givers)
    reached = {0}
    for _ in range(n_islands):
        reached |= {taker for taker, givers in enumerate(sources) if reached & set(givers)}
    assert reached == set(range(n_islands))


def test_all_receive_from_all_others_or_from_those_that_are_named() -> None:
    assert sources_of("full", 3) == [[1, 2], [0, 2], [0, 1]]
    assert sources_of("custom", 3, [(0, 2), (1, 2), (2, 0), (1, 1)]) == [[2], [], [0, 1]]


@pytest.mark.parametrize("topology", ["ring", "torus", "full"])
def test_a_single_island_stays_as_it_is(topology: str) -> None:
    alone = island([0.1, 0.9])
    (after,) = migrate([alone], sources_of(topology, 1), 1)
    assert after.C.tolist() == alone.C.tolist()


def test_an_island_takes_the_best_of_each_giver() -> None:
    islands = [island([0.9, 0.1, 0.5], 10), island([0.2, 0.8, 0.3], 20), island([0.7] * 3, 30)]
    after = migrate(islands, [[], [], [0, 1]], 1)
    assert after[2].C.tolist() == [30.0, 10.0, 21.0]


def test_of_two_objectives_those_of_the_last_front_make_room() -> None:
    masks = np.array([[1, 1, 0, 0], [1, 0, 0, 0], [1, 1, 1, 0], [1, 1, 1, 1]], np.bool_)
    four = Population(masks, np.arange(4.0), np.zeros(4), np.array([0.6, 0.5, 0.4, 0.7]))
    order = ranking(four, GeneticSettings(objectives=("fitness", "n_features")))
    assert best(four, order, 4).C.tolist() == [1.0, 3.0, 0.0, 2.0]
    replaced = receive(four, order, [0], {0: island([0.0], smallest=9.0)})
    assert replaced.C.tolist() == [0.0, 1.0, 3.0, 9.0]

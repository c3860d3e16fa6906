"""Laws of parent selection, crossover and mutation."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from merec_hpc.records import Masks
from merec_hpc.selection.genetic.operators import (
    MUTATIONS,
    cross_uniformly,
    flip_bits,
    flip_one_bit,
    hold_tournaments,
    spin_roulette,
)

seeds = st.integers(0, 10**6)
shares = st.floats(0, 1)


def parents(seed: int, n_individuals: int = 20, n_features: int = 13) -> tuple[Masks, Masks]:
    rng = np.random.default_rng(seed)
    mothers, fathers = rng.random((2, n_individuals, n_features)) < 0.5
    return mothers, fathers


def test_roulette_draws_in_proportion_to_fitness(rng: np.random.Generator) -> None:
    fitness = np.array([0.1, 0.0, 0.2, 0.05, 0.15])
    drawn = spin_roulette(fitness, 40_000, rng)
    frequencies = np.bincount(drawn, minlength=5) / 40_000
    np.testing.assert_allclose(frequencies, fitness / fitness.sum(), atol=0.01)
    assert frequencies[1] == 0


def test_roulette_does_not_draw_what_has_no_fitness_at_the_very_start_of_the_wheel() -> None:
    class Zero:
        """A generator whose random number is the smallest of all."""

        def random(self, size: int) -> np.ndarray:
            return np.zeros(size)

    at_zero: Any = Zero()
    assert spin_roulette(np.array([0.0, 0.5, 0.5]), 2, at_zero).tolist() == [1, 1]


def test_roulette_is_uniform_if_all_fitness_is_zero(rng: np.random.Generator) -> None:
    drawn = spin_roulette(np.zeros(4), 40_000, rng)
    np.testing.assert_allclose(np.bincount(drawn) / 40_000, 0.25, atol=0.01)


@settings(deadline=None)
@given(st.lists(shares, min_size=1, max_size=8), seeds)
def test_roulette_never_draws_what_has_no_fitness(fitness: list[float], seed: int) -> None:
    values = np.array(fitness)
    drawn = spin_roulette(values, 50, np.random.default_rng(seed))
    assert drawn.shape == (50,)
    assert values.max() == 0 or (values[drawn] > 0).all()


@settings(deadline=None)
@given(seeds, shares)
def test_every_bit_of_a_child_comes_from_a_parent(seed: int, probability: float) -> None:
    mothers, fathers = parents(seed)
    children, crossed = cross_uniformly(mothers, fathers, probability, np.random.default_rng(seed))
    assert ((children == mothers) | (children == fathers)).all()
    np.testing.assert_array_equal(children[~crossed], mothers[~crossed])


@settings(deadline=None)
@given(seeds, shares)
def test_equal_parents_have_equal_children(seed: int, probability: float) -> None:
    mothers, _ = parents(seed)
    children, _ = cross_uniformly(mothers, mothers, probability, np.random.default_rng(seed))
    np.testing.assert_array_equal(children, mothers)


def test_crossover_with_probability_zero_gives_the_mothers(rng: np.random.Generator) -> None:
    mothers, fathers = parents(0)
    children, crossed = cross_uniformly(mothers, fathers, 0.0, rng)
    np.testing.assert_array_equal(children, mothers)
    assert not crossed.any()


def test_crossed_children_take_half_of_their_genes_from_each_parent(
    rng: np.random.Generator,
) -> None:
    mothers, fathers = np.zeros((4000, 10), np.bool_), np.ones((4000, 10), np.bool_)
    children, crossed = cross_uniformly(mothers, fathers, 0.8, rng)
    assert crossed.mean() == pytest.approx(0.8, abs=0.03)
    np.testing.assert_allclose(children[crossed].mean(axis=0), 0.5, atol=0.05)
    # Genes are inherited one by one: a pair agrees half of the time.
    agree = children[crossed, 0] == children[crossed, 1]
    assert agree.mean() == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize("name", sorted(MUTATIONS))
def test_mutation_with_rate_zero_changes_nothing(name: str, rng: np.random.Generator) -> None:
    masks, _ = parents(0)
    np.testing.assert_array_equal(MUTATIONS[name](masks, 0.0, rng), masks)


@pytest.mark.parametrize("name", sorted(MUTATIONS))
def test_mutation_leaves_its_argument_alone(name: str, rng: np.random.Generator) -> None:
    masks, _ = parents(0)
    before = masks.copy()
    MUTATIONS[name](masks, 1.0, rng)
    np.testing.assert_array_equal(masks, before)


def test_bit_mutation_with_rate_one_flips_all(rng: np.random.Generator) -> None:
    masks, _ = parents(0)
    np.testing.assert_array_equal(flip_bits(masks, 1.0, rng), ~masks)


def test_bit_mutation_flips_each_bit_at_the_rate(rng: np.random.Generator) -> None:
    flips = flip_bits(np.zeros((20_000, 5), np.bool_), 0.05, rng)
    np.testing.assert_allclose(flips.mean(axis=0), 0.05, atol=0.01)
    assert (flips[:, 0] & flips[:, 1]).mean() == pytest.approx(0.05**2, abs=0.002)


@settings(deadline=None)
@given(seeds, shares)
def test_individual_mutation_flips_at_most_one_bit(seed: int, rate: float) -> None:
    masks, _ = parents(seed)
    mutated = flip_one_bit(masks, rate, np.random.default_rng(seed))
    assert (mutated ^ masks).sum(axis=1).max() <= 1


def test_individual_mutation_flips_one_bit_of_each_at_rate_one(rng: np.random.Generator) -> None:
    masks, _ = parents(0)
    assert ((flip_one_bit(masks, 1.0, rng) ^ masks).sum(axis=1) == 1).all()


def test_individual_mutation_flips_any_bit_at_the_rate(rng: np.random.Generator) -> None:
    flips = flip_one_bit(np.zeros((20_000, 5), np.bool_), 0.5, rng)
    assert flips.any(axis=1).mean() == pytest.approx(0.5, abs=0.02)
    np.testing.assert_allclose(flips.mean(axis=0), 0.5 / 5, atol=0.01)


def test_of_two_that_meet_the_better_wins() -> None:
    rng = np.random.default_rng(0)
    order = np.array([2, 0, 3, 1])
    drawn = hold_tournaments(order, 40_000, rng)
    assert drawn.shape == (40_000,)
    # The k-th of n wins against those behind it and itself: (2 (n - k) + 1) / n^2.
    shares = np.bincount(drawn, minlength=4)[order] / len(drawn)
    np.testing.assert_allclose(shares, np.array([7, 5, 3, 1]) / 16, atol=0.01)


def test_one_that_is_alone_wins() -> None:
    assert hold_tournaments(np.array([0]), 3, np.random.default_rng(0)).tolist() == [0, 0, 0]

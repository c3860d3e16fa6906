"""Drawing and breeding from an island's own generator; the operators have their own tests."""

from dataclasses import replace

import numpy as np
import pytest

from merec_hpc.config.selection import GeneticSettings
from merec_hpc.records import Population
from merec_hpc.selection.genetic import breeding
from merec_hpc.selection.genetic.breeding import Draft, breed, draw, island_rng, keys_of

SETTINGS = GeneticSettings(n_individuals=20, C_values=(0.1, 1.0))


def some_island(n_features: int = 50) -> Population:
    rng = np.random.default_rng(0)
    return Population(
        rng.random((20, n_features)) < 0.5, np.full(20, 0.1), np.zeros(20), rng.random(20)
    )


def test_as_many_children_are_bred_as_there_is_room_for() -> None:
    for n_elites in (0, 1, 5):
        settings = replace(SETTINGS, n_elites=n_elites)
        children = breed(some_island(), island_rng(0, 0), settings)
        assert children.masks.shape == (20 - n_elites, 50)
        assert children.C.shape == (20 - n_elites,)


def test_without_change_children_are_copies_of_parents() -> None:
    settings = replace(SETTINGS, crossover_probability=0.0, mutation_rate=0.0)
    island = some_island()
    children = breed(island, island_rng(0, 0), settings)
    assert set(keys_of(children)) <= set(keys_of(island))


def test_without_change_children_keep_the_penalty_of_their_mask() -> None:
    settings = replace(SETTINGS, crossover_probability=0.0, mutation_rate=0.0)
    island = replace(some_island(), C=np.linspace(1.0, 2.0, 20))
    children = breed(island, island_rng(0, 0), settings)
    assert len(set(children.C)) > 1
    assert set(keys_of(children)) <= set(keys_of(island))


def test_penalty_of_a_crossed_child_is_that_of_either_parent_of_another_its_mothers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    mother, father = 0, 1
    parents = iter([np.full(4000, mother), np.full(4000, father)])
    monkeypatch.setattr(breeding, "spin_roulette", lambda *_: next(parents))
    settings = replace(
        SETTINGS, n_individuals=4000, n_elites=0, crossover_probability=0.6, mutation_rate=0.0
    )
    masks = np.array([[False] * 50, [True] * 50])
    island = Population(masks, np.array([0.1, 1.0]), np.zeros(2), np.ones(2))
    children = breed(island, island_rng(0, 0), settings)
    crossed = children.masks.any(axis=1)  # by a gene of its father
    assert crossed.mean() == pytest.approx(0.6, abs=0.03)
    assert (children.C[~crossed] == 0.1).all()
    assert (children.C[crossed] == 1.0).mean() == pytest.approx(0.5, abs=0.03)


def test_penalties_of_children_are_redrawn_at_the_mutation_rate() -> None:
    settings = replace(SETTINGS, n_individuals=4000, n_elites=0, mutation_rate=0.3)
    children = breed(some_island(), island_rng(0, 0), settings)
    assert abs((children.C == 1.0).mean() - 0.15) < 0.03  # half of the fresh ones are 1.0


def test_streams_belong_to_islands() -> None:
    first, again, other = (draw(island_rng(3, island), 5, 40, SETTINGS) for island in (0, 0, 1))
    np.testing.assert_array_equal(first.masks, again.masks)
    assert (first.masks != other.masks).any()


def test_keys_tell_masks_penalties_and_biases_apart() -> None:
    masks = np.zeros((5, 9), np.bool_)
    masks[1, 8] = True
    penalties, biases = np.array([1.0, 1.0, 2.0, 1.0, 1.0]), np.array([0.0, 0.0, 0.0, 2.0, 0.0])
    keys = keys_of(Draft(masks, penalties, biases))
    assert len(set(keys)) == 4
    assert keys[0] == keys[4]


def test_bias_is_bred_as_the_penalty_is_but_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    parents = iter([np.full(4000, 0), np.full(4000, 1)])
    monkeypatch.setattr(breeding, "spin_roulette", lambda *_: next(parents))
    settings = replace(
        SETTINGS,
        n_individuals=4000,
        n_elites=0,
        crossover_probability=0.6,
        mutation_rate=0.0,
        bias=("none", 0.3),
    )
    masks = np.array([[False] * 50, [True] * 50])
    island = Population(masks, np.array([0.1, 1.0]), np.array([0.0, 0.3]), np.ones(2))
    children = breed(island, island_rng(0, 0), settings)
    crossed = children.masks.any(axis=1)
    assert (children.bias[~crossed] == 0.0).all()
    assert (children.bias[crossed] == 0.3).mean() == pytest.approx(0.5, abs=0.03)
    both = (children.bias[crossed] == 0.3) & (children.C[crossed] == 1.0)
    assert both.mean() == pytest.approx(0.25, abs=0.03)


def test_biases_of_children_are_redrawn_at_the_mutation_rate() -> None:
    settings = replace(
        SETTINGS, n_individuals=4000, n_elites=0, mutation_rate=0.3, bias=("none", 0.3)
    )
    children = breed(some_island(), island_rng(0, 0), settings)
    assert abs((children.bias == 0.3).mean() - 0.15) < 0.03  # half of the fresh ones
    drawn = draw(island_rng(0, 0), 4000, 50, settings)
    assert abs((drawn.bias == 0.3).mean() - 0.5) < 0.03


def test_of_two_objectives_parents_are_drawn_by_tournaments_and_there_is_no_elite() -> None:
    settings = replace(
        SETTINGS,
        n_individuals=4000,
        crossover_probability=0.0,
        mutation_rate=0.0,
        objectives=("fitness", "n_features"),
    )
    # Fitness grows with features: all are on one front but the last, which is beaten by all.
    masks = np.tri(5, 50, dtype=np.bool_)
    masks[4] = True
    island = Population(masks, np.full(5, 0.1), np.zeros(5), np.array([0.2, 0.3, 0.4, 0.9, 0.1]))
    children = breed(island, island_rng(0, 0), settings)
    counts = np.bincount(children.masks.sum(axis=1), minlength=51)
    assert counts.sum() == 4000
    # Best first: both ends of the front, then the more distant of the others, the last at last.
    shares = counts[[1, 4, 3, 2, 50]] / 4000
    np.testing.assert_allclose(shares, np.array([9, 7, 5, 3, 1]) / 25, atol=0.03)

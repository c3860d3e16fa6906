"""The best distinct individuals so far."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from merec_hpc.records import Population
from merec_hpc.selection.genetic.hall_of_fame import admit

SIZE = 5


def population(seed: int, n_individuals: int) -> Population:
    """Draw from few possible individuals, whose fitness is a function of mask and C."""
    rng = np.random.default_rng(seed)
    masks = rng.random((n_individuals, 3)) < 0.5
    penalties = rng.choice([0.1, 1.0], n_individuals)
    biases = rng.choice([0.0, 0.3], n_individuals)
    # Most fitness values belong to more than one individual.
    return Population(masks, penalties, biases, masks.sum(axis=1) / 4)


def identities(population: Population) -> list[tuple[object, ...]]:
    rows = zip(population.masks.tolist(), population.C, population.bias, strict=True)
    return [(*mask, C, bias) for mask, C, bias in rows]


def one(mask: list[int], C: float, fitness: float, bias: float = 0.0) -> Population:
    return Population(
        np.array([mask], np.bool_), np.array([C]), np.array([bias]), np.array([fitness])
    )


populations = st.builds(population, st.integers(0, 10**6), st.integers(1, 30))


@settings(deadline=None)
@given(populations, populations)
def test_the_famous_are_distinct_and_fittest_first(first: Population, second: Population) -> None:
    hall = admit(admit(first.take(np.empty(0, np.int64)), first, SIZE), second, SIZE)
    met = {*identities(first), *identities(second)}
    assert len(set(identities(hall))) == len(hall.fitness) == min(SIZE, len(met))
    assert (np.diff(hall.fitness) <= 0).all()


@settings(deadline=None)
@given(populations, populations)
def test_the_hall_holds_the_best_that_ever_came(first: Population, second: Population) -> None:
    hall = admit(admit(first.take(np.empty(0, np.int64)), first, SIZE), second, SIZE)
    fitness_of = dict(zip(identities(first), first.fitness, strict=True))
    fitness_of |= dict(zip(identities(second), second.fitness, strict=True))
    best = sorted(fitness_of.values(), reverse=True)[:SIZE]
    assert hall.fitness.tolist() == best
    assert [fitness_of[key] for key in identities(hall)] == hall.fitness.tolist()


def test_of_equals_the_former_stays_in_front() -> None:
    former, latter = one([1, 0], 1.0, 0.5), one([0, 1], 1.0, 0.5)
    assert identities(admit(former, latter, 2)) == [
        (True, False, 1.0, 0.0),
        (False, True, 1.0, 0.0),
    ]
    assert identities(admit(former, latter, 1)) == [(True, False, 1.0, 0.0)]


def test_the_same_mask_with_another_penalty_is_another_individual() -> None:
    hall = admit(one([1, 0], 1.0, 0.5), one([1, 0], 10.0, 0.6), 5)
    assert hall.C.tolist() == [10.0, 1.0]


def test_the_same_mask_with_another_bias_is_another_individual() -> None:
    hall = admit(one([1, 0], 1.0, 0.5), one([1, 0], 1.0, 0.6, bias=0.3), 5)
    assert hall.bias.tolist() == [0.3, 0.0]


def test_masks_that_differ_beyond_whole_bytes_are_distinct() -> None:
    first, second = np.zeros((2, 9), np.bool_)
    second[8] = True
    hall = admit(one(first.tolist(), 1.0, 0.5), one(second.tolist(), 1.0, 0.5), 5)
    assert len(hall.C) == 2


def test_of_equals_those_with_fewer_features_may_come_first() -> None:
    former, latter = one([1, 1, 0], 1.0, 0.5), one([0, 1, 0], 1.0, 0.5)
    fewest = admit(former, latter, 2, prefers_few=True)
    assert fewest.masks.sum(axis=1).tolist() == [1, 2]
    assert admit(former, latter, 2).masks.sum(axis=1).tolist() == [2, 1]
    fitter = one([1, 1, 1], 1.0, 0.6)
    assert admit(fewest, fitter, 1, prefers_few=True).masks.sum() == 3
    empty = admit(fitter, one([0, 0, 0], 1.0, 0.6), 2, prefers_few=True)
    assert empty.masks.sum(axis=1).tolist() == [3, 0]


def test_an_individual_is_admitted_once() -> None:
    hall = one([1, 0], 1.0, 0.5)
    assert len(admit(hall, hall, 5).C) == 1

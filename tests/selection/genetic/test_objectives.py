"""What a search is for, and who is the better by it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from merec_hpc.config.selection import GeneticSettings
from merec_hpc.records import Population
from merec_hpc.selection.genetic.objectives import front_of, n_selected, objectives_of, ranking

ONE = GeneticSettings()
TWO = GeneticSettings(objectives=("fitness", "n_features"))


def population(seed: int, n_individuals: int) -> Population:
    """Draw individuals with few values of fitness, so that many are equal."""
    rng = np.random.default_rng(seed)
    masks = rng.random((n_individuals, 5)) < 0.4
    return Population(
        masks,
        np.arange(n_individuals) + 1.0,
        np.zeros(n_individuals),
        rng.integers(5, size=n_individuals) / 4,
    )


populations = st.builds(population, st.integers(0, 10**6), st.integers(1, 30))


def beats(one: tuple[float, int], other: tuple[float, int]) -> bool:
    """Return whether one has no less fitness and no more features, and is not equal."""
    return one[0] >= other[0] and one[1] <= other[1] and one != other


def values_of(found: Population) -> list[tuple[float, int]]:
    """Return fitness and features; without any there is one more than there are."""
    return [
        (float(fitness), int(mask.sum()) or 6)
        for fitness, mask in zip(found.fitness, found.masks, strict=True)
    ]


@settings(deadline=None)
@given(populations)
def test_of_one_objective_the_fittest_come_first_of_equals_the_first(found: Population) -> None:
    expected = sorted(range(len(found.C)), key=lambda place: (-found.fitness[place], place))
    assert ranking(found, ONE).tolist() == expected


@settings(deadline=None)
@given(populations)
def test_of_two_objectives_nobody_comes_before_who_beats_them(found: Population) -> None:
    order, values = ranking(found, TWO).tolist(), values_of(found)
    assert sorted(order) == list(range(len(order)))
    for place, later in enumerate(order):
        assert not any(beats(values[later], values[former]) for former in order[:place])


@settings(deadline=None)
@given(populations)
def test_the_front_is_of_those_that_nobody_beats_each_once_fewest_first(found: Population) -> None:
    values, front = values_of(found), front_of(found)
    unbeaten = {one for one in values if not any(beats(other, one) for other in values)}
    assert values_of(front) == sorted(unbeaten, key=lambda one: one[1])
    assert (np.diff(front.fitness) > 0).all()
    for one, C in zip(values_of(front), front.C, strict=True):
        assert values.index(one) == C - 1  # the first of equals


def test_an_empty_mask_counts_as_more_than_all_features() -> None:
    masks = np.array([[0, 0, 0], [0, 1, 0], [1, 1, 1]], np.bool_)
    found = Population(masks, np.ones(3), np.zeros(3), np.array([0.5, 0.5, 0.5]))
    assert n_selected(found).tolist() == [4, 1, 3]
    assert objectives_of(found).tolist() == [[0.5, -4.0], [0.5, -1.0], [0.5, -3.0]]
    assert front_of(found).masks.tolist() == [[False, True, False]]
    assert ranking(found, TWO).tolist() == [1, 2, 0]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"objectives": ()}, "objectives"),
        (
            {"objectives": ("n_features",)},
            r"objectives are \[n_features\], must begin with fitness",
        ),
        ({"objectives": ("n_features", "fitness")}, "must begin with fitness"),
        ({"objectives": ("fitness", "fitness")}, "must name each once"),
        ({"objectives": ("fitness", "speed")}, "objectives.1"),
        ({"n_elites": 0}, "n_elites is 0, must be 1 where objectives are .fitness, n_features."),
        ({"genome": "weights"}, "genome is weights, must be mask where objectives are"),
        ({"flat_window": 3}, "flat_window is 3, must be null where objectives are"),
        (
            {"n_individuals": 10, "n_random_migrants": 7},
            r"n_random_migrants is 7, must be at least 4 below n_individuals \(10\)",
        ),
    ],
)
def test_objectives_that_cannot_be_are_refused(changes: dict[str, object], said: str) -> None:
    given_both: dict[str, object] = {"objectives": ("fitness", "n_features")}
    with pytest.raises(ValueError, match=said):
        GeneticSettings(**given_both | changes)  # type: ignore[arg-type]


def test_two_objectives_leave_no_elite_apart() -> None:
    assert (ONE.weighs_two, ONE.n_children) == (False, 49)
    assert (TWO.weighs_two, TWO.n_children) == (True, 50)
    assert GeneticSettings(objectives=TWO.objectives, n_random_migrants=46).weighs_two

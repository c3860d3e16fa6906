"""The choice of a generation (paper 1, IV.C.3), on series made by hand."""

import numpy as np
import pytest

from merec_hpc.selection.genetic.termination import choose_generation, has_settled

FLAT = [0.5, 0.501, 0.502, 0.503]


def choose(best_fitness: list[float], training_accuracy: list[float]) -> int:
    return choose_generation(
        np.array(best_fitness), np.array(training_accuracy), flat_range=0.01, steep_derivative=0.005
    )


def test_two_flat_series_choose_the_founders() -> None:
    assert choose(FLAT, [0.9, 0.899, 0.907, 0.9]) == 0


def test_a_steep_fitness_chooses_its_steepest_generation() -> None:
    assert choose([0.5, 0.51, 0.56, 0.57], FLAT) == 2


def test_a_steep_training_accuracy_dominates_if_it_moves_more() -> None:
    assert choose([0.5, 0.5, 0.5, 0.52], [0.6, 0.65, 0.6, 0.6]) == 1


def test_one_flat_series_does_not_hide_the_other() -> None:
    assert choose(FLAT, [0.6, 0.6, 0.6, 0.65]) == 3


def test_a_series_without_a_steep_generation_chooses_its_second_steepest() -> None:
    # Derivatives 0.003, 0.0045, 0.004, 0.002: range 0.0135, no step above 0.005.
    assert choose([0.5, 0.503, 0.5075, 0.5115, 0.5135], [0.9] * 5) == 3


def test_a_falling_series_is_not_steep() -> None:
    # The range is 0.1, but the derivatives are -0.06, -0.01, -0.03: the largest is at 2.
    assert choose([0.5] * 4, [0.9, 0.84, 0.83, 0.8]) == 3


def test_of_equally_steep_generations_the_first_is_chosen() -> None:
    assert choose([0.25, 0.5, 0.5, 0.75], FLAT) == 1


def test_of_equally_gentle_generations_the_second_is_chosen() -> None:
    # In powers of two: equal derivatives of 1 / 256 (below 0.005) in generations 1 to 4.
    assert choose([0.5 + step / 256 for step in range(5)], [0.9] * 5) == 2


def test_of_series_that_move_as_much_the_fitness_dominates() -> None:
    assert choose([0.5, 0.5, 0.75], [0.5, 0.75, 0.75]) == 2


@pytest.mark.parametrize(("last", "chosen"), [(0.505, 0), (0.515, 1)])
def test_two_generations_choose_the_second_unless_it_is_flat(last: float, chosen: int) -> None:
    assert choose([0.5, last], [0.9, 0.9]) == chosen


def test_a_lone_generation_is_chosen() -> None:
    assert choose([0.5], [0.9]) == 0


def test_thresholds_are_the_arguments() -> None:
    gentle = np.array([0.5, 0.503, 0.5075, 0.5115, 0.5135])
    level = np.full(5, 0.9)
    assert choose_generation(gentle, level, flat_range=0.02, steep_derivative=0.005) == 0
    assert choose_generation(gentle, level, flat_range=0.01, steep_derivative=0.004) == 2


def test_a_search_settles_when_both_series_were_flat_over_the_window() -> None:
    rising = np.array([0.1, 0.3, 0.5, 0.501, 0.502, 0.503])
    level = np.full(6, 0.9)
    assert has_settled(rising, level, 0.01, 3)
    assert not has_settled(rising, level, 0.01, 4)
    assert not has_settled(rising, rising[::-1], 0.01, 3)
    assert not has_settled(rising, level, 0.001, 3)


def test_a_search_without_a_window_or_too_short_for_it_never_settles() -> None:
    level = np.full(6, 0.9)
    assert not has_settled(level, level, 0.01, None)
    assert not has_settled(level, level, 0.01, 6)
    assert has_settled(level, level, 0.01, 5)

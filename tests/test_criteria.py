"""Pooled criteria against the project's metrics, the paper's against its Tables V and VI."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from merec_hpc.criteria import (
    fold_accuracies,
    minimum,
    mu,
    mu_minus_deviation,
    mu_minus_variance,
    score_predictions,
    statistics_of_two,
)
from merec_hpc.metrics import accuracy, unweighted_average_recall, unweighted_f1

LABELS = np.array([0, 0, 1, 2, 2, 2, 1, 0])
FOLDS = np.array([0, 0, 0, 1, 1, 2, 2, 2])
POOLED = {
    "pooled_accuracy": accuracy,
    "pooled_uar": unweighted_average_recall,
    "pooled_uf1": unweighted_f1,
}


@pytest.mark.parametrize("criterion", POOLED)
@settings(deadline=None, max_examples=30)
@given(rows=st.lists(st.lists(st.integers(-1, 2), min_size=8, max_size=8), min_size=1, max_size=4))
def test_pooled_criteria_are_the_metrics_of_all_clips(criterion: str, rows: list) -> None:
    predicted = np.array(rows)
    found = score_predictions(criterion, predicted, LABELS, FOLDS)
    expected = [POOLED[criterion](LABELS, row) for row in predicted]
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)


def test_accuracies_are_of_each_fold() -> None:
    predicted = np.array([[0, 0, 0, 2, 0, 2, 1, 0], np.full(8, -1)])
    accuracies = fold_accuracies(predicted, LABELS, FOLDS)
    np.testing.assert_array_equal(accuracies, [[2 / 3, 1 / 2, 1.0], [0, 0, 0]])
    np.testing.assert_array_equal(score_predictions("mu", predicted, LABELS, FOLDS), mu(accuracies))


def test_three_statistics_of_two_accuracies_are_those_of_figure_5() -> None:
    surfaces = statistics_of_two(10)
    assert {surface.shape for surface in surfaces.values()} == {(11, 11)}
    # Equal accuracies: all three are the mean. Accuracies 0 and 1: mean and deviation 1/2.
    for surface in surfaces.values():
        np.testing.assert_allclose(np.diag(surface), np.linspace(0, 1, 11))
    corner = {name: float(surface[0, 10]) for name, surface in surfaces.items()}
    assert corner == {"mu": 0.5, "mu_minus_deviation": 0.0, "mu_minus_variance": 0.25}


# Paper 1, Table V: values, mean and standard deviation in [0, 100], and their difference.
TABLE_V = [
    ((10, 20, 30), 20, 8.2, 11.8),
    ((20, 30, 80), 43.3, 26.2, 17.1),
    ((40, 50, 60), 50, 8.2, 41.8),
    ((20, 30, 100), 50, 35.6, 14.4),
    ((50, 50, 50), 50, 0, 50),
    ((70, 80, 90), 80, 8.2, 71.8),
]
# Table VI: the same in [0, 1], with mean, variance, and mean minus variance. Row 3 is misprinted
# there: values 0.3 0.4 0.5 and mean 0.4, but statistics of the 0.4 0.5 0.6 of Table V, whose mean
# is 0.5. The table truncates in some places where it rounds in others.
TABLE_VI = [
    ((0.1, 0.2, 0.3), "0.2", "0.007", "0.19"),
    ((0.2, 0.3, 0.8), "0.43", "0.069", "0.36"),
    ((0.4, 0.5, 0.6), "0.5", "0.007", "0.49"),
    ((0.2, 0.3, 1.0), "0.5", "0.13", "0.37"),
    ((0.5, 0.5, 0.5), "0.5", "0", "0.5"),
    ((0.7, 0.8, 0.9), "0.8", "0.007", "0.79"),
]


def assert_prints_as(value: float, printed: str) -> None:
    """Compare within one unit of the last printed digit, and exactly for a bare 0."""
    unit = 10.0 ** -len(printed.partition(".")[2]) if "." in printed else 1e-12
    assert abs(value - float(printed)) < unit


@pytest.mark.parametrize(("values", "mean", "deviation", "difference"), TABLE_V)
def test_mean_and_deviation_are_those_of_the_papers_table_5(
    values: tuple[float, ...], mean: float, deviation: float, difference: float
) -> None:
    accuracies = np.array([values]) / 100
    found_mean = mu(accuracies)[0]
    found_deviation = np.sqrt(found_mean - mu_minus_variance(accuracies)[0])
    assert round(100 * found_mean, 1) == mean
    assert round(100 * found_deviation, 1) == deviation
    assert round(100 * (found_mean - found_deviation), 1) == difference


@pytest.mark.parametrize(("values", "mean", "variance", "fitness"), TABLE_VI)
def test_fitness_is_that_of_the_papers_table_6(
    values: tuple[float, ...], mean: str, variance: str, fitness: str
) -> None:
    accuracies = np.array([values])
    assert_prints_as(mu(accuracies)[0], mean)
    assert_prints_as(mu(accuracies)[0] - mu_minus_variance(accuracies)[0], variance)
    assert_prints_as(mu_minus_variance(accuracies)[0], fitness)


@settings(deadline=None, max_examples=50)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_fitness_of_accuracies_is_between_zero_and_their_mean(accuracies: list[float]) -> None:
    rows = np.array([accuracies])
    assert 0 <= mu_minus_variance(rows)[0] <= mu(rows)[0] <= 1 + 1e-12


def test_each_individual_has_its_own_fitness() -> None:
    rows = np.array([[0.0, 1.0], [0.5, 0.5], [1.0, 1.0]])
    np.testing.assert_array_equal(mu(rows), [0.5, 0.5, 1.0])
    np.testing.assert_array_equal(mu_minus_variance(rows), [0.25, 0.5, 1.0])


def test_deviation_and_minimum_are_those_of_each_individual() -> None:
    rows = np.array([[0.0, 1.0, 0.5], [0.5, 0.5, 0.5], [0.2, 0.9, 1.0], [0.0, 0.0, 1.0]])
    means, deviations = [0.5, 0.5, 0.7], [(1 / 6) ** 0.5, 0, (0.38 / 3) ** 0.5]
    expected = [*(mean - spread for mean, spread in zip(means, deviations, strict=True)), 0.0]
    # Of the last the deviation is larger than the mean: 1/3 and 0.47.
    np.testing.assert_allclose(mu_minus_deviation(rows), expected)
    np.testing.assert_array_equal(minimum(rows), [0.0, 0.5, 0.2, 0.0])


def test_criteria_are_found_by_their_names() -> None:
    predicted = np.array([[0, 1, 1, 2, 0, 2, 1, 0], np.zeros(8, np.int64)])
    accuracies = fold_accuracies(predicted, LABELS, FOLDS)
    found = {
        name: score_predictions(name, predicted, LABELS, FOLDS).tolist()
        for name in ("mu", "mu_minus_variance", "mu_minus_deviation", "minimum")
    }
    assert found == {
        "mu": mu(accuracies).tolist(),
        "mu_minus_variance": mu_minus_variance(accuracies).tolist(),
        "mu_minus_deviation": mu_minus_deviation(accuracies).tolist(),
        "minimum": minimum(accuracies).tolist(),
    }
    assert len({scores[0] for scores in found.values()}) == 4

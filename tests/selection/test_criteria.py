"""Pooled criteria against the project's metrics; the paper's are in test_fitness."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from merec_hpc.learning.metrics import accuracy, unweighted_average_recall, unweighted_f1
from merec_hpc.selection.criteria import (
    fold_accuracies,
    mu,
    score_predictions,
    statistics_of_two,
)

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

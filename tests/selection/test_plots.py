"""What plots of a search show."""

from collections.abc import Iterator

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from merec_hpc.records import Features
from merec_hpc.selection.estimators import GeneticSelector
from merec_hpc.selection.plots import plot_convergence, plot_n_selected

HISTORY = {
    "best_fitness": np.array([0.5, 0.6, 0.6]),
    "training_accuracy": np.array([0.9, 1.0, 1.0]),
    "mean_fitness": np.array([0.2, 0.3, 0.5]),
    "min_selected": np.array([1, 2, 3]),
    "max_selected": np.array([9, 8, 7]),
    "n_selected": np.array([4, 5, 5]),
    "best_C": np.array([1.0, 1.0, 0.1]),
}


@pytest.fixture(autouse=True)
def _drawn_nowhere() -> Iterator[None]:
    with mpl.rc_context({"backend": "agg"}):
        yield
        plt.close("all")


def test_convergence_has_a_line_for_each_series() -> None:
    axes = plot_convergence(HISTORY)
    lines = {line.get_label(): line.get_xydata() for line in axes.get_lines()}
    assert lines.keys() == {"best fitness", "mean fitness", "training accuracy"}
    for label, points in lines.items():
        values = HISTORY[label.replace(" ", "_")]
        np.testing.assert_array_equal(points, np.column_stack([range(3), values]))
    assert axes.get_xlabel() == "generation"


def test_numbers_of_features_have_a_line_and_a_band() -> None:
    axes = plot_n_selected(HISTORY)
    (line,) = axes.get_lines()
    np.testing.assert_array_equal(line.get_ydata(), HISTORY["n_selected"])
    (band,) = axes.collections
    corners = {tuple(corner) for corner in band.get_paths()[0].vertices.tolist()}
    assert corners == {(0, 1), (1, 2), (2, 3), (0, 9), (1, 8), (2, 7)}


@pytest.mark.parametrize("plot", [plot_convergence, plot_n_selected])
def test_axes_may_be_given_and_are_returned(features: Features, plot: object) -> None:
    selector = GeneticSelector(n_individuals=4, n_random_migrants=1, n_generations=1)
    selector.fit(features.values, features.labels, groups=features.subjects)
    axes = Figure().subplots()
    assert plot(selector.history_, ax=axes) is axes
    assert axes.get_lines()
    assert plt.get_fignums() == []

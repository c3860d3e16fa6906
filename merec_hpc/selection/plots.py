"""Draws the history of a search: functions that return axes of matplotlib."""

from typing import TYPE_CHECKING

import numpy as np

from merec_hpc.selection.watching import Columns

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def plot_convergence(history: Columns, *, ax: "Axes | None" = None) -> "Axes":
    """Draw the best and mean fitness, and the best's training accuracy, over generations.

    Parameters
    ----------
    history
        ``history_`` of an estimator, or what a callback gets.
    ax
        Where to draw; ``None`` makes a figure.

    Returns
    -------
    matplotlib.axes.Axes
        With a line for each of the three.
    """
    axes = _axes(ax)
    generations = np.arange(len(history["best_fitness"]))
    for name, alpha in (("best_fitness", 1.0), ("mean_fitness", 0.6), ("training_accuracy", 1.0)):
        axes.plot(generations, history[name], label=name.replace("_", " "), alpha=alpha)
    axes.set(xlabel="generation", ylabel="fitness, accuracy")
    axes.legend()
    return axes


def plot_n_selected(history: Columns, *, ax: "Axes | None" = None) -> "Axes":
    """Draw how many features the best mask has over generations, and the range of all masks.

    Parameters
    ----------
    history
        ``history_`` of an estimator, or what a callback gets.
    ax
        Where to draw; ``None`` makes a figure.

    Returns
    -------
    matplotlib.axes.Axes
        With a line, and a band from the fewest to the most features of an individual.
    """
    axes = _axes(ax)
    generations = np.arange(len(history["n_selected"]))
    axes.plot(generations, history["n_selected"], label="best mask")
    fewest, most = history["min_selected"], history["max_selected"]
    axes.fill_between(generations, fewest, most, alpha=0.3, label="all masks")
    axes.set(xlabel="generation", ylabel="selected features")
    axes.legend()
    return axes


def _axes(ax: "Axes | None") -> "Axes":
    if ax is not None:
        return ax
    from matplotlib import pyplot as plt  # noqa: PLC0415  # takes a second, and chooses a backend

    _, made = plt.subplots(layout="constrained")
    return made

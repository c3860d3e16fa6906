"""Draws the report's figures as SVG."""

import io
from collections.abc import Mapping, Sequence

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from merec_hpc.records import Selection

_COLUMNS = 4
_LEGEND_ROWS = 24


def confusion_figure(counts: NDArray[np.int64], classes: Sequence[str]) -> str:
    """Return the SVG of a confusion matrix."""
    return _svg(draw_confusion(counts, classes))


def draw_confusion(counts: NDArray[np.int64], classes: Sequence[str]) -> Figure:
    """Draw a confusion matrix: labels in rows, predictions in columns, counts in cells."""
    figure = Figure(figsize=(3.2, 2.8), layout="constrained")
    axes = figure.subplots()
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    axes.set_xticks(range(len(classes)), classes, parse_math=False)
    axes.set_yticks(range(len(classes)), classes, parse_math=False)
    axes.set(xlabel="predicted", ylabel="label")
    for (row, column), count in np.ndenumerate(counts):
        colour = "white" if shares[row, column] > 0.6 else "black"
        axes.text(column, row, str(count), ha="center", va="center", color=colour)
    return figure


def convergence_figure(selections: Mapping[str, Selection]) -> str:
    """Return the SVG of what a search saw in each fold."""
    return _svg(draw_convergence(selections))


def draw_convergence(selections: Mapping[str, Selection]) -> Figure:
    """Draw what a search saw in each fold, over its generations.

    Best fitness of the hall of fame, training accuracy of that individual, mean fitness of
    the population; a line marks the generation that was chosen.
    """
    n_rows = -(-len(selections) // _COLUMNS)
    figure = Figure(figsize=(11, 2.3 * n_rows), layout="constrained")
    grid = figure.subplots(n_rows, _COLUMNS, sharex=True, sharey=True, squeeze=False)
    for axes in grid.flat:
        axes.set_axis_off()
    for axes, (fold, selection) in zip(grid.flat, selections.items(), strict=False):
        history = selection.history
        axes.set_axis_on()
        axes.plot(history.best_fitness, label="best fitness")
        axes.plot(history.training_accuracy, label="training accuracy")
        axes.plot(history.mean_fitness, label="mean fitness", alpha=0.6)
        axes.axvline(selection.generation, color="grey", linestyle=":", label="chosen generation")
        axes.set_title(f"without {fold}", fontsize=9, parse_math=False)
    figure.supxlabel("generation")
    handles, labels = grid.flat[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=4)
    return figure


def weights_figure(selections: Mapping[str, Selection]) -> str:
    """Return the SVG of what a search multiplies the features by in each fold."""
    return _svg(draw_weights(selections))


def draw_weights(selections: Mapping[str, Selection]) -> Figure:
    """Draw what the scaled features are multiplied by: a row a fold, a column a feature."""
    weights = np.stack(
        [
            chosen.mask if chosen.weights is None else chosen.weights
            for chosen in selections.values()
        ]
    ).astype(np.float64)
    figure = Figure(figsize=(11, 1.2 + 0.16 * len(weights)), layout="constrained")
    axes = figure.subplots()
    drawn = axes.imshow(weights, aspect="auto", cmap="viridis", vmin=0, interpolation="nearest")
    axes.set_yticks(range(len(weights)), list(selections), fontsize=7, parse_math=False)
    axes.set(xlabel="feature", ylabel="without")
    figure.colorbar(drawn, label="weight")
    return figure


def front_figure(selections: Mapping[str, Selection]) -> str:
    """Return the SVG of the fronts of all folds."""
    return _svg(draw_fronts(selections))


def draw_fronts(selections: Mapping[str, Selection]) -> Figure:
    """Draw inner fitness over the number of features: a line a fold, the champion at its end.

    Folds without a front, and masks without features, are left out.
    """
    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.subplots()
    lines, labels = [], []
    for fold, selection in selections.items():
        if selection.front is not None:
            counts = selection.front.masks.sum(axis=1)
            shown = counts > 0
            lines += axes.plot(counts[shown], selection.front.fitness[shown], ".-", linewidth=0.8)
            labels.append(f"without {fold}")
    axes.set(xscale="log", xlabel="features", ylabel="inner fitness")
    n_columns = -(-len(labels) // _LEGEND_ROWS)
    legend = figure.legend(
        lines, labels, loc="outside right upper", fontsize=7, ncols=max(n_columns, 1)
    )
    for text in legend.get_texts():
        text.set_parse_math(False)
    return figure


def _svg(figure: Figure) -> str:
    buffer = io.StringIO()
    # The same figure gives the same bytes.
    with mpl.rc_context({"svg.hashsalt": "merec_hpc"}):
        figure.savefig(buffer, format="svg", metadata={"Date": None})
    text = buffer.getvalue()
    return text[text.index("<svg") :]

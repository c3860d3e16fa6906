"""Turns the predictions of individuals on their inner folds into one fitness each."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from merec_hpc.config.selection import Criterion, pooled_metrics

Predictions = NDArray[np.int64]  # (n_individuals, n_clips), index of the class, -1 for none
Fold = NDArray[np.int64]  # (n_clips,)


def fold_accuracies(predicted: Predictions, labels: Fold, folds: Fold) -> NDArray[np.float64]:
    """Return the accuracy on each fold's clips, shape (n_individuals, n_folds)."""
    hits = predicted == labels
    is_member = np.eye(folds.max() + 1)[folds]  # (n_clips, n_folds)
    accuracies: NDArray[np.float64] = (hits @ is_member) / is_member.sum(axis=0)
    return accuracies


def mu_minus_variance(accuracies: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return mean minus population variance over the folds (paper 1, IV.C.2).

    For accuracies in [0, 1], shape (n_individuals, n_folds); never negative.
    """
    fitness: NDArray[np.float64] = accuracies.mean(axis=1) - accuracies.var(axis=1)
    return fitness


def mu_minus_deviation(accuracies: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return mean minus population standard deviation over the folds, at least 0.

    For accuracies in [0, 1], shape (n_individuals, n_folds): the spread that paper 1 sets
    against its own (Tables V and VI), and that of its Stable SFS.
    """
    fitness: NDArray[np.float64] = accuracies.mean(axis=1) - accuracies.std(axis=1)
    return np.maximum(fitness, 0.0)


def minimum(accuracies: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the worst fold's accuracy, as local greedy forward search takes it (paper 1, III)."""
    fitness: NDArray[np.float64] = accuracies.min(axis=1)
    return fitness


def mu(accuracies: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean over the folds, for accuracies of shape (n_individuals, n_folds)."""
    fitness: NDArray[np.float64] = accuracies.mean(axis=1)
    return fitness


def statistics_of_two(n_steps: int) -> dict[str, NDArray[np.float64]]:
    """Return paper 1's Figure 5: three statistics of two accuracies, over all pairs of those.

    Mean, mean minus standard deviation and mean minus variance, each of shape
    (n_steps + 1, n_steps + 1), for accuracies 0, 1 / n_steps, ... 1 along both axes.
    """
    steps = np.linspace(0, 1, n_steps + 1)
    pairs = np.stack(np.meshgrid(steps, steps, indexing="ij"), axis=-1)
    means, deviations = pairs.mean(axis=-1), pairs.std(axis=-1)
    return {
        "mu": means,
        "mu_minus_deviation": means - deviations,
        "mu_minus_variance": means - deviations**2,
    }


def score_predictions(
    criterion: Criterion, predicted: Predictions, labels: Fold, folds: Fold
) -> NDArray[np.float64]:
    """Return the fitness of individuals by a named criterion, in [0, 1], shape (n_individuals,).

    The pooled criteria count all clips of all folds alike.
    """
    if criterion in _OF_FOLDS:
        return _OF_FOLDS[criterion](fold_accuracies(predicted, labels, folds))
    return pooled_metrics()[criterion].on_counts(_confusions(predicted, labels))


def _confusions(predicted: Predictions, labels: Fold) -> NDArray[np.int64]:
    """Return confusion matrices whose last class is none: it has no labels."""
    kinds = np.append(np.arange(labels.max() + 1), -1)
    is_label = (labels[:, None] == kinds).astype(np.int64)
    is_predicted = (predicted[:, :, None] == kinds).astype(np.int64)
    counts: NDArray[np.int64] = is_label.T @ is_predicted
    return counts


_OF_FOLDS: dict[str, Callable[[NDArray[np.float64]], NDArray[np.float64]]] = {
    "mu_minus_variance": mu_minus_variance,
    "mu": mu,
    "mu_minus_deviation": mu_minus_deviation,
    "minimum": minimum,
}

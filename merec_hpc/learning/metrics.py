"""Turns labels and predictions, pooled over all folds, into figures of merit.

Figures are computed from pooled predictions, never averaged over folds. A class that is
neither a label nor predicted is not a class of the data and cannot be scored.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.metrics import accuracy_score, confusion_matrix, f1_score, recall_score


def accuracy(labels: ArrayLike, predicted: ArrayLike) -> float:
    """Return the fraction of clips that are labelled correctly, in [0, 1]."""
    true, found = _check(labels, predicted)
    return float(accuracy_score(true, found))


def unweighted_f1(labels: ArrayLike, predicted: ArrayLike) -> float:
    """Return UF1: the mean over classes of 2 TP / (2 TP + FP + FN), in [0, 1].

    The classes are those of the labels; a prediction outside them only costs recall.

    Raises
    ------
    ValueError
        If there are no labels, or not one prediction for each.

    References
    ----------
    See et al.: MEGC 2019, FG 2019, doi:10.1109/FG.2019.8756611.
    """
    true, found = _check(labels, predicted)
    return float(f1_score(true, found, labels=np.unique(true), average="macro", zero_division=0.0))


def unweighted_average_recall(labels: ArrayLike, predicted: ArrayLike) -> float:
    """Return UAR: the mean over classes of the fraction of their clips found, in [0, 1].

    Raises
    ------
    ValueError
        If there are no labels, or not one prediction for each.
    """
    true, found = _check(labels, predicted)
    return float(
        recall_score(true, found, labels=np.unique(true), average="macro", zero_division=0.0)
    )


def confusion(labels: ArrayLike, predicted: ArrayLike, classes: ArrayLike) -> NDArray[np.int64]:
    """Return counts, shape (n_classes, n_classes): labels in rows, predictions in columns."""
    true, found = _check(labels, predicted)
    counts: NDArray[np.int64] = confusion_matrix(true, found, labels=np.asarray(classes))
    return counts


def majority_share(labels: ArrayLike) -> float:
    """Return the accuracy of always naming the most frequent class, in [0, 1]."""
    counts = np.unique(np.asarray(labels), return_counts=True)[1]
    return float(counts.max() / counts.sum())


@dataclass(frozen=True)
class Interval:
    """A percentile interval of 95 %."""

    low: float
    high: float


def subject_bootstrap(
    metric: Callable[[ArrayLike, ArrayLike], float],
    labels: ArrayLike,
    predicted: ArrayLike,
    subjects: ArrayLike,
    n_bootstraps: int,
    seed: int,
) -> Interval:
    """Return the 95 % interval of a metric over resampled subjects.

    Whole subjects are drawn with replacement: clips of one subject are not independent.
    """
    true, found = _check(labels, predicted)
    names, owners = np.unique(np.asarray(subjects), return_inverse=True)
    rows = [np.flatnonzero(owners == owner) for owner in range(len(names))]
    rng = np.random.default_rng(np.random.SeedSequence(seed))
    drawn = rng.integers(len(names), size=(n_bootstraps, len(names)))
    values = []
    for draw in drawn:
        chosen = np.concatenate([rows[owner] for owner in draw])
        values.append(metric(true[chosen], found[chosen]))
    low, high = np.percentile(values, [2.5, 97.5])
    return Interval(float(low), float(high))


def _check(
    labels: ArrayLike, predicted: ArrayLike
) -> tuple[NDArray[np.generic], NDArray[np.generic]]:
    true, found = np.asarray(labels), np.asarray(predicted)
    if true.ndim != 1 or len(true) == 0 or true.shape != found.shape:
        msg = f"one prediction per label expected, found shapes {true.shape} and {found.shape}"
        raise ValueError(msg)
    return true, found

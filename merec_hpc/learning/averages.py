"""Turns labels and predictions, pooled over all folds, into averages over classes."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from merec_hpc.metrics import confusion


@dataclass(frozen=True)
class Averages:
    """Precision, recall and F1, averaged over classes, each in [0, 1]."""

    precision: float
    recall: float
    f1: float


def class_averages(
    labels: ArrayLike, predicted: ArrayLike, weighting: Literal["macro", "weighted"]
) -> Averages:
    """Return precision, recall and F1 averaged over the classes that have labels.

    See ``class_averages_of``.

    Raises
    ------
    ValueError
        If there are no labels, or not one prediction for each.
    """
    return class_averages_of(confusion(labels, predicted), weighting)


def class_averages_of(
    counts: NDArray[np.int64], weighting: Literal["macro", "weighted"]
) -> Averages:
    """Return precision, recall and F1 of a confusion matrix, averaged over classes.

    The classes are those that have labels. A class that is never predicted has precision 0.
    Macro recall is UAR and macro F1 is UF1; weighted recall is the accuracy. F1 is the mean
    of the classes' F1, not the F1 of mean precision and mean recall.

    Parameters
    ----------
    counts
        Shape (n_classes, n_classes), labels in rows.
    weighting
        "macro": classes count alike; "weighted": by their number of labels.

    References
    ----------
    scikit-learn: ``precision_recall_fscore_support`` with ``zero_division=0``.
    """
    hits, n_labels, n_predicted = np.diagonal(counts), counts.sum(axis=1), counts.sum(axis=0)
    weights = n_labels if weighting == "weighted" else (n_labels > 0)

    def average(values: NDArray[np.float64]) -> float:
        return float(np.average(values, weights=weights))

    return Averages(
        precision=average(hits / np.maximum(n_predicted, 1)),
        recall=average(hits / np.maximum(n_labels, 1)),
        f1=average(2 * hits / np.maximum(n_labels + n_predicted, 1)),
    )

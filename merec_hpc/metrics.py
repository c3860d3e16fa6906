"""Turns labels and predictions, pooled over all folds, into figures of merit.

Figures are computed from pooled predictions, never averaged over folds. The classes are those
of the labels; a prediction outside them only costs recall.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True)
class Metric:
    """A figure of merit, computed from confusion matrices: a row, column or key bears its name."""

    name: str
    """In tables and files; ``pooled_`` and its lower case is the criterion of that name."""
    title: str
    """What a reader is told."""
    on_counts: Callable[[NDArray[np.int64]], NDArray[np.float64]]
    """From (..., n_classes, n_classes), labels in rows, to (...), in [0, 1], larger for better."""

    def __call__(self, labels: ArrayLike, predicted: ArrayLike) -> float:
        """Return the figure of labels and predictions.

        Raises
        ------
        ValueError
            If there are no labels, or not one prediction for each.
        """
        return float(self.on_counts(confusion(labels, predicted)))


def confusion(
    labels: ArrayLike, predicted: ArrayLike, classes: ArrayLike | None = None
) -> NDArray[np.int64]:
    """Return counts, shape (n_classes, n_classes): labels in rows, predictions in columns.

    Without ``classes``, those of labels and predictions, sorted.
    """
    true, found = np.asarray(labels), np.asarray(predicted)
    if true.ndim != 1 or len(true) == 0 or true.shape != found.shape:
        msg = f"one prediction per label expected, found shapes {true.shape} and {found.shape}"
        raise ValueError(msg)
    named = np.union1d(true, found) if classes is None else np.asarray(classes)
    is_true, is_found = true[:, None] == named, found[:, None] == named  # (n_clips, n_classes)
    return np.asarray(is_true.T.astype(np.int64) @ is_found.astype(np.int64), np.int64)


def majority_share(labels: ArrayLike) -> float:
    """Return the accuracy of always naming the most frequent class, in [0, 1]."""
    counts = np.unique(np.asarray(labels), return_counts=True)[1]
    return float(counts.max() / counts.sum())


@dataclass(frozen=True)
class Interval:
    """An interval of 95 %."""

    low: float
    high: float


def subject_bootstrap(
    metric: Metric,
    labels: ArrayLike,
    predicted: ArrayLike,
    subjects: ArrayLike,
    n_bootstraps: int,
    seed: int,
) -> Interval:
    """Return the 95 % interval of a metric over resampled subjects.

    Whole subjects are drawn with replacement: clips of one subject are not independent. A
    resample without a class is scored on the classes that it has.

    Parameters
    ----------
    n_bootstraps
        Resamples, above 0.

    Raises
    ------
    ValueError
        If labels, predictions and subjects are not of one length.
    """
    counts = subject_confusions(labels, predicted, subjects)
    values = metric.on_counts(resample_subjects(counts, n_bootstraps, seed))
    low, high = np.percentile(values, [2.5, 97.5])
    return Interval(float(low), float(high))


def subject_confusions(
    labels: ArrayLike,
    predicted: ArrayLike,
    subjects: ArrayLike,
    classes: ArrayLike | None = None,
) -> NDArray[np.int64]:
    """Return the counts of each subject, sorted, shape (n_subjects, n_classes, n_classes).

    Without ``classes``, those of labels and predictions, sorted.

    Raises
    ------
    ValueError
        If labels, predictions and subjects are not of one length.
    """
    true, found, owners = np.asarray(labels), np.asarray(predicted), np.asarray(subjects)
    if not owners.shape == true.shape == found.shape:
        msg = (
            "one prediction and one subject per label expected, found shapes "
            f"{true.shape}, {found.shape} and {owners.shape}"
        )
        raise ValueError(msg)
    named = np.union1d(true, found) if classes is None else np.asarray(classes)
    return np.stack(
        [
            confusion(true[owners == name], found[owners == name], named)
            for name in np.unique(owners)
        ]
    )


def resample_subjects(counts: NDArray[np.int64], n_resamples: int, seed: int) -> NDArray[np.int64]:
    """Return the summed counts of subjects drawn with replacement, as many as there are.

    The same seed draws the same subjects, whatever their counts.

    Parameters
    ----------
    counts
        Shape (n_subjects, n_classes, n_classes).

    Returns
    -------
    NDArray[np.int64]
        Shape (n_resamples, n_classes, n_classes).
    """
    n_subjects = len(counts)
    rng = np.random.default_rng(np.random.SeedSequence(seed))
    drawn = rng.integers(n_subjects, size=(n_resamples, n_subjects))
    # How often each is drawn, not its counts as often: those may take gigabytes.
    times = np.zeros((n_resamples, n_subjects), np.int64)
    np.add.at(times, (np.arange(n_resamples)[:, None], drawn), 1)
    return np.asarray(np.tensordot(times, counts, axes=1), np.int64)


def accuracy_of(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the accuracy of confusion matrices, shape (..., n_classes, n_classes)."""
    hits = np.trace(counts, axis1=-2, axis2=-1)
    return np.asarray(hits / counts.sum(axis=(-2, -1)), np.float64)


def unweighted_f1_of(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return UF1 of confusion matrices, shape (..., n_classes, n_classes).

    The mean over classes of 2 TP / (2 TP + FP + FN), in [0, 1].

    References
    ----------
    See et al.: MEGC 2019, FG 2019, doi:10.1109/FG.2019.8756611.
    """
    hits = np.diagonal(counts, axis1=-2, axis2=-1)
    n_labels, n_predicted = counts.sum(axis=-1), counts.sum(axis=-2)
    return _mean_over_classes(2 * hits / np.maximum(n_labels + n_predicted, 1), n_labels)


def unweighted_average_recall_of(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return UAR of confusion matrices, shape (..., n_classes, n_classes).

    The mean over classes of the fraction of their clips found, in [0, 1].
    """
    hits = np.diagonal(counts, axis1=-2, axis2=-1)
    n_labels = counts.sum(axis=-1)
    return _mean_over_classes(hits / np.maximum(n_labels, 1), n_labels)


def _mean_over_classes(
    values: NDArray[np.float64], n_labels: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return the mean over the classes that have labels, along the last axis."""
    return np.asarray(np.mean(values, axis=-1, where=n_labels > 0), np.float64)


accuracy = Metric("accuracy", "fraction of clips that are labelled correctly", accuracy_of)
unweighted_f1 = Metric("UF1", "mean F1 of the classes", unweighted_f1_of)
unweighted_average_recall = Metric(
    "UAR", "mean recall of the classes", unweighted_average_recall_of
)

METRICS: dict[str, Metric] = {
    metric.name: metric for metric in (accuracy, unweighted_f1, unweighted_average_recall)
}
"""What is computed of every method, in the order of rows and columns."""

"""Turns decision values, pooled over all folds, into the area under the ROC curve."""

import numpy as np
from numpy.typing import ArrayLike, NDArray


def one_vs_rest_auc(
    labels: ArrayLike, decisions: ArrayLike, classes: ArrayLike | None = None
) -> float:
    """Return the mean over classes of the one-vs-rest AUC, in [0, 1].

    The AUC of a class is the probability that a clip of the class has a larger decision value
    for it than a clip of another class, ties counting half. A class without labels, or without
    labels of other classes, is left out. Pooled over folds, the decisions of several machines
    are compared with each other, as the values of one machine are.

    Parameters
    ----------
    labels
        Shape (n_clips,).
    decisions
        Shape (n_clips, n_classes), each larger for a likelier class; -inf for a class that the
        training clips of a fold had not.
    classes
        The label of each column; without them, 0, 1, ..., n_classes - 1.

    Raises
    ------
    ValueError
        If there is not one row of decisions per label, if a label has no column, if a decision
        is not a number, or if there are labels of fewer than two classes.

    References
    ----------
    Hanley and McNeil: The meaning and use of the area under a ROC curve, Radiology 143, 1982.
    scikit-learn: ``roc_auc_score`` of each class against the rest.
    """
    true, values = np.asarray(labels), np.asarray(decisions, np.float64)
    if true.ndim != 1 or values.ndim != 2 or len(values) != len(true):
        msg = f"one row of decisions per label expected, found {values.shape} for {true.shape}"
        raise ValueError(msg)
    named = np.arange(values.shape[1]) if classes is None else np.asarray(classes)
    _check(true, values, named)
    areas = [
        _area(values[true == name, column], values[true != name, column])
        for column, name in enumerate(named)
        if (true == name).any()
    ]
    return float(np.mean(areas))


def _check(labels: NDArray[np.generic], decisions: NDArray[np.float64], classes: ArrayLike) -> None:
    known, found = np.asarray(classes), np.unique(labels)
    if known.shape != decisions.shape[1:] or not np.isin(found, known).all():
        msg = (
            f"one column of decisions per class expected, found {decisions.shape[1]} columns, "
            f"classes {known.tolist()} and labels {found.tolist()}"
        )
        raise ValueError(msg)
    if np.isnan(decisions).any():
        msg = f"numbers as decisions expected, found {np.isnan(decisions).sum()} that are none"
        raise ValueError(msg)
    if len(found) < 2:
        msg = f"labels of at least two classes expected, found {found.tolist()}"
        raise ValueError(msg)


def _area(inside: NDArray[np.float64], outside: NDArray[np.float64]) -> float:
    """Return the share of pairs in which the clip of the class is ahead, ties counting half."""
    ordered = np.sort(outside)
    n_below = np.searchsorted(ordered, inside, side="left").sum()
    n_below_or_equal = np.searchsorted(ordered, inside, side="right").sum()
    return float((n_below + n_below_or_equal) / (2 * len(inside) * len(outside)))

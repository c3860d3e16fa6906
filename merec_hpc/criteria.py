"""Turns what individuals say of left-out clips into one fitness each, in [0, 1].

Criteria of three kinds: of the accuracies on inner folds (``OF_FOLDS``), of the predictions on all
left-out clips at once (``pooled_metrics``), and of the decisions behind them (``OF_DECISIONS``). A
new one is one function, and one line at the end of this module.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from merec_hpc.metrics import METRICS, Metric

Predictions = NDArray[np.int64]  # (n_individuals, n_clips), index of the class, -1 for none
Decisions = NDArray[np.float64]  # (n_clips, n_classes), minus infinity without a training clip
Fold = NDArray[np.int64]  # (n_clips,)

TEMPERATURES = 2.0 ** np.arange(-1, 5)
"""What decisions are multiplied by before they become probabilities: the best of .5 to 16."""
_DIGITS = 9
"""Of a fitness of decisions: what differs by rounding errors alone is a tie, broken by order."""


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


def balanced_hinge(decisions: Decisions, labels: Fold) -> float:
    """Return 1 / (1 + loss), loss being the class-balanced squared hinge of decisions.

    A clip loses max(0, 1 - y f)^2, summed over the classes, by the decision f of each class, y being
    +1 for the clip's own and -1 for the others: what the machines minimise. Each class weighs the
    same: the mean over classes of the mean over the class's clips. The loss has no upper end; unlike
    exp(-loss) the inverse stays apart from 0 where decisions are far off, and roulette has something
    to draw by. 1 is for margins of 1 everywhere, 1 / (1 + n_classes) for decisions of 0.

    Clips are left out whose class has no training clip in their inner fold: they say nothing of a
    mask. A class without any other clip is left out, and if all are, 0 is returned.

    Parameters
    ----------
    decisions
        Shape (n_clips, n_classes); minus infinity for a class without training clips, which
        costs the clips of other classes nothing. Not a number: 0 is returned.
    labels
        Index of the class, shape (n_clips,).
    """
    decided, own = _decided(decisions, labels)
    if len(own) == 0:
        return 0.0
    signs = np.where(own[:, None] == np.arange(decided.shape[1]), 1.0, -1.0)
    losses = (np.maximum(1.0 - signs * decided, 0.0) ** 2).sum(axis=1)
    return 1.0 / (1.0 + _balanced_mean(losses, own))


def balanced_log_loss(decisions: Decisions, labels: Fold) -> float:
    """Return exp(-loss), loss being the class-balanced log loss of softmax(t decisions).

    That is the geometric mean of the probabilities of the true classes: 1 for certainty, 1 / n_classes
    for decisions of 0. Each class weighs the same: the mean over classes of the mean over the
    class's clips. t is the best of ``TEMPERATURES`` for these decisions.

    Clips are left out whose class has no training clip in their inner fold, as in
    ``balanced_hinge``; to the clips of other classes that class has probability 0.

    Parameters
    ----------
    decisions
        As of ``balanced_hinge``; of a classifier of probabilities their logarithms.
    labels
        Index of the class, shape (n_clips,).
    """
    decided, own = _decided(decisions, labels)
    if len(own) == 0:
        return 0.0
    above = decided - decided.max(axis=1, keepdims=True)
    true = above[np.arange(len(own)), own]
    losses = [
        np.log(np.exp(t * above).sum(axis=1)) - t * true  # of each clip
        for t in TEMPERATURES
    ]
    return float(np.exp(-min(_balanced_mean(loss, own) for loss in losses)))


def _decided(decisions: Decisions, labels: Fold) -> tuple[Decisions, Fold]:
    """Return decisions and labels of the clips whose class some machine knows."""
    own = decisions[np.arange(len(labels)), labels]
    is_known = own > -np.inf  # of NaN: False
    return decisions[is_known], labels[is_known]


def _balanced_mean(losses: NDArray[np.float64], labels: Fold) -> float:
    """Return the mean over classes of the mean over a class's clips."""
    counts = np.bincount(labels)
    sums = np.bincount(labels, losses)[counts > 0]
    return float((sums / counts[counts > 0]).mean())


def score_answers(
    criterion: str, answers: Predictions | NDArray[np.float64], labels: Fold, folds: Fold
) -> NDArray[np.float64]:
    """Return the fitness of individuals by a named criterion, in [0, 1], shape (n_individuals,).

    Parameters
    ----------
    answers
        Predictions (n_individuals, n_clips), the index of a class or -1 for none. For a criterion
        of ``OF_DECISIONS`` decisions (n_individuals, n_clips, n_classes), NaN for none.
    labels, folds
        Of the clips, shape (n_clips,).
    """
    if criterion not in OF_DECISIONS:
        return score_predictions(criterion, answers.astype(np.int64, copy=False), labels, folds)
    if answers.ndim != 3:
        msg = f"decisions (n, n_clips, n_classes) for {criterion} expected, found {answers.shape}"
        raise ValueError(msg)
    # One by one: no sum depends on what else is scored.
    found = [OF_DECISIONS[criterion](decisions, labels) for decisions in answers]
    return np.array(found, np.float64).round(_DIGITS)


def score_predictions(
    criterion: str, predicted: Predictions, labels: Fold, folds: Fold
) -> NDArray[np.float64]:
    """Return the fitness of individuals by a named criterion, in [0, 1], shape (n_individuals,).

    The pooled criteria count all clips of all folds alike.
    """
    if criterion in OF_FOLDS:
        return OF_FOLDS[criterion](fold_accuracies(predicted, labels, folds))
    return pooled_metrics()[criterion].on_counts(_confusions(predicted, labels))


def _confusions(predicted: Predictions, labels: Fold) -> NDArray[np.int64]:
    """Return confusion matrices whose last class is none: it has no labels."""
    kinds = np.append(np.arange(labels.max() + 1), -1)
    is_label = (labels[:, None] == kinds).astype(np.int64)
    is_predicted = (predicted[:, :, None] == kinds).astype(np.int64)
    counts: NDArray[np.int64] = is_label.T @ is_predicted
    return counts


def pooled_metrics() -> dict[str, Metric]:
    """Return the criteria that count all left-out training clips at once, by name."""
    return {f"pooled_{name.lower()}": metric for name, metric in METRICS.items()}


def criteria_names() -> tuple[str, ...]:
    """Return the names of all criteria."""
    return (*OF_FOLDS, *pooled_metrics(), *OF_DECISIONS)


OF_FOLDS: dict[str, Callable[[NDArray[np.float64]], NDArray[np.float64]]] = {
    "mu_minus_variance": mu_minus_variance,
    "mu": mu,
    "mu_minus_deviation": mu_minus_deviation,
    "minimum": minimum,
}
"""Of the accuracies on left-out training subjects, (n_individuals, n_folds) (paper 1, IV.C.2)."""
OF_DECISIONS: dict[str, Callable[[Decisions, Fold], float]] = {
    "balanced_hinge": balanced_hinge,
    "balanced_log_loss": balanced_log_loss,
}
"""Of one individual's decisions on all left-out training clips, and the clips' labels."""

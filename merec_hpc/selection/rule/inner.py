"""What rules decide on inner folds: everything learnt without a fold, for the clips of that fold."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from merec_hpc.selection.fitness.inner_folds import InnerFolds
from merec_hpc.selection.rule.family import KAPPA, B, C, Genes, P, groups_of
from merec_hpc.selection.rule.fold_statistics import Statistics, Values, f_statistics
from merec_hpc.selection.rule.losses import Decisions
from merec_hpc.selection.rule.machines import both_signs, one_vs_rest, train_duals
from merec_hpc.selection.rule.relevance import RelevanceGram, relevance_weights
from merec_hpc.selection.rule.subject_calibration import Calibration

N_FOLDS = 6
Squares = NDArray[np.float64] | float  # (n_features,), or of all


def group_subjects(
    labels: NDArray[np.generic], subjects: NDArray[np.generic], n_folds: int = N_FOLDS
) -> InnerFolds:
    """Return groups of subjects of about as many clips, at most one group a subject.

    Raises
    ------
    ValueError
        If there is one subject or one class.
    """
    return InnerFolds.of(labels, subjects, min(n_folds, len(np.unique(subjects))))


@dataclass(frozen=True)
class Fold:
    """Clips, those to train on first; whose they are and, of those to train on, what they show."""

    values: Values  # (n_clips, n_features)
    subjects: NDArray[np.int64]  # (n_clips,)
    labels: NDArray[np.int64]  # (n_training,)
    n_classes: int
    squares: Squares

    @property
    def n_training(self) -> int:
        """Number of clips to train on."""
        return len(self.labels)


def left_out_decisions(
    values: Values,
    subjects: NDArray[np.generic],
    genes: Genes,
    folds: InnerFolds,
    min_clips: int,
    squares: Squares = 1.0,
) -> Decisions:
    """Return each rule's decisions on every clip by machines that never saw its fold.

    Parameters
    ----------
    values
        Shape (n_clips, n_features).
    subjects
        Of each clip, (n_clips,); no subject is in two folds.
    genes
        Of each rule, (n_rules, 4).
    folds
        Of the same clips. Their labels are those that are learnt from.
    min_clips
        A subject with fewer clips keeps its mean.
    squares
        What products of features are multiplied by besides their relevance, as ``learn_rules``.

    Returns
    -------
    NDArray[np.float64]
        Shape (n_rules, n_clips, n_classes), clips in the order of ``values``; -inf for a class
        that no clip outside the fold has.
    """
    numbers = np.unique(subjects, return_inverse=True)[1]
    n_classes = len(folds.classes)
    decisions = np.full((len(genes), len(values), n_classes), -np.inf)
    for fold in range(folds.n_folds):
        training, held_out = folds.order[folds.folds != fold], folds.order[folds.folds == fold]
        clips = np.concatenate([training, held_out])
        labels = folds.labels[folds.folds != fold]
        task = Fold(values[clips], numbers[clips], labels, n_classes, squares)
        is_trained = np.bincount(labels, minlength=n_classes) > 0
        found = decide_fold(task, genes, min_clips)
        decisions[:, held_out] = np.where(is_trained, found, -np.inf)
    return decisions


def decide_fold(fold: Fold, genes: Genes, min_clips: int) -> Decisions:
    """Return decisions on the clips that are not trained on, (n_rules, n_held_out, n_classes)."""
    n_training = fold.n_training
    targets = one_vs_rest(fold.labels, fold.n_classes)
    training = (fold.values[:n_training], fold.labels, fold.subjects[:n_training])
    statistics = Statistics.learn(*training, min_clips)
    standardised = statistics.scaling.apply(fold.values)
    decisions = np.empty((len(genes), len(fold.values) - n_training, fold.n_classes))
    for kappa, of_kappa in groups_of(genes[:, KAPPA], np.arange(len(genes))):
        _, mapped = Calibration.learn(statistics, kappa, standardised, fold.subjects, n_training)
        f_values = f_statistics(mapped[:n_training], fold.labels)
        for p, rules in groups_of(genes[:, P], of_kappa):
            weights = relevance_weights(f_values, p)
            gram = RelevanceGram.of(mapped, n_training, weights * fold.squares).matrix
            for rule in rules:
                found = _decide(gram, genes[rule, B], genes[rule, C], targets)
                decisions[rule] = both_signs(found, fold.n_classes).T
    return decisions


def _decide(
    gram: NDArray[np.float64], b: float, penalty: float, targets: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return decisions on the clips behind those to train on, (n_machines, n_held_out)."""
    n_training = targets.shape[1]
    duals = train_duals(gram[:n_training, :n_training] + b, penalty, targets)
    found: NDArray[np.float64] = duals @ (gram[:n_training, n_training:] + b)
    return found

"""Turns decisions on clips that were left out into losses of the rules that made them."""

import numpy as np
from numpy.typing import NDArray

from merec_hpc.criteria import TEMPERATURES, score_answers

Decisions = NDArray[np.float64]  # (n_rules, n_clips, n_classes), -inf for an untrained class
Labels = NDArray[np.int64]  # (n_clips,)


def balanced_log_loss(decisions: Decisions, labels: Labels) -> NDArray[np.float64]:
    """Return the class-balanced log loss of each rule, from 0, (n_rules,).

    Decisions f become shares softmax(t f); each class weighs the same. t is the one of
    ``TEMPERATURES`` that makes the loss smallest. Clips of a class that was not trained do not
    count: no rule could have known them.
    """
    losses: NDArray[np.float64] = _log_losses(decisions, labels) @ _balanced(decisions, labels)
    return np.asarray(losses.min(axis=0), np.float64)


def evolved_fitness(
    decisions: Decisions, labels: Labels, uf1: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return UF1 less a quarter of the class-balanced and of the plain log loss, (n_rules,).

    Both losses are at the same t, that which makes their sum smallest.
    """
    balanced = _balanced(decisions, labels)
    plain = (balanced > 0) / max((balanced > 0).sum(), 1)
    both = _log_losses(decisions, labels) @ (balanced + plain)
    fitness: NDArray[np.float64] = uf1 - both.min(axis=0) / 4
    return fitness


def pooled_uf1(decisions: Decisions, labels: Labels) -> NDArray[np.float64]:
    """Return the UF1 of each rule over the clips of all folds, in [0, 1], (n_rules,)."""
    predicted = decisions.argmax(axis=2).astype(np.int64)
    return score_answers("pooled_uf1", predicted, labels, np.zeros_like(labels))


def decision_scales(decisions: Decisions) -> NDArray[np.float64]:
    """Return the mean absolute decision of each rule, of classes that were trained, (n_rules,)."""
    is_finite = np.isfinite(decisions)
    sizes = np.where(is_finite, np.abs(decisions), 0.0).sum(axis=(1, 2))
    scales: NDArray[np.float64] = sizes / np.maximum(is_finite.sum(axis=(1, 2)), 1)
    return scales


def _balanced(decisions: Decisions, labels: Labels) -> NDArray[np.float64]:
    """Return the weight of each clip, of sum 1: 0 where its class was not trained."""
    own = decisions[0, np.arange(len(labels)), labels]
    counts = np.isfinite(own)
    sizes = np.bincount(labels[counts], minlength=decisions.shape[2])
    weights: NDArray[np.float64] = (
        counts / (max((sizes > 0).sum(), 1) * np.maximum(sizes, 1))[labels]
    )
    return weights


def _log_losses(decisions: Decisions, labels: Labels) -> NDArray[np.float64]:
    """Return -log of the share of each clip's class, (n_temperatures, n_rules, n_clips).

    0 where the class was not trained.
    """
    less = decisions - decisions.max(axis=2, keepdims=True)
    own = less[:, np.arange(len(labels)), labels]
    own = np.where(np.isfinite(own), own, 0.0)
    sums = [np.log(np.exp(t * less).sum(axis=2)) - t * own for t in TEMPERATURES]
    return np.stack(sums)

"""A rule straight from its formulas: one clip, subject and feature at a time, in plain loops.

Only the machine is not a loop: SciPy's non-negative least squares on the weighted features.
"""

from collections.abc import Callable, Sequence
from math import exp, fsum, log, sqrt

import numpy as np
from numpy.typing import NDArray
from oracles.leave_out import svm_weights

Column = list[float]
CONSTANT = 1e-12


def mapped_columns(
    training: Sequence[Column],
    labels: Sequence[int],
    owners: Sequence[int],
    wanted: Sequence[Column],
    wanted_owners: Sequence[int],
    kappa: float,
    min_clips: int,
) -> list[tuple[Column, Column]]:
    """Return each feature of training and of wanted clips, without what is their subjects'."""
    return [
        _mapped_column(
            [clip[f] for clip in training],
            labels,
            owners,
            [clip[f] for clip in wanted],
            wanted_owners,
            kappa,
            min_clips,
        )
        for f in range(len(training[0]))
    ]


def f_value(column: Column, labels: Sequence[int]) -> float:
    """Return the F of a one-way analysis of variance, 0 of a constant feature."""
    grand = _mean(column)
    between = within = 0.0
    for one in sorted(set(labels)):
        own = [value for value, label in zip(column, labels, strict=True) if label == one]
        between += len(own) * (_mean(own) - grand) ** 2
        within += fsum((value - _mean(own)) ** 2 for value in own)
    if len(set(column)) == 1:
        return 0.0
    n_classes = len(set(labels))
    return between / (n_classes - 1) / (within / (len(column) - n_classes))


def rule_decisions(
    training: Sequence[Column],
    labels: Sequence[int],
    owners: Sequence[int],
    wanted: Sequence[Column],
    wanted_owners: Sequence[int],
    genes: tuple[float, float, float, float],
    min_clips: int,
) -> NDArray[np.float64]:
    """Return decisions on clips by machines trained on others, (n_clips, n_classes)."""
    kappa, p, b, penalty = genes
    columns = mapped_columns(training, labels, owners, wanted, wanted_owners, kappa, min_clips)
    weights = [f_value(known, labels) ** p for known, _ in columns]
    squares = [
        fsum(w * known[i] ** 2 for w, (known, _) in zip(weights, columns, strict=True))
        for i in range(len(training))
    ]
    scale = _mean(squares) or 1.0
    known_rows, wanted_rows = (
        [
            [sqrt(w / scale) * pair[which][i] for w, pair in zip(weights, columns, strict=True)]
            + [sqrt(b)]
            for i in range(n_clips)
        ]
        for which, n_clips in enumerate((len(training), len(wanted)))
    )
    decisions = []
    for one in sorted(set(labels)):
        signs = np.array([1.0 if label == one else -1.0 for label in labels])
        decisions.append(np.array(wanted_rows) @ svm_weights(np.array(known_rows), signs, penalty))
    return np.stack(decisions, axis=1)


def balanced_loss(decisions: Sequence[Column], labels: Sequence[int], t: float) -> float:
    """Return the mean over classes of the mean log loss of their clips, at one temperature."""
    return _mean([_mean(_losses_of(one, decisions, labels, t)) for one in sorted(set(labels))])


def plain_loss(decisions: Sequence[Column], labels: Sequence[int], t: float) -> float:
    """Return the mean log loss of all clips, at one temperature."""
    every = [loss for one in set(labels) for loss in _losses_of(one, decisions, labels, t)]
    return _mean(every)


def evolved_by_hand(
    fitness_of: Callable[[Column], float], seed: int, n_individuals: int, n_generations: int
) -> list[Column]:
    """Return the rules of all generations, each kappa, p, b and C."""
    rng = np.random.default_rng(np.random.SeedSequence(seed))
    mean, deviation = [-1.0, 0.5, -1.5, 0.0], [1.2, 0.7, 0.9, 0.8]
    lowest, highest = [-2.0, 0.0, -3.0, -2.0], [2.0, 2.5, 0.0, 2.0]
    rules = []
    for generation in range(n_generations):
        noise = rng.standard_normal((n_individuals, 4))
        genomes = [
            [min(max(mean[g] + deviation[g] * one[g], lowest[g]), highest[g]) for g in range(4)]
            for one in noise.tolist()
        ]
        if generation == 0:
            genomes[0] = [-2.0, 0.0, -3.0, 0.0]
        found = [
            [
                10.0**kappa if kappa > -2 else 0.0,
                p,
                10.0**b if b > -3 else 0.0,
                10.0**penalty,
            ]
            for kappa, p, b, penalty in genomes
        ]
        rules += found
        order = sorted(range(n_individuals), key=lambda i: -fitness_of(found[i]))
        for g in range(4):
            best = [genomes[i][g] for i in order[:4]]
            spread = sqrt(_mean([(value - _mean(best)) ** 2 for value in best]))
            mean[g] = 0.3 * mean[g] + 0.7 * _mean(best)
            deviation[g] = 0.5 * deviation[g] + 0.5 * max(spread, 0.15)
    return rules


def _losses_of(
    one: int, decisions: Sequence[Column], labels: Sequence[int], t: float
) -> list[float]:
    return [
        log(fsum(exp(t * (value - max(row))) for value in row)) + t * (max(row) - row[one])
        for row, label in zip(decisions, labels, strict=True)
        if label == one
    ]


def _mapped_column(
    known: Column,
    labels: Sequence[int],
    owners: Sequence[int],
    wanted: Column,
    wanted_owners: Sequence[int],
    kappa: float,
    min_clips: int,
) -> tuple[Column, Column]:
    known, wanted = _standardised(known, wanted)
    if kappa == 0:
        return known, wanted
    clips = range(len(known))
    class_mean = {one: _mean([known[i] for i in clips if labels[i] == one]) for one in set(labels)}
    residual = [known[i] - class_mean[labels[i]] for i in clips]
    n, n_subjects = len(known), len(set(owners))
    within = between = mixture = 0.0
    for subject in sorted(set(owners)):
        own = [i for i in clips if owners[i] == subject]
        mean = _mean([residual[i] for i in own])
        within += fsum((residual[i] - mean) ** 2 for i in own)
        between += len(own) * mean**2
        mixture += len(own) * _mean([class_mean[labels[i]] for i in own]) ** 2
    ve = within / (n - n_subjects)
    vb = max(0.0, between / n - ve * n_subjects / n)
    left = []
    for column, whose in ((known, owners), (wanted, wanted_owners)):
        kept = []
        for value, subject in zip(column, whose, strict=True):
            own = [other for other, name in zip(column, whose, strict=True) if name == subject]
            everything = kappa * vb + ve / len(own) + mixture / n
            share = kappa * vb / everything if everything > 0 else 0.0
            kept.append(value - share * _mean(own) if len(own) >= min_clips else value)
        left.append(kept)
    return _standardised(*left)


def _standardised(known: Column, wanted: Column) -> tuple[Column, Column]:
    mean = _mean(known)
    deviation = sqrt(_mean([(value - mean) ** 2 for value in known]))
    if deviation <= CONSTANT * max(abs(value) for value in known):
        return [0.0] * len(known), [0.0] * len(wanted)
    return [(v - mean) / deviation for v in known], [(v - mean) / deviation for v in wanted]


def _mean(values: Sequence[float]) -> float:
    return fsum(values) / len(values)

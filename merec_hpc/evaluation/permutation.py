"""Permutation test: selection and evaluation repeated on labels permuted within subjects."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated

import numpy as np
from numpy.typing import ArrayLike

from merec_hpc.config.evaluation import Method
from merec_hpc.config.scaling import ScalingSettings
from merec_hpc.config.selection import AnySettings
from merec_hpc.evaluation.held_out import decider_decisions
from merec_hpc.files.rows import Columns
from merec_hpc.metrics import METRICS
from merec_hpc.records import Features
from merec_hpc.selection.deciders import deciding_rules
from merec_hpc.selection.selectors import select
from merec_hpc.selection.training_folds import fold_fitness


@dataclass(frozen=True)
class PermutedRun:
    """What a method reaches on labels permuted within subjects; permutation 0 are the labels."""

    method: str
    permutation: int
    scores: Annotated[Mapping[str, float], Columns(lambda: list(METRICS))]
    """By the name of the metric."""
    inner_fitness: float
    """Mean over folds: what of it outer accuracy does not keep, selection has made up."""


def permuted(features: Features, permutation: int, seed: int) -> Features:
    """Return the clips with labels permuted within each subject; permutation 0 changes nothing.

    A subject keeps its number of clips of each class, so that neither the classes of a fold nor
    the clips of a subject tell the permuted labels from the real ones.
    """
    if permutation == 0:
        return features
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(permutation,)))
    labels = features.labels.copy()
    for subject in np.unique(features.subjects):
        rows = np.flatnonzero(features.subjects == subject)
        labels[rows] = labels[rng.permutation(rows)]
    return replace(features, labels=labels)


def run_on(
    features: Features,
    method: Method,
    settings: AnySettings,
    scaling: ScalingSettings,
) -> tuple[PermutedRun, list[str]]:
    """Select and predict in every fold, and return the scores and the predicted class names.

    Raises
    ------
    ValueError
        If a fold's training clips cannot be scored.
    """
    predicted = np.full(len(features.labels), -1)
    fitnesses, is_transductive = [], scaling.is_transductive or features.is_transductive
    for fold in dict.fromkeys(str(name) for name in features.held_out_by if name):
        fitness, _ = fold_fitness(features, fold, scaling, settings)
        selection = select(fitness, method.selector, settings)
        fitnesses.append(selection.fitness)
        rules = deciding_rules([selection], method.decider)
        is_transductive |= rules is not None and rules.is_transductive
        held = features.held_out_by == fold
        decisions = decider_decisions(features, fold, [selection], method.decider, scaling)
        predicted[held] = decisions.argmax(axis=1)
    held = predicted >= 0
    labels, found = features.labels[held], predicted[held]
    run = PermutedRun(
        str(replace(method, is_transductive=is_transductive)),
        0,
        {name: metric(labels, found) for name, metric in METRICS.items()},
        float(np.mean(fitnesses)),
    )
    return run, [str(name) for name in features.class_names[found]]


def permutation_p_value(
    real: float, others: ArrayLike, rng: np.random.Generator | None = None
) -> float:
    """Return how often permuted labels do as well as the real ones, in (0, 1].

    The real ones count as one permutation (Phipson, Smyth, 2010, doi:10.2202/1544-6115.1585).
    Equal scores count in full; given a generator, at random in part, and the p-values of data
    without structure are then uniform in spite of ties.
    """
    scores = np.asarray(others, np.float64)
    above, equal = int((scores > real).sum()), int((scores == real).sum())
    if rng is None:
        return (1 + above + equal) / (1 + len(scores))
    return float((above + rng.random() * (1 + equal)) / (1 + len(scores)))


@dataclass(frozen=True)
class PermutationRow:
    """Where a method's real score stands among those of permuted labels."""

    method: str
    metric: str
    n_permutations: int
    real: float
    permuted_mean: float
    permuted_95: float
    """The 95 % quantile of permuted labels."""
    p_value: float
    inner_fitness: float
    optimism: float
    """Inner fitness less the real score."""


def summarise(runs: Sequence[PermutedRun]) -> list[PermutationRow]:
    """Return one row a method and metric; a method without its permutation 0 has none."""
    rows = []
    for method in dict.fromkeys(run.method for run in runs):
        real = next((r for r in runs if r.method == method and r.permutation == 0), None)
        others = [run for run in runs if run.method == method and run.permutation]
        if real is None or not others:
            continue
        for metric in METRICS:
            score = real.scores[metric]
            scores = np.array([run.scores[metric] for run in others], np.float64)
            rows.append(
                PermutationRow(
                    method,
                    metric,
                    len(others),
                    score,
                    float(scores.mean()),
                    float(np.quantile(scores, 0.95)),
                    permutation_p_value(score, scores),
                    real.inner_fitness,
                    real.inner_fitness - score,
                )
            )
    return rows

"""Turns predictions into the rows of the report's tables."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from merec_hpc.config.evaluation import EvaluationSettings
from merec_hpc.errors import MerecError
from merec_hpc.evaluation.predictions import Prediction, read_decisions
from merec_hpc.learning.auc import one_vs_rest_auc
from merec_hpc.learning.averages import Averages, class_averages
from merec_hpc.metrics import METRICS, Interval, confusion, subject_bootstrap


@dataclass(frozen=True)
class Score:
    """A figure of merit with its interval over subjects."""

    value: float
    interval: Interval


@dataclass(frozen=True)
class MethodScores:
    """One row of the table of methods."""

    method: str
    classifier: str
    scores: dict[str, Score]
    """By the name of the metric."""
    macro: Averages
    weighted: Averages
    auc: float | None
    """One class against the rest, mean over classes; None where decisions are not known."""
    confusion: NDArray[np.int64]  # (n_classes, n_classes), labels in rows


@dataclass(frozen=True)
class SubjectRow:
    """One row of the table of subjects."""

    subject: str
    n_clips: int
    accuracies: list[float]  # of each method


def score_columns() -> list[str]:
    """Return the columns of all metrics in a table: each with the ends of its interval."""
    return [f"{name}{ending}" for name in METRICS for ending in ("", "_low", "_high")]


def as_columns(scores: Mapping[str, Score]) -> dict[str, float]:
    """Return what stands in ``score_columns``."""
    return {
        f"{name}{ending}": value
        for name, score in scores.items()
        for ending, value in (
            ("", score.value),
            ("_low", score.interval.low),
            ("_high", score.interval.high),
        )
    }


def class_names(predictions: Sequence[Prediction]) -> list[str]:
    """Return the classes of the labels and predictions, sorted."""
    return sorted({row.label for row in predictions} | {row.predicted for row in predictions})


def by_method(predictions: Sequence[Prediction]) -> dict[tuple[str, str], list[Prediction]]:
    """Group predictions by method and classifier, in order of appearance."""
    groups: dict[tuple[str, str], list[Prediction]] = {}
    for row in predictions:
        groups.setdefault((row.method, row.classifier), []).append(row)
    return groups


def score_methods(
    predictions: Sequence[Prediction], settings: EvaluationSettings
) -> list[MethodScores]:
    """Score each method on its predictions, pooled over folds."""
    classes = class_names(predictions)
    rows = []
    for (method, classifier), group in by_method(predictions).items():
        labels = np.array([row.label for row in group])
        predicted = np.array([row.predicted for row in group])
        subjects = np.array([row.subject for row in group])
        scores = {
            name: Score(
                metric(labels, predicted),
                subject_bootstrap(
                    metric, labels, predicted, subjects, settings.n_bootstraps, settings.seed
                ),
            )
            for name, metric in METRICS.items()
        }
        rows.append(
            MethodScores(
                method,
                classifier,
                scores,
                class_averages(labels, predicted, "macro"),
                class_averages(labels, predicted, "weighted"),
                _auc(group),
                confusion(labels, predicted, classes),
            )
        )
    return rows


def score_subjects(predictions: Sequence[Prediction]) -> list[SubjectRow]:
    """Return the accuracy of each method on each subject, in order of appearance."""
    groups = by_method(predictions)
    subjects = list(dict.fromkeys(row.subject for row in predictions))
    rows = []
    for subject in subjects:
        own = [[row for row in group if row.subject == subject] for group in groups.values()]
        hits = [float(np.mean([row.label == row.predicted for row in rows])) for rows in own]
        rows.append(SubjectRow(subject, len(own[0]), hits))
    return rows


def _auc(rows: Sequence[Prediction]) -> float | None:
    read = read_decisions(rows)
    labels = [row.label for row in rows]
    if read is None or len(set(labels)) < 2:
        return None
    decisions, classes = read
    unknown = sorted(set(labels) - set(classes))
    if unknown:
        msg = (
            f"decisions of {rows[0].method} for each class expected, found {', '.join(classes)} "
            f"and the label '{unknown[0]}'"
        )
        raise MerecError(msg)
    return one_vs_rest_auc(labels, decisions, classes)

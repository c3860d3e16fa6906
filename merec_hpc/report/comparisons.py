"""Turns predictions into the rows that compare methods, and masks into how alike they are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from merec_hpc.config.evaluation import EvaluationSettings
from merec_hpc.errors import MerecError
from merec_hpc.evaluation.comparison import compare_methods
from merec_hpc.evaluation.predictions import Prediction
from merec_hpc.evaluation.stability import kuncheva_index, mean_jaccard, nogueira_stability
from merec_hpc.metrics import METRICS
from merec_hpc.records import Selection
from merec_hpc.report.scores import by_method


@dataclass(frozen=True)
class ComparisonRow:
    """One method against the reference, over the same clips."""

    metric: str
    method: str
    reference: str
    difference: float
    low: float
    high: float
    p_value: float
    corrected_p_value: float


@dataclass(frozen=True)
class StabilityRow:
    """How alike a selector's masks of all folds are."""

    selector: str
    fewest: int
    most: int
    jaccard: float
    kuncheva: float
    """NaN if the masks are of different sizes."""
    nogueira: float


def compare_with(
    rows: Sequence[Prediction], reference: str | None, settings: EvaluationSettings
) -> list[ComparisonRow]:
    """Return the differences of all methods to the reference, in every metric.

    Without a reference, to the first method.

    Raises
    ------
    MerecError
        If there is no such method, or methods predicted other clips.
    """
    groups = {
        name if classifier == "linear_svm" else f"{name} ({classifier})": group
        for (name, classifier), group in by_method(rows).items()
    }
    known = reference or next(iter(groups))
    if known not in groups:
        msg = f"a method of {', '.join(groups)} expected, found '{known}'"
        raise MerecError(msg)
    clips = [row.clip for row in groups[known]]
    predicted = {}
    for name, group in groups.items():
        found = {row.clip: row.predicted for row in group}
        if set(found) != set(clips):
            msg = f"{name}: predictions of the {len(clips)} clips of {known} expected, found others"
            raise MerecError(msg)
        predicted[name] = np.array([found[clip] for clip in clips])
    labels = np.array([row.label for row in groups[known]])
    subjects = np.array([row.subject for row in groups[known]])
    if len(groups) == 1:
        return []
    return [
        ComparisonRow(
            metric.name,
            row.method,
            row.other,
            row.difference,
            row.interval.low,
            row.interval.high,
            row.p_value,
            row.corrected_p_value,
        )
        for metric in METRICS.values()
        for row in compare_methods(
            labels, subjects, predicted, metric, settings.n_bootstraps, settings.seed, known
        )
    ]


def describe_stability(selections: Mapping[str, Mapping[str, Selection]]) -> list[StabilityRow]:
    """Return one row for each selector that leaves features out, from its masks by fold."""
    rows = []
    for selector, folds in selections.items():
        masks = np.stack([selection.mask for selection in folds.values()])
        if len(masks) < 2 or masks.all() or not masks.any():
            continue
        sizes = masks.sum(axis=1)
        is_even = bool((sizes == sizes[0]).all())
        rows.append(
            StabilityRow(
                selector,
                int(sizes.min()),
                int(sizes.max()),
                mean_jaccard(masks),
                kuncheva_index(masks) if is_even else float("nan"),
                nogueira_stability(masks).value,
            )
        )
    return rows

"""Turns predictions and selections into one self-contained HTML page."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from importlib.resources import files

import numpy as np
from jinja2 import Environment

from merec_hpc import __version__
from merec_hpc.config.evaluation import EvaluationSettings, Method
from merec_hpc.config.selection import bias_text
from merec_hpc.evaluation.permutation import PermutationRow
from merec_hpc.evaluation.predictions import Prediction
from merec_hpc.metrics import METRICS, majority_share
from merec_hpc.records import Failure, Selection
from merec_hpc.report.block_table import BlockRow
from merec_hpc.report.comparisons import compare_with, describe_stability
from merec_hpc.report.figures import (
    confusion_figure,
    convergence_figure,
    front_figure,
    weights_figure,
)
from merec_hpc.report.scores import by_method, class_names, score_methods, score_subjects
from merec_hpc.runs.resources import RuleResources


def render_page(
    experiment: str,
    predictions: Sequence[Prediction],
    selections: Mapping[str, Mapping[str, Selection]],
    failures: Sequence[Failure],
    config: str,
    settings: EvaluationSettings,
    resources: Sequence[RuleResources] = (),
    permutations: Sequence[PermutationRow] = (),
    notes: Sequence[str] = (),
    blocks: Sequence[BlockRow] = (),
) -> str:
    """Return the report of an experiment.

    Parameters
    ----------
    selections
        Of each method, by fold.
    config
        The whole configuration, as JSON.
    resources
        What the jobs used.
    permutations
        Where real scores stand among those of permuted labels.
    notes
        What the methods that are compared do not have in common.
    blocks
        What each of several blocks of features is worth alone.
    """
    methods = score_methods(predictions, settings)
    one_method = next(iter(by_method(predictions).values()))
    labels = [row.label for row in one_method]
    classes = class_names(predictions)
    environment = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    template = environment.from_string(
        files("merec_hpc.report").joinpath("page.html").read_text(encoding="utf-8")
    )
    return template.render(
        experiment=experiment,
        n_clips=len(labels),
        n_subjects=len({row.subject for row in one_method}),
        classes=classes,
        class_sizes=[labels.count(name) for name in classes],
        failures=failures,
        metrics=list(METRICS.values()),
        methods=methods,
        selector_of={row.method: Method.parse(row.method).selector for row in methods},
        is_transductive=any(
            Method.parse(name).is_transductive
            for name in [row.method for row in methods] + [row.method for row in permutations]
        ),
        notes=notes,
        blocks=blocks,
        majority=majority_share(labels),
        n_selected={
            method: f"{np.mean([found.mask.sum() for found in folds.values()]):.0f}"
            for method, folds in selections.items()
        },
        inner_fitness={
            method: f"{np.mean([found.fitness for found in folds.values()]):.3f}"
            for method, folds in selections.items()
        },
        biases=_chosen_biases(selections),
        confusions={row.method: confusion_figure(row.confusion, classes) for row in methods},
        subjects=score_subjects(predictions),
        comparisons=compare_with(predictions, None, settings),
        permutations=permutations,
        stability=describe_stability(selections),
        convergence={
            method: convergence_figure(folds)
            for method, folds in selections.items()
            if any(len(found.history.best_fitness) > 1 for found in folds.values())
        },
        weights={
            method: weights_figure(folds)
            for method, folds in selections.items()
            if any(found.weights is not None for found in folds.values())
        },
        fronts={
            method: front_figure(folds)
            for method, folds in selections.items()
            if any(found.front is not None for found in folds.values())
        },
        settings=json.dumps(json.loads(config), indent=2),
        resources=resources,
        version=__version__,
        n_features=len(next(iter(next(iter(selections.values())).values())).mask),
    )


def _chosen_biases(selections: Mapping[str, Mapping[str, Selection]]) -> dict[str, str]:
    """Return how often each bias was chosen, by selector; nothing if no SVM has one."""
    counts = {
        selector: Counter(found.bias for found in folds.values())
        for selector, folds in selections.items()
    }
    if not any(any(count) for count in counts.values()):
        return {}
    return {
        selector: ", ".join(f"{bias_text(bias)} ({count[bias]})" for bias in sorted(count))
        for selector, count in counts.items()
    }

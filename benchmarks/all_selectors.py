"""Every selector, nested, on the same folds: what each predicts of subjects that it never saw.

    MEREC_DATA=folder python benchmarks/all_selectors.py lsvt nci60
    python benchmarks/all_selectors.py results/demo/features/mobilenet_v2.h5

LSVT and NCI60 are read, and NCI60's folds dealt, as in ``nested.py``; any other argument is a
feature store of a run. Each subject is left out, and within the others again one at a time, or of
more than 16 subjects one of 5 groups of them.

Standardisation, rankings, selection and C are learnt from the training subjects of the outer fold.
Searches are shortened; the heading of each table has the settings. "features" are those that a
decision takes, of a vote or an ensemble those of any of its masks, and the stability (Nogueira's,
over outer folds) is of the same; "fitness" is the mean over outer folds of mean minus variance of
accuracies of inner folds (of stable_sfs mean minus deviation, of local_greedy the minimum), of a
vote or an ensemble that of its joint decisions; statistics are learnt anew without each inner fold,
but for searches that are called leaky. "CPU s" is the time of all outer folds on one core, the search included.

``--bias none 0.03 0.3`` lets every selector choose the SVM's bias beside C; rules have their own.
``--slow`` adds mutual information, 20 s a ranking of 9216 features, and the leaky searches. Backward
search is run on at most 1000 features. ``--methods`` names others: ``genetic/cell`` chooses cells
(``unit: cell``), ``genetic/cell/weights`` weighs them.
"""

import argparse
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import nested
import numpy as np
from numpy.typing import NDArray

from merec_hpc.config.evaluation import DECIDERS, Decider, EvaluationSettings, Method
from merec_hpc.config.scaling import STANDARD
from merec_hpc.config.selection import (
    AnySettings,
    Criterion,
    ForwardSettings,
    GeneticSettings,
    RuleSettings,
)
from merec_hpc.evaluation.comparison import holm
from merec_hpc.evaluation.held_out import decider_decisions
from merec_hpc.evaluation.predictions import Prediction
from merec_hpc.evaluation.stability import nogueira_stability
from merec_hpc.parallel.threads import limit_library_threads
from merec_hpc.records import Features, Population
from merec_hpc.report.comparisons import ComparisonRow, compare_with
from merec_hpc.report.scores import MethodScores, score_methods
from merec_hpc.selection.deciders import deciding, deciding_rules
from merec_hpc.selection.fitness.inner_fitness import InnerFitness
from merec_hpc.selection.fitness.subject_folds import SubjectFoldFitness, compile_kernels
from merec_hpc.selection.forward import search_forward
from merec_hpc.selection.rule.selecting import VARIANTS
from merec_hpc.selection.selectors import LEAKY, SELECTORS, select
from merec_hpc.selection.training_folds import fold_fitness
from merec_hpc.store.features import read_features

CRITERION: Criterion = "mu_minus_variance"
MOST_SUBJECTS = 16  # that are left out one at a time within
N_INNER_FOLDS = 5  # of more
MOST_BACKWARD = 1000  # features
FILTERS = ("fisher", "gini", "t_test", "lda_weight", "anova_f", "mrmr", "relieff")
RANKED = tuple(f"ranked_forward_{name}" for name in ("fisher", "gini", "t_test", "lda_weight"))
FORWARD = ("forward", "stable_sfs", "local_greedy", *RANKED)
DECIDED: dict[str, tuple[Decider, ...]] = {
    "all_features": ("champion", "ensemble"),
    "random_masks": ("champion", "ensemble"),
    "genetic": DECIDERS,
    **dict.fromkeys(VARIANTS, ("champion", "ensemble")),
}
SHORT: dict[str, dict[str, object]] = {
    "ranking": {"n_selected_values": (10, 30, 100, 300, 1000)},
    "forward": {"n_steps": 20},
    "genetic": {"n_islands": 1, "n_individuals": 50, "n_generations": 20},
    "random_masks": {"n_masks": 100},
    "ant_colony": {"n_ants": 20, "n_iterations": 3},
}
"""What differs from the defaults, by section."""
EVALUATION = EvaluationSettings()


@dataclass(frozen=True)
class Table:
    """Clips, and the outer fold that holds each of them out."""

    name: str
    features: Features  # with the folds
    n_inner_folds: int | None  # None leaves one subject out at a time


@dataclass(frozen=True)
class Outcome:
    """What a method makes of an outer fold."""

    predicted: NDArray[np.int64]  # of the held-out clips
    used: NDArray[np.bool_]  # (n_features,)
    fitness: float
    seconds: float


def settings_of(method: str, table: Table, bias: Sequence[str | float]) -> AnySettings:
    """Return the settings of a selector: its defaults, shortened."""
    name, *genes = method.split("/")
    selector = SELECTORS[name]
    changes = dict(SHORT.get(selector.section, {}))
    changes |= dict(zip(("unit", "genome"), genes, strict=False))
    if name == "backward":  # until one feature is left
        changes["n_steps"] = MOST_BACKWARD
    if selector.settings is not RuleSettings:
        changes |= {"bias": bias, "n_inner_folds": table.n_inner_folds}
    return selector.settings(**changes)  # type: ignore[arg-type]


def outcomes_of(
    table: Table, fold: str, method: str, bias: Sequence[str | float], deciders: Sequence[Decider]
) -> list[Outcome]:
    """Search once, and let each decider predict."""
    name, *genes = method.split("/")
    settings = settings_of(method, table, bias)
    start = time.process_time()
    fitness, _ = fold_fitness(table.features, fold, STANDARD, settings)
    selection = select(fitness, name, settings)
    spent = time.process_time() - start
    found = []
    for decider in deciders:
        start = time.process_time()
        decisions = decider_decisions(table.features, fold, [selection], decider, STANDARD)
        seconds = spent + time.process_time() - start
        used, own = selection.mask, float(selection.fitness)
        if deciding_rules([selection], decider) is not None:
            used, own = np.ones_like(selection.mask), np.nan
        elif decider != "champion":
            individuals = deciding([selection], decider)
            used = individuals.masks.any(axis=0)
            own = np.nan if genes else _joint_fitness(fitness, individuals, decider)
        found.append(Outcome(decisions.argmax(axis=1), used, own, seconds))
    return found


def _joint_fitness(fitness: InnerFitness, individuals: Population, decider: Decider) -> float:
    """Return the fitness of what individuals decide together on the inner folds."""
    (alone,) = fitness.groupings
    values = alone.decisions(individuals.masks, individuals.C, individuals.bias)
    if decider == "hall_of_fame":
        values = np.eye(values.shape[2])[values.argmax(axis=2)]
    predicted = values.mean(axis=0).argmax(axis=1)[alone.folds.order]
    return float(alone.judge(predicted[None], CRITERION)[0])


def names_of(n_features: int, is_slow: bool) -> list[str]:
    """Return the selectors that are compared."""
    filters = (*FILTERS, "mutual_information") if is_slow else FILTERS
    steps = (*FORWARD, "backward") if n_features <= MOST_BACKWARD else FORWARD
    leaky = [f"{LEAKY}{name}" for name in (*RANKED, "ant_colony")] if is_slow else []
    searches = (*steps, "ant_colony", *leaky)
    return ["all_features", "random_masks", *filters, *searches, *VARIANTS, "genetic"]


def read(data: str) -> Table:
    """Return the data of an argument."""
    if data in {"lsvt", "nci60"}:
        table = nested.lsvt() if data == "lsvt" else nested.nci60()
        n_clips, n_features = table.features.shape
        features = Features(
            table.features,
            table.labels,
            np.char.mod("%d", table.subjects),
            np.char.mod("%d", np.arange(n_clips)),
            np.char.mod("%d", np.arange(n_features)),
            np.char.mod("%d", np.arange(table.labels.max() + 1)),
            np.char.mod("%d", table.outer_folds),
        )
        return Table(table.name, features, table.n_inner_folds)
    if not Path(data).is_file():
        sys.exit(f"lsvt, nci60 or the path of a feature store expected, found '{data}'")
    features = read_features(Path(data))
    n_subjects = len(np.unique(features.subjects))
    n_inner_folds = N_INNER_FOLDS if n_subjects > MOST_SUBJECTS else None
    return Table(data, replace(features, folds=features.subjects), n_inner_folds)


def evaluate(
    table: Table, names: Sequence[str], bias: Sequence[str | float]
) -> dict[str, list[Outcome]]:
    """Return the outcome of each outer fold, by method."""
    outcomes: dict[str, list[Outcome]] = {}
    folds = np.unique(table.features.held_out_by).tolist()
    for number, fold in enumerate(folds):
        start, spent = time.perf_counter(), []
        for name in names:
            deciders = DECIDED.get(name.split("/")[0], ("champion",))
            found = outcomes_of(table, fold, name, bias, deciders)
            spent.append(f"{name} {found[0].seconds:.1f}")
            for decider, outcome in zip(deciders, found, strict=True):
                outcomes.setdefault(str(Method(name, decider)), []).append(outcome)
        print(
            f"{table.name} {number + 1}/{len(folds)}: {time.perf_counter() - start:.1f} s, of which "
            + ", ".join(spent),
            file=sys.stderr,
            flush=True,
        )
    return outcomes


def predictions(table: Table, outcomes: Mapping[str, Sequence[Outcome]]) -> list[Prediction]:
    """Return what each method predicts of each clip."""
    features, rows = table.features, []
    names = np.unique(features.held_out_by)
    for method, folds in outcomes.items():
        for fold, outcome in zip(names, folds, strict=True):
            clips = np.flatnonzero(features.held_out_by == fold)
            for clip, predicted in zip(clips, outcome.predicted, strict=True):
                rows.append(
                    Prediction(
                        method,
                        "linear_svm",
                        0,
                        str(fold),
                        str(features.subjects[clip]),
                        str(features.clips[clip]),
                        str(features.class_names[features.labels[clip]]),
                        str(features.class_names[predicted]),
                    )
                )
    return rows


def compare_ensemble(rows: Sequence[Prediction]) -> list[ComparisonRow]:
    """Return the evolved ensemble less its champion, and less the ensemble of random masks."""
    method = "genetic+ensemble"
    compared: list[ComparisonRow] = []
    for reference in ("genetic", "random_masks+ensemble"):
        if all(row.method != reference for row in rows):
            continue
        pair = [row for row in rows if row.method in {method, reference}]
        compared += compare_with(pair, reference, EVALUATION)
    corrected = []
    for metric in ("accuracy", "UAR"):
        own = [row for row in compared if row.metric == metric]
        for row, p_value in zip(own, holm([row.p_value for row in own]), strict=True):
            corrected.append(replace(row, corrected_p_value=p_value))
    return corrected


def heading(table: Table, bias: Sequence[str | float]) -> str:
    """Return what the table is of, and the settings."""
    features = table.features
    n_subjects, n_classes = len(np.unique(features.subjects)), len(np.unique(features.labels))
    inner = "leave one subject out"
    if table.n_inner_folds is not None:
        inner = f"{table.n_inner_folds} folds of subjects"
    told = {
        name: " ".join(f"{key} {value}" for key, value in own.items())
        for name, own in SHORT.items()
    }
    penalties = ", ".join(f"{C:g}" for C in GeneticSettings().C_values)
    return (
        f"{table.name}: {len(features.labels)} clips of {n_subjects} subjects, {n_classes} "
        f"classes, {len(features.names)} features, {len(np.unique(features.held_out_by))} outer "
        f"folds; within: {inner}, {CRITERION}, C of {penalties}, bias {', '.join(map(str, bias))}. "
        + "; ".join(f"{name}: {text}" for name, text in told.items())
        + "."
    )


def row(scores: MethodScores, outcomes: Sequence[Outcome]) -> str:
    """Return one row of the table of methods."""
    figures = " | ".join(
        f"{score.value:.3f} ({score.interval.low:.3f}..{score.interval.high:.3f})"
        for score in scores.scores.values()
    )
    masks = np.stack([outcome.used for outcome in outcomes])
    stability = "-" if masks.all() else f"{nogueira_stability(masks).value:.2f}"
    fitness = np.mean([outcome.fitness for outcome in outcomes])
    told = "-" if np.isnan(fitness) else f"{fitness:.3f}"
    seconds = sum(outcome.seconds for outcome in outcomes)
    return (
        f"| {scores.method} | {figures} | {masks.sum(axis=1).mean():.0f} | {told} "
        f"| {stability} | {seconds:.1f} |"
    )


def difference(row: ComparisonRow) -> str:
    """Return one row of the table of differences."""
    return (
        f"| {row.metric} | {row.method} | {row.reference} | {row.difference:+.3f} "
        f"({row.low:+.3f}..{row.high:+.3f}) | {row.p_value:.4f} | {row.corrected_p_value:.4f} |"
    )


def show(
    table: Table, outcomes: Mapping[str, Sequence[Outcome]], bias: Sequence[str | float]
) -> None:
    """Print the table of methods and that of differences."""
    rows = predictions(table, outcomes)
    print(
        f"{heading(table, bias)}\n\n"
        "| method | accuracy (95 %) | UF1 (95 %) | UAR (95 %) | features | fitness | stability "
        "| CPU s |\n|---|---|---|---|---|---|---|---|"
    )
    for scores in score_methods(rows, EVALUATION):
        print(row(scores, outcomes[scores.method]))
    compared = compare_with(rows, "all_features", EVALUATION)
    shown = [row for row in compared if row.metric != "UF1"]
    print(
        "\n| metric | method | less | difference (95 %) | p | p, Holm |\n|---|---|---|---|---|---|"
    )
    pairs = compare_ensemble(rows) if "genetic" in outcomes else []
    for line in [*shown, *pairs]:
        print(difference(line))
    print(flush=True)


def compile_all() -> None:
    """Compile what the searches call, so that no search is charged for it."""
    for part in range(2):
        compile_kernels(part)
    values = np.random.default_rng(0).normal(size=(12, 8))
    for n_classes in (2, 3):
        toy = SubjectFoldFitness(values, np.arange(12) % n_classes, np.arange(12) // n_classes)
        search_forward(toy, "forward", ForwardSettings(n_steps=2))


def main() -> None:
    """Print the tables of all data."""
    parser = argparse.ArgumentParser(description="Compare all selectors on held-out subjects.")
    parser.add_argument("data", nargs="+", help="lsvt, nci60, or the path of a feature store")
    parser.add_argument(
        "--slow", action="store_true", help="also mutual information, and leaky searches"
    )
    parser.add_argument("--bias", nargs="+", default=["none"], help="values of svm.bias")
    parser.add_argument("--methods", nargs="+", help="selectors, all by default; NAME/UNIT/GENOME")
    arguments = parser.parse_args()
    bias = [value if value == "none" else float(value) for value in arguments.bias]
    limit_library_threads()
    compile_all()
    for data in arguments.data:
        start = time.perf_counter()
        table = read(data)
        names = arguments.methods or names_of(len(table.features.names), arguments.slow)
        show(table, evaluate(table, names, bias), bias)
        print(f"wall time: {time.perf_counter() - start:.0f} s\n", flush=True)


if __name__ == "__main__":
    main()

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
vote or an ensemble that of its joint decisions; the rankings' fitness is of rankings that leave the
inner fold out. "CPU s" is the time of all outer folds on one core, the search included.

``--slow`` adds mutual information, 20 s a ranking of 9216 features. Backward search is run on
at most 1000 features.
"""

import argparse
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import nested
import numpy as np
from numpy.typing import NDArray

from merec_hpc.config.evaluation import DECIDERS, Decider, EvaluationSettings
from merec_hpc.config.selection import (
    AllFeaturesSettings,
    AntColonySettings,
    Criterion,
    ForwardSettings,
    GeneticSettings,
    RandomMasksSettings,
    RankingSettings,
)
from merec_hpc.evaluation.comparison import holm
from merec_hpc.evaluation.predictions import Prediction
from merec_hpc.evaluation.stability import nogueira_stability
from merec_hpc.learning.scaling import Scaling
from merec_hpc.parallel.communicator import SerialCommunicator
from merec_hpc.parallel.threads import limit_library_threads
from merec_hpc.records import Features, Population, Selection
from merec_hpc.report.comparisons import ComparisonRow, compare_with
from merec_hpc.report.scores import MethodScores, score_methods
from merec_hpc.selection.all_features import select_all_features
from merec_hpc.selection.ant_colony import Heuristics, search_with_ants
from merec_hpc.selection.deciders import decide, deciding, trained
from merec_hpc.selection.filters import select_by_rank
from merec_hpc.selection.fitness.subject_folds import SubjectFoldFitness, compile_kernels
from merec_hpc.selection.forward import search_forward
from merec_hpc.selection.genetic.archipelago import evolve
from merec_hpc.selection.random_masks import select_random_masks
from merec_hpc.selection.ranking import RANKINGS
from merec_hpc.store.features import read_features

Search = Callable[[SubjectFoldFitness], Selection]

CRITERION: Criterion = "mu_minus_variance"
MOST_SUBJECTS = 16  # that are left out one at a time within
N_INNER_FOLDS = 5  # of more
MOST_BACKWARD = 1000  # features
FILTERS = ("fisher", "gini", "t_test", "lda_weight", "anova_f", "mrmr", "relieff")
FORWARD = (
    "forward",
    "stable_sfs",
    "local_greedy",
    *(f"ranked_forward_{name}" for name in ("fisher", "gini", "t_test", "lda_weight")),
)
DECIDED: dict[str, tuple[Decider, ...]] = {
    "random_masks": ("champion", "ensemble"),
    "genetic": DECIDERS,
}
RANKING = RankingSettings(n_selected_values=(10, 30, 100, 300, 1000))
STEPS = ForwardSettings(n_steps=20)
GENETIC = GeneticSettings(n_islands=1, n_individuals=50, n_generations=20)
RANDOM_MASKS = RandomMasksSettings(n_masks=100)
ANTS = AntColonySettings(n_ants=20, n_iterations=3)
EVALUATION = EvaluationSettings()


@dataclass(frozen=True)
class Table:
    """Clips, and the outer fold that holds each of them out."""

    name: str
    features: Features
    outer_folds: NDArray[np.int64]
    n_inner_folds: int | None  # None leaves one subject out at a time


@dataclass(frozen=True)
class Outcome:
    """What a method makes of an outer fold."""

    predicted: NDArray[np.int64]  # of the held-out clips
    used: NDArray[np.bool_]  # (n_features,)
    fitness: float
    seconds: float


class OuterFold:
    """Training and held-out clips, standardised by the former."""

    def __init__(self, table: Table, number: int) -> None:
        features = table.features
        is_held_out = table.outer_folds == number
        training = features.values[~is_held_out]
        scaling = Scaling.fit(training, "standard")
        self.held_out = scaling.apply(features.values[is_held_out])
        self.fitness = SubjectFoldFitness(
            scaling.apply(training),
            features.labels[~is_held_out],
            features.subjects[~is_held_out],
            n_folds=table.n_inner_folds,
        )

    def outcomes(self, search: Search, deciders: Sequence[Decider]) -> list[Outcome]:
        """Search once, and let each decider predict."""
        start = time.process_time()
        selection = search(self.fitness)
        spent = time.process_time() - start
        return [self._outcome(selection, decider, spent) for decider in deciders]

    def _outcome(self, selection: Selection, decider: Decider, spent: float) -> Outcome:
        start = time.process_time()
        individuals = deciding([selection], decider)
        machines = trained(self.fitness, individuals, decider)
        best = decide(machines, self.held_out).argmax(axis=1)
        spent += time.process_time() - start
        fitness = selection.fitness
        if decider != "champion":
            fitness = self._joint_fitness(individuals, decider)
        predicted = self.fitness.classes[best].astype(np.int64)
        return Outcome(predicted, individuals.masks.any(axis=0), fitness, spent)

    def _joint_fitness(self, individuals: Population, decider: Decider) -> float:
        """Return the fitness of what individuals decide together on the inner folds."""
        values = self.fitness.decisions(individuals.masks, individuals.C)
        if decider == "hall_of_fame":
            values = np.eye(values.shape[2])[values.argmax(axis=2)]
        predicted = values.mean(axis=0).argmax(axis=1)[self.fitness.folds.order]
        return float(self.fitness.judge(predicted[None], CRITERION)[0])


def searches(n_features: int, is_slow: bool) -> dict[str, Search]:
    """Return all searches by their name."""
    filters = (*FILTERS, "mutual_information") if is_slow else FILTERS
    steps = (*FORWARD, "backward") if n_features <= MOST_BACKWARD else FORWARD
    return {
        "all_features": lambda fitness: select_all_features(fitness, AllFeaturesSettings()),
        "random_masks": lambda fitness: select_random_masks(fitness, RANDOM_MASKS),
        **{name: by_rank(name) for name in filters},
        **{name: by_steps(name) for name in steps},
        "ant_colony": by_ants,
        "genetic": by_genes,
    }


def by_rank(name: str) -> Search:
    """Keep the first of a ranking."""
    return lambda fitness: select_by_rank(fitness, RANKING, RANKINGS[name])


def by_steps(name: str) -> Search:
    """Add or remove one feature at a time: removing, until one is left."""
    steps = STEPS if name != "backward" else ForwardSettings(n_steps=MOST_BACKWARD)
    return lambda fitness: search_forward(fitness, name, steps)


def by_ants(fitness: SubjectFoldFitness) -> Selection:
    """Search with ants, led by the Fisher score."""
    return search_with_ants(fitness, Heuristics.learn(fitness, "fisher"), ANTS)


def by_genes(fitness: SubjectFoldFitness) -> Selection:
    """Search by the genetic algorithm."""
    return evolve(fitness, GENETIC, SerialCommunicator(), shows_progress=False)


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
        )
        return Table(table.name, features, table.outer_folds, table.n_inner_folds)
    if not Path(data).is_file():
        sys.exit(f"lsvt, nci60 or the path of a feature store expected, found '{data}'")
    features = read_features(Path(data))
    subjects, outer_folds = np.unique(features.subjects, return_inverse=True)
    n_inner_folds = N_INNER_FOLDS if len(subjects) > MOST_SUBJECTS else None
    return Table(data, features, outer_folds, n_inner_folds)


def evaluate(table: Table, is_slow: bool) -> dict[str, list[Outcome]]:
    """Return the outcome of each outer fold, by method."""
    outcomes: dict[str, list[Outcome]] = {}
    n_folds = int(table.outer_folds.max()) + 1
    for number in range(n_folds):
        fold = OuterFold(table, number)
        start, spent = time.perf_counter(), []
        for name, search in searches(len(table.features.names), is_slow).items():
            deciders = DECIDED.get(name, ("champion",))
            found = fold.outcomes(search, deciders)
            spent.append(f"{name} {found[0].seconds:.1f}")
            for decider, outcome in zip(deciders, found, strict=True):
                method = name if decider == "champion" else f"{name}+{decider}"
                outcomes.setdefault(method, []).append(outcome)
        print(
            f"{table.name} {number + 1}/{n_folds}: {time.perf_counter() - start:.1f} s, of which "
            + ", ".join(spent),
            file=sys.stderr,
            flush=True,
        )
    return outcomes


def predictions(table: Table, outcomes: Mapping[str, Sequence[Outcome]]) -> list[Prediction]:
    """Return what each method predicts of each clip."""
    features, rows = table.features, []
    for method, folds in outcomes.items():
        for number, outcome in enumerate(folds):
            clips = np.flatnonzero(table.outer_folds == number)
            for clip, predicted in zip(clips, outcome.predicted, strict=True):
                rows.append(
                    Prediction(
                        method,
                        "linear_svm",
                        0,
                        str(number),
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
        pair = [row for row in rows if row.method in {method, reference}]
        compared += compare_with(pair, reference, EVALUATION)
    corrected = []
    for metric in ("accuracy", "UAR"):
        own = [row for row in compared if row.metric == metric]
        for row, p_value in zip(own, holm([row.p_value for row in own]), strict=True):
            corrected.append(replace(row, corrected_p_value=p_value))
    return corrected


def heading(table: Table) -> str:
    """Return what the table is of, and the settings."""
    features = table.features
    n_subjects, n_classes = len(np.unique(features.subjects)), len(np.unique(features.labels))
    inner = "leave one subject out"
    if table.n_inner_folds is not None:
        inner = f"{table.n_inner_folds} folds of subjects"
    counts = ", ".join(map(str, RANKING.n_selected_values))
    penalties = ", ".join(f"{C:g}" for C in GENETIC.C_values)
    return (
        f"{table.name}: {len(features.labels)} clips of {n_subjects} subjects, {n_classes} "
        f"classes, {len(features.names)} features, {table.outer_folds.max() + 1} outer folds; "
        f"within: {inner}, {CRITERION}, C of {penalties}. genetic: {GENETIC.n_individuals} "
        f"individuals, {GENETIC.n_generations} generations, one island; random_masks: "
        f"{RANDOM_MASKS.n_masks}; rankings: the first {counts}; forward searches: "
        f"{STEPS.n_steps} steps; ant_colony: {ANTS.n_ants} ants, {ANTS.n_iterations} iterations."
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
    seconds = sum(outcome.seconds for outcome in outcomes)
    return (
        f"| {scores.method} | {figures} | {masks.sum(axis=1).mean():.0f} | {fitness:.3f} "
        f"| {stability} | {seconds:.1f} |"
    )


def difference(row: ComparisonRow) -> str:
    """Return one row of the table of differences."""
    return (
        f"| {row.metric} | {row.method} | {row.reference} | {row.difference:+.3f} "
        f"({row.low:+.3f}..{row.high:+.3f}) | {row.p_value:.4f} | {row.corrected_p_value:.4f} |"
    )


def show(table: Table, outcomes: Mapping[str, Sequence[Outcome]]) -> None:
    """Print the table of methods and that of differences."""
    rows = predictions(table, outcomes)
    print(
        f"{heading(table)}\n\n"
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
    for line in [*shown, *compare_ensemble(rows)]:
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
    parser.add_argument("--slow", action="store_true", help="also rank by mutual information")
    arguments = parser.parse_args()
    limit_library_threads()
    compile_all()
    for data in arguments.data:
        start = time.perf_counter()
        table = read(data)
        show(table, evaluate(table, arguments.slow))
        print(f"wall time: {time.perf_counter() - start:.0f} s\n", flush=True)


if __name__ == "__main__":
    main()

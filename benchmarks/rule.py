"""The rule on subjects that it never saw, beside all features: nested, on the same folds.

    MEREC_DATA=folder python benchmarks/rule.py lsvt
    python benchmarks/rule.py results/motion/features/flow.h5

LSVT is read as in ``nested.py``; any other argument is a feature store of a run. Each subject is
left out; inner folds are 6 groups of the others, without which everything is learnt anew.

"all features" has no intercept and chooses C by inner pooled UF1; "all features+ensemble" is the
mean decision of the best quarter of (b, C). Rows of rules are of the grid unless they say "evolved"
or "random"; "+ensemble" is the best eighth of the grid, or the best quarter of all that were tried,
by class-balanced log loss. All but those with kappa = 0 read the held-out subject's unlabelled
clips. Intervals are of 95 %, over resampled subjects; "less" are differences in UF1.
"inductive" is the share of deciding rules with kappa = 0. "s" is the time of all
outer folds on one core; ablations share the time of the whole grid.
"""

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import nested
import numpy as np
from numpy.typing import NDArray

from merec_hpc.config.selection import RuleSettings
from merec_hpc.learning.linear_svm import train_svm
from merec_hpc.learning.scaling import Scaling
from merec_hpc.metrics import (
    accuracy,
    resample_subjects,
    subject_bootstrap,
    subject_confusions,
    unweighted_f1,
)
from merec_hpc.parallel.threads import limit_library_threads
from merec_hpc.selection.fitness.subject_folds import SubjectFoldFitness
from merec_hpc.selection.rule.deciding import EIGHTH, QUARTER
from merec_hpc.selection.rule.family import ALL_FEATURES, KAPPA, B, Family, P
from merec_hpc.selection.rule.inner import N_FOLDS
from merec_hpc.selection.rule.learning import fit_rules, learn_rules
from merec_hpc.selection.rule.rules import Rules
from merec_hpc.selection.rule.selecting import family_of
from merec_hpc.store.features import read_features

N_BOOTSTRAPS = 2000
SEED = 0
GRID = family_of("rule", RuleSettings())


@dataclass(frozen=True)
class Table:
    """Clips with their classes and subjects."""

    name: str
    values: NDArray[np.float64]
    labels: NDArray[np.int64]
    subjects: NDArray[np.int64]


@dataclass(frozen=True)
class Outcome:
    """What a method makes of one held-out subject."""

    decisions: NDArray[np.float64]  # of columns as the sorted classes
    classes: NDArray[np.int64]
    rules: Rules | None
    seconds: float


@dataclass(frozen=True)
class Fold:
    """Training clips and those of one subject."""

    values: NDArray[np.float64]
    labels: NDArray[np.int64]
    subjects: NDArray[np.int64]
    held_out: NDArray[np.float64]


Method = Callable[[Fold], list[Outcome]]


def all_features(fold: Fold) -> Outcome:
    """Choose C without an intercept."""
    start = time.process_time()
    scaling = Scaling.fit(fold.values, "standard")
    n_folds = min(N_FOLDS, len(np.unique(fold.subjects)))
    fitness = SubjectFoldFitness(
        fold.values, fold.labels, fold.subjects, scaling="standard", n_folds=n_folds
    )
    masks = np.ones((len(nested.C_VALUES), fold.values.shape[1]), np.bool_)
    best = int(fitness.score(masks, np.array(nested.C_VALUES), "pooled_uf1").argmax())
    training = scaling.apply(fold.values)
    basis = np.linalg.qr(training.T).Q  # of what the clips span: it changes no machine
    machine = train_svm(training @ basis, fold.labels, nested.C_VALUES[best])
    decisions = machine.decisions(scaling.apply(fold.held_out) @ basis)
    return Outcome(decisions, machine.classes, None, time.process_time() - start)


@dataclass(frozen=True)
class Row:
    """Which of the rules that were tried may decide, and how many of them do."""

    name: str
    share: float
    without: int | None = None
    """A gene that has to be 0."""


def by_rules(settings: Family, rows: Sequence[Row]) -> Method:
    """Return what tries rules once, and lets shares of them decide."""

    def method(fold: Fold) -> list[Outcome]:
        training = (fold.values, fold.labels, fold.subjects)
        start = time.process_time()
        tried = learn_rules(*training, settings)
        spent = time.process_time() - start
        outcomes = []
        for row in rows:
            start = time.process_time()
            rules = tried
            if row.without is not None:
                rules = tried.take(np.flatnonzero(tried.genes[:, row.without] == 0))
            best = rules.best(row.share)
            fitted = fit_rules(*training, best, settings.min_clips)
            decisions = fitted.decisions(fold.held_out, np.zeros(len(fold.held_out)))
            classes = fitted.classes.astype(np.int64)
            seconds = spent + time.process_time() - start
            outcomes.append(Outcome(decisions, classes, best, seconds))
        return outcomes

    return method


GRID_ROWS = (
    Row("rule", 0.0),
    Row("rule+ensemble", EIGHTH),
    Row("rule, best quarter", QUARTER),
    *(
        Row(f"rule{ensemble}, {name} = 0", share, gene)
        for name, gene in (("kappa", KAPPA), ("p", P), ("b", B))
        for ensemble, share in (("", 0.0), ("+ensemble", EIGHTH))
    ),
)
METHODS: dict[tuple[str, ...], Method] = {
    ("all features",): lambda fold: [all_features(fold)],
    ("all features+ensemble",): by_rules(ALL_FEATURES, [Row("", QUARTER)]),
    tuple(row.name for row in GRID_ROWS): by_rules(GRID, GRID_ROWS),
    ("evolved", "evolved+ensemble"): by_rules(
        replace(GRID, search="evolved"), [Row("", 0.0), Row("", QUARTER)]
    ),
    ("random", "random+ensemble"): by_rules(
        replace(GRID, search="random"), [Row("", 0.0), Row("", QUARTER)]
    ),
}


def read_table(argument: str) -> Table:
    """Return LSVT or a feature store."""
    if argument == "lsvt":
        table = nested.lsvt()
        return Table("LSVT", table.features, table.labels, table.subjects)
    features = read_features(Path(argument))
    subjects = np.unique(features.subjects, return_inverse=True)[1]
    return Table(argument, features.values.astype(np.float64), features.labels, subjects)


def predict(table: Table) -> dict[str, tuple[NDArray[np.int64], float, float]]:
    """Return each method's predictions, its seconds, and the share of rules that are inductive."""
    found: dict[str, tuple[NDArray[np.int64], list[float], list[float]]] = {
        name: (np.full_like(table.labels, -1), [], []) for names in METHODS for name in names
    }
    for subject in np.unique(table.subjects):
        out = table.subjects == subject
        training = (table.values[~out], table.labels[~out], table.subjects[~out])
        fold = Fold(*training, table.values[out])
        for names, method in METHODS.items():
            for name, outcome in zip(names, method(fold), strict=True):
                predicted, seconds, inductive = found[name]
                predicted[out] = outcome.classes[outcome.decisions.argmax(axis=1)]
                seconds.append(outcome.seconds)
                if outcome.rules is not None:
                    inductive.append(float((outcome.rules.genes[:, 0] == 0).mean()))
    return {
        name: (predicted, sum(seconds), float(np.mean(inductive)) if inductive else 1.0)
        for name, (predicted, seconds, inductive) in found.items()
    }


def less(table: Table, predicted: NDArray[np.int64], base: NDArray[np.int64]) -> str:
    """Return a difference in UF1 with its interval, over the same resamples of subjects."""
    classes = np.unique(table.labels)
    resampled = [
        unweighted_f1.on_counts(
            resample_subjects(
                subject_confusions(table.labels, one, table.subjects, classes), N_BOOTSTRAPS, SEED
            )
        )
        for one in (predicted, base)
    ]
    low, high = np.percentile(resampled[0] - resampled[1], [2.5, 97.5])
    difference = unweighted_f1(table.labels, predicted) - unweighted_f1(table.labels, base)
    return f"{difference:+.3f} ({low:+.3f}..{high:+.3f})"


def row_of(
    table: Table, name: str, found: dict[str, tuple[NDArray[np.int64], float, float]]
) -> str:
    """Return one row of a table, of predictions pooled over the outer folds."""
    predicted, seconds, inductive = found[name]
    whose = (table.labels, predicted, table.subjects)
    interval = subject_bootstrap(unweighted_f1, *whose, N_BOOTSTRAPS, SEED)
    differences = [
        less(table, predicted, found[base][0]) for base in ("all features", "all features+ensemble")
    ]
    return (
        f"| {name} | {accuracy(table.labels, predicted):.3f} "
        f"| {unweighted_f1(table.labels, predicted):.3f} ({interval.low:.3f}..{interval.high:.3f}) "
        f"| {' | '.join(differences)} | {inductive:.2f} | {seconds:.1f} |"
    )


def main() -> None:
    """Print the tables."""
    limit_library_threads()
    for argument in sys.argv[1:] or ["lsvt"]:
        table = read_table(argument)
        n_clips, n_features = table.values.shape
        print(
            f"{table.name}: {n_clips} clips of {len(np.unique(table.subjects))} subjects, "
            f"{len(np.unique(table.labels))} classes, {n_features} features\n\n"
            "| method | accuracy | UF1 (95 %) | less all features "
            "| less all features+ensemble | inductive | s |\n|---|---|---|---|---|---|---|"
        )
        found = predict(table)
        for name in found:
            print(row_of(table, name, found))
        print(flush=True)


if __name__ == "__main__":
    main()

"""Nested evaluation on two real tables: what a criterion finds, on samples it never saw.

    MEREC_DATA=folder python benchmarks/nested.py

LSVT (``lsvt.npz`` in the folder): each of its 14 subjects is left out, and within the others again
one at a time. NCI60 (of the package ISLP): the 8 classes with at least 5 samples, every sample its
own subject, 8 outer folds with samples of all classes dealt out in turn, 7 inner folds.

Standardisation, selection and C are learnt from the training samples of the outer fold. Methods:
"genetic" is the champion of a search (50 individuals, 30 generations, seed 0); "all features"
chooses C; "F-test" ranks features by ``f_classif`` on the training samples and chooses how many and
C, so that its inner fitness is of a ranking that has seen the inner held-out samples; "random
masks" averages decisions of 50 random half masks, at the C of all features, and so does its inner
fitness. Equals go to the fewest features, then to the smallest C.
"""

import importlib.util
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_selection import f_classif

from merec_hpc.config.selection import Criterion, GeneticSettings
from merec_hpc.criteria import score_predictions
from merec_hpc.learning.linear_svm import train_svm
from merec_hpc.learning.scaling import Scaling
from merec_hpc.metrics import (
    accuracy,
    subject_bootstrap,
    unweighted_average_recall,
    unweighted_f1,
)
from merec_hpc.parallel.communicator import SerialCommunicator
from merec_hpc.parallel.threads import limit_library_threads
from merec_hpc.records import Masks
from merec_hpc.selection.fitness.inner_folds import InnerFolds
from merec_hpc.selection.fitness.subject_folds import SubjectFoldFitness
from merec_hpc.selection.genetic.archipelago import evolve

CRITERIA: tuple[Criterion, ...] = (
    "mu_minus_variance",
    "mu",
    "pooled_accuracy",
    "pooled_uar",
    "pooled_uf1",
)
C_VALUES = (0.01, 0.1, 1.0, 10.0, 100.0)
COUNTS = (10, 30, 100, 300)
ROUNDING = 1e-9  # of a fitness: means over folds of equal sums differ by it
N_GENERATIONS = 30
N_RANDOM_MASKS = 50
N_BOOTSTRAPS = 2000
SEED = 0


@dataclass(frozen=True)
class Table:
    """Samples, and the outer fold that holds each of them out."""

    name: str
    features: NDArray[np.float64]  # (n_samples, n_features)
    labels: NDArray[np.int64]
    subjects: NDArray[np.int64]
    outer_folds: NDArray[np.int64]
    n_inner_folds: int | None  # None leaves one subject out at a time


@dataclass(frozen=True)
class Outcome:
    """What a method makes of an outer fold."""

    predicted: NDArray[np.int64]  # of the held-out samples
    n_selected: float
    fitness: float


class OuterFold:
    """Training and held-out samples, standardised by the former."""

    def __init__(self, table: Table, fold: int) -> None:
        self.is_held_out = table.outer_folds == fold
        training = ~self.is_held_out
        scaling = Scaling.fit(table.features[training], "standard")
        self.training = scaling.apply(table.features[training])
        self.held_out = scaling.apply(table.features[self.is_held_out])
        self.labels = table.labels[training]
        inner = (self.labels, table.subjects[training])
        self.inner_folds = InnerFolds.of(*inner, table.n_inner_folds)
        self.fitness = SubjectFoldFitness(self.training, *inner, n_folds=table.n_inner_folds)
        self._ensembles: dict[float, tuple[NDArray[np.float64], NDArray[np.int64]]] = {}

    @cached_property
    def ranking(self) -> NDArray[np.int64]:
        """Features from the largest F down."""
        statistics = np.nan_to_num(f_classif(self.training, self.labels)[0], nan=-1.0)
        return np.argsort(-statistics, kind="stable")

    def decide(self, mask: NDArray[np.bool_], C: float) -> NDArray[np.float64]:
        """Return decisions of the held-out samples, (n_held_out, n_classes)."""
        # In a basis of what the training samples span, which changes no machine and saves hours.
        basis = np.linalg.qr(self.training[:, mask].T).Q
        machine = train_svm(self.training[:, mask] @ basis, self.labels, C)
        return machine.decisions(self.held_out[:, mask] @ basis)

    def ensemble(self, C: float) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Return decisions of random masks, and what they predict on the inner folds.

        Mean decisions of the held-out samples, and predicted classes of the training samples in
        the order of the inner folds.
        """
        if C not in self._ensembles:
            masks = draw_masks(self.training.shape[1])
            mean = np.mean([self.decide(mask, C) for mask in masks], axis=0)
            inner = self.fitness.decisions(masks, np.full(len(masks), C)).mean(axis=0)
            self._ensembles[C] = mean, inner.argmax(axis=1)[self.inner_folds.order]
        return self._ensembles[C]

    def outcome(self, mask: NDArray[np.bool_], C: float, fitness: float) -> Outcome:
        """Return what a mask predicts."""
        predicted = self.name_classes(self.decide(mask, C))
        return Outcome(predicted, float(mask.sum()), fitness)

    def choose(self, masks: Masks, criterion: Criterion) -> tuple[NDArray[np.bool_], float, float]:
        """Return the first mask and the smallest C of the largest fitness, and that."""
        every = np.repeat(masks, len(C_VALUES), axis=0)
        penalties = np.tile(C_VALUES, len(masks))
        scores = self.fitness.score(every, penalties, criterion)
        best = int((scores > scores.max() - ROUNDING).argmax())
        return every[best], float(penalties[best]), float(scores[best])

    def name_classes(self, decisions: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return the classes of the largest decisions."""
        named: NDArray[np.int64] = np.unique(self.labels)[decisions.argmax(axis=1)]
        return named


def draw_masks(n_features: int) -> Masks:
    """Return random half masks."""
    return np.random.default_rng(SEED).random((N_RANDOM_MASKS, n_features)) < 0.5


def genetic(fold: OuterFold, criterion: Criterion) -> Outcome:
    """Search a mask and C."""
    settings = GeneticSettings(
        n_islands=1,
        n_individuals=50,
        n_generations=N_GENERATIONS,
        C_values=C_VALUES,
        bias=(0.0,),
        criterion=criterion,
        seed=SEED,
    )
    found = evolve(fold.fitness, settings, SerialCommunicator(), shows_progress=False)
    return fold.outcome(found.mask, found.C, found.fitness)


def all_features(fold: OuterFold, criterion: Criterion) -> Outcome:
    """Choose C."""
    everything = np.ones((1, fold.training.shape[1]), np.bool_)
    return fold.outcome(*fold.choose(everything, criterion))


def f_test(fold: OuterFold, criterion: Criterion) -> Outcome:
    """Choose how many features of the ranking, and C."""
    n_features = len(fold.ranking)
    counts = [*(count for count in COUNTS if count < n_features), n_features]
    masks = np.zeros((len(counts), n_features), np.bool_)
    for mask, count in zip(masks, counts, strict=True):
        mask[fold.ranking[:count]] = True
    return fold.outcome(*fold.choose(masks, criterion))


def random_masks(fold: OuterFold, criterion: Criterion) -> Outcome:
    """Average random masks at the C of all features."""
    n_features = fold.training.shape[1]
    _, C, _ = fold.choose(np.ones((1, n_features), np.bool_), criterion)
    decisions, inner = fold.ensemble(C)
    folds = fold.inner_folds
    fitness = score_predictions(criterion, inner[None], folds.labels, folds.folds)
    n_selected = draw_masks(n_features).sum(axis=1).mean()
    return Outcome(fold.name_classes(decisions), float(n_selected), float(fitness[0]))


METHODS: dict[str, Callable[[OuterFold, Criterion], Outcome]] = {
    "genetic": genetic,
    "all features": all_features,
    "F-test": f_test,
    "random masks": random_masks,
}


def lsvt() -> Table:
    """Return LSVT, with every subject an outer fold."""
    path = Path(os.environ.get("MEREC_DATA", "MEREC_DATA-is-not-set")) / "lsvt.npz"
    if not path.is_file():
        sys.exit(f"{path} is missing: MEREC_DATA must be the folder of LSVT")
    table = np.load(path, allow_pickle=True)
    subjects = np.unique(table["group"], return_inverse=True)[1]
    features = table["X"].astype(np.float64)
    return Table("LSVT", features, table["y"].astype(np.int64), subjects, subjects, None)


def nci60() -> Table:
    """Return the classes of NCI60 with at least 5 samples."""
    spec = importlib.util.find_spec("ISLP")
    if spec is None or not spec.submodule_search_locations:
        sys.exit("NCI60 needs the package ISLP")
    folder = Path(spec.submodule_search_locations[0]) / "data"
    names = np.loadtxt(folder / "NCI60labs.csv", str, delimiter=",", skiprows=1)
    _, numbers, counts = np.unique(names, return_inverse=True, return_counts=True)
    is_kept = counts[numbers] >= 5
    features = np.load(folder / "NCI60data.npy")[is_kept].astype(np.float64)
    labels = np.searchsorted(np.flatnonzero(counts >= 5), numbers[is_kept])
    samples = np.arange(len(labels))
    shuffled = np.random.default_rng(SEED).permutation(samples)
    by_class = shuffled[np.argsort(labels[shuffled], kind="stable")]
    outer_folds = np.empty_like(samples)
    outer_folds[by_class] = samples % 8
    return Table("NCI60", features, labels, samples, outer_folds, 7)


def evaluate(table: Table) -> dict[tuple[Criterion, str], list[Outcome]]:
    """Return the outcome of each outer fold, by criterion and method."""
    outcomes: dict[tuple[Criterion, str], list[Outcome]] = {
        (criterion, method): [] for criterion in CRITERIA for method in METHODS
    }
    seconds = dict.fromkeys(METHODS, 0.0)
    n_folds = int(table.outer_folds.max()) + 1
    for number in range(n_folds):
        fold = OuterFold(table, number)
        for (criterion, method), found in outcomes.items():
            start = time.perf_counter()
            found.append(METHODS[method](fold, criterion))
            seconds[method] += time.perf_counter() - start
        spent = ", ".join(f"{method} {spent:.1f} s" for method, spent in seconds.items())
        print(f"{table.name} {number + 1}/{n_folds}: {spent}", file=sys.stderr, flush=True)
    return outcomes


def row(table: Table, criterion: Criterion, method: str, outcomes: list[Outcome]) -> str:
    """Return one row of a table, of predictions pooled over the outer folds."""
    predicted = np.empty_like(table.labels)
    for number, outcome in enumerate(outcomes):
        predicted[table.outer_folds == number] = outcome.predicted
    uar = unweighted_average_recall
    interval = subject_bootstrap(uar, table.labels, predicted, table.subjects, N_BOOTSTRAPS, SEED)
    n_selected = np.mean([outcome.n_selected for outcome in outcomes])
    fitness = np.mean([outcome.fitness for outcome in outcomes])
    return (
        f"| {criterion} | {method} | {accuracy(table.labels, predicted):.3f} "
        f"| {uar(table.labels, predicted):.3f} | {unweighted_f1(table.labels, predicted):.3f} "
        f"| {interval.low:.3f}..{interval.high:.3f} | {n_selected:.0f} | {fitness:.3f} |"
    )


def main() -> None:
    """Print the tables."""
    limit_library_threads()
    start, start_cpu = time.perf_counter(), time.process_time()
    for table in (nci60(), lsvt()):
        outcomes = evaluate(table)
        n_samples, n_features = table.features.shape
        n_subjects, n_classes = len(np.unique(table.subjects)), len(np.unique(table.labels))
        print(
            f"{table.name}: {n_samples} samples of {n_subjects} subjects, {n_classes} classes, "
            f"{n_features} features, {table.outer_folds.max() + 1} outer folds\n\n"
            "| criterion | method | accuracy | UAR | UF1 | 95 % of UAR | features "
            "| inner fitness |\n|---|---|---|---|---|---|---|---|"
        )
        for (criterion, method), found in outcomes.items():
            print(row(table, criterion, method, found))
        print(flush=True)
    cpu = time.process_time() - start_cpu
    print(f"wall time: {time.perf_counter() - start:.0f} s, of which {cpu:.0f} s on the core")


if __name__ == "__main__":
    main()

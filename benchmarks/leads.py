"""Leads against overfitting the inner folds, beside the genetic champion, nested.

    MEREC_DATA=folder python benchmarks/leads.py lsvt nci60
    python benchmarks/leads.py results/demo/features/mobilenet_v2.h5

Data, outer folds and the shortened search are those of ``all_selectors.py``. Leads:

one standard error    the first generation whose best fitness is within one standard error (of the
                      inner accuracies of the last generation's best) of the last
half of the seeds     features that more than half of the halls of fame of three seeds hold, C anew
ensemble of seeds     the better halves of three seeds' last populations
random inner folds    each generation is scored on a random half of the inner folds, the champion of
                      the hall of fame chosen on all
repeated splits       scored on three random splits of the training subjects into four groups
"""

import sys
from collections.abc import Sequence
from dataclasses import replace

import all_selectors
import numpy as np
from all_selectors import CRITERION, SHORT, Table
from numpy.typing import ArrayLike, NDArray

from merec_hpc.config.evaluation import EvaluationSettings
from merec_hpc.config.selection import AllFeaturesSettings, Criterion, GeneticSettings
from merec_hpc.criteria import mu_minus_variance
from merec_hpc.evaluation.predictions import Prediction
from merec_hpc.learning.scaling import Scaling
from merec_hpc.parallel.communicator import SerialCommunicator
from merec_hpc.parallel.threads import limit_library_threads
from merec_hpc.records import Masks, Population, Selection
from merec_hpc.report.comparisons import compare_with
from merec_hpc.report.scores import score_methods
from merec_hpc.selection.all_features import select_all_features
from merec_hpc.selection.deciders import decide, deciding, trained
from merec_hpc.selection.fitness.inner_fitness import Fitness
from merec_hpc.selection.fitness.subject_folds import SubjectFoldFitness, compile_kernels
from merec_hpc.selection.genetic.archipelago import evolve

GENETIC = GeneticSettings(bias=(0.0,), **SHORT["genetic"])  # type: ignore[arg-type]
SEEDS = (0, 1, 2)
N_SPLITS, N_GROUPS = 3, 4


class RandomInnerFolds:
    """Scores a batch of masks on a random half of the inner folds."""

    def __init__(self, fitness: SubjectFoldFitness, seed: int) -> None:
        self._fitness = fitness
        self._rng = np.random.default_rng(seed)
        self.n_features = fitness.n_features
        self.fold_accuracies = fitness.fold_accuracies
        self.training_accuracies = fitness.training_accuracies

    def score(
        self, masks: Masks, C: ArrayLike, criterion: Criterion, bias: ArrayLike | None = None
    ) -> NDArray[np.float64]:
        """Return the fitness on half of the folds."""
        accuracies = self._fitness.fold_accuracies(masks, C, bias)
        n_folds = accuracies.shape[1]
        kept = self._rng.choice(n_folds, max(2, n_folds // 2), replace=False)
        assert criterion == "mu_minus_variance"
        return mu_minus_variance(accuracies[:, kept])


class RepeatedSplits:
    """Scores masks on several random splits of the subjects."""

    def __init__(self, fitness: SubjectFoldFitness, seed: int) -> None:
        self._rng = np.random.default_rng(seed)
        folds = fitness.folds
        n_groups = min(N_GROUPS, folds.n_folds)
        self._splits = []
        for _ in range(N_SPLITS):
            groups = self._rng.permutation(np.arange(folds.n_folds) % n_groups)
            self._splits.append(
                SubjectFoldFitness(fitness.features, folds.labels, groups[folds.folds])
            )
        self.n_features = fitness.n_features
        self.fold_accuracies = fitness.fold_accuracies
        self.training_accuracies = fitness.training_accuracies

    def score(
        self, masks: Masks, C: ArrayLike, criterion: Criterion, bias: ArrayLike | None = None
    ) -> NDArray[np.float64]:
        """Return the mean fitness over the splits."""
        scores = [split.score(masks, C, criterion, bias) for split in self._splits]
        return np.asarray(np.mean(scores, axis=0), np.float64)


def search(fitness: Fitness, seed: int = 0) -> Selection:
    """Run the shortened search."""
    settings = replace(GENETIC, seed=seed)
    return evolve(fitness, settings, SerialCommunicator(), shows_progress=False)


def with_individual(selection: Selection, mask: NDArray[np.bool_], C: float) -> Selection:
    """Return a selection with another champion."""
    return replace(selection, mask=mask, C=C)


def one_standard_error(fitness: SubjectFoldFitness, selection: Selection) -> Selection:
    """Return the first generation that is nearly as good as the last."""
    history = selection.history
    accuracies = fitness.fold_accuracies(history.best_masks[-1:], history.best_C[-1:])[0]
    error = accuracies.std(ddof=1) / np.sqrt(len(accuracies))
    generation = int(np.argmax(history.best_fitness >= history.best_fitness[-1] - error))
    mask, C = history.best_masks[generation], float(history.best_C[generation])
    return with_individual(selection, mask, C)


def half_of_the_seeds(fitness: SubjectFoldFitness, selections: Sequence[Selection]) -> Selection:
    """Return the features that most halls of fame hold; all of them if none is held so often."""
    shares = np.mean(
        [selection.hall_of_fame.masks.mean(axis=0) for selection in selections], axis=0
    )
    mask = shares > 0.5
    if not mask.any():
        mask = np.ones_like(mask)
    penalties = np.array(GENETIC.C_values)
    scores = fitness.score(np.tile(mask, (len(penalties), 1)), penalties, CRITERION)
    return with_individual(selections[0], mask, float(penalties[scores.argmax()]))


def best_on_all_folds(fitness: SubjectFoldFitness, hall: Population, like: Selection) -> Selection:
    """Return the individual of a hall of fame that is best on all inner folds."""
    best = int(fitness.score(hall.masks, hall.C, CRITERION).argmax())
    return with_individual(like, hall.masks[best], float(hall.C[best]))


class OuterFold:
    """Training and held-out clips, standardised by the former."""

    def __init__(self, table: Table, fold: str) -> None:
        training, held = table.features.without(fold), table.features.only(fold)
        scaling = Scaling.fit(training.values, "standard")
        self.held_out = scaling.apply(held.values)
        self.fitness = SubjectFoldFitness(
            scaling.apply(training.values),
            training.labels,
            training.subjects,
            n_folds=table.n_inner_folds,
        )


def predicted(fold: OuterFold) -> dict[str, NDArray[np.int64]]:
    """Return what each lead predicts of the held-out clips."""
    fitness = fold.fitness
    searched = [search(fitness, seed) for seed in SEEDS]
    halved = search(RandomInnerFolds(fitness, seed=0))
    repeated = search(RepeatedSplits(fitness, seed=0))
    everything = select_all_features(fitness, AllFeaturesSettings(bias=(0.0,)))
    chosen = {
        "genetic": [searched[0]],
        "all_features": [everything],
        "one standard error": [one_standard_error(fitness, searched[0])],
        "half of the seeds": [half_of_the_seeds(fitness, searched)],
        "random inner folds": [best_on_all_folds(fitness, halved.hall_of_fame, halved)],
        "repeated splits": [best_on_all_folds(fitness, repeated.hall_of_fame, repeated)],
    }
    found = {
        name: name_classes(fold, selections, "champion") for name, selections in chosen.items()
    }
    found["ensemble of seeds"] = name_classes(fold, searched, "ensemble")
    return found


def name_classes(
    fold: OuterFold, selections: Sequence[Selection], decider: str
) -> NDArray[np.int64]:
    """Return the classes that a decider gives the held-out clips."""
    individuals = deciding(selections, decider)  # type: ignore[arg-type]
    machines = trained(fold.fitness, individuals, decider)  # type: ignore[arg-type]
    places = decide(machines, fold.held_out).argmax(axis=1)
    return np.asarray(fold.fitness.classes[places], np.int64)


def predictions(table: Table) -> list[Prediction]:
    """Return the predictions of all leads, of all outer folds."""
    features = table.features
    rows = []
    for number, name_of_fold in enumerate(np.unique(table.features.held_out_by).tolist()):
        print(f"{table.name}: outer fold {number + 1}", file=sys.stderr, flush=True)
        held = np.flatnonzero(table.features.held_out_by == name_of_fold)
        for name, classes in predicted(OuterFold(table, name_of_fold)).items():
            rows += [
                Prediction(
                    name,
                    "linear_svm",
                    0,
                    str(number),
                    str(features.subjects[clip]),
                    f"{clip}",
                    str(features.class_names[features.labels[clip]]),
                    str(features.class_names[found]),
                )
                for clip, found in zip(held, classes, strict=True)
            ]
    return rows


def main() -> None:
    """Print a table for each data set."""
    limit_library_threads()
    for part in (0, 1):
        compile_kernels(part)
    for data in sys.argv[1:]:
        table = all_selectors.read(data)
        rows = predictions(table)
        settings = EvaluationSettings()
        differences = {
            row.method: row
            for row in compare_with(rows, "genetic", settings)
            if row.metric == "UAR"
        }
        print(f"\n{all_selectors.heading(table, ['none'])}\n")
        print("| lead | accuracy | UAR | UAR less genetic's | p | corrected |")
        print("|---|---|---|---|---|---|")
        for scores in score_methods(rows, settings):
            less = differences.get(scores.method)
            said = "- | - | -"
            if less is not None:
                said = (
                    f"{less.difference:+.3f} ({less.low:+.3f}..{less.high:+.3f}) | "
                    f"{less.p_value:.3f} | {less.corrected_p_value:.2f}"
                )
            accuracy, uar = (scores.scores[name].value for name in ("accuracy", "UAR"))
            print(f"| {scores.method} | {accuracy:.3f} | {uar:.3f} | {said} |", flush=True)


if __name__ == "__main__":
    main()

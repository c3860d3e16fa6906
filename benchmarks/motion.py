"""What features relative to the onset are worth: all of them, and a mask that evolution chose.

    snakemake -c2 --configfile motion.yaml -- results/motion/features/blocks.h5
    python benchmarks/motion.py results/motion/features/blocks.h5 [BLOCK ...]

``motion.yaml`` has several extractions in ``features.blocks``; of a store of one extraction there is
one row. Nested: each subject is left out, and standardisation, selection and C are learnt from the
others alone, by leaving one of those out at a time, scored by mu_minus_variance. "genetic" has paper
1's settings: one population of 50, ten random ones in each of 50 generations. Intervals are of 95 %, over
2000 resamples of subjects; p swaps the predictions of whole subjects. Transductive rows calibrate each
subject by its own unlabelled clips, if it has two.
"""

import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from merec_hpc.config.evaluation import EvaluationSettings
from merec_hpc.config.scaling import STANDARD, ScalingSettings
from merec_hpc.config.selection import AllFeaturesSettings, GeneticSettings
from merec_hpc.evaluation.blocks import block_names
from merec_hpc.evaluation.held_out import held_out_decisions
from merec_hpc.evaluation.predictions import Prediction, predictions_of
from merec_hpc.parallel.communicator import SerialCommunicator
from merec_hpc.parallel.threads import limit_library_threads
from merec_hpc.records import Features, Selection
from merec_hpc.report.comparisons import compare_with
from merec_hpc.report.scores import MethodScores, score_methods
from merec_hpc.selection.all_features import select_all_features
from merec_hpc.selection.fitness.subject_folds import SubjectFoldFitness
from merec_hpc.selection.genetic.archipelago import evolve
from merec_hpc.selection.training_folds import fold_fitness
from merec_hpc.store.features import read_features

SETTINGS = EvaluationSettings()
PAPER_1 = GeneticSettings(n_islands=1, bias=(0.0,))
FULL = ScalingSettings(kind="transductive_full", min_clips=2)
SHRUNK = ScalingSettings(kind="transductive_shrunk", min_clips=2)

Select = Callable[[SubjectFoldFitness], Selection]


def all_features(fitness: SubjectFoldFitness) -> Selection:
    """Keep everything, and choose C."""
    return select_all_features(fitness, AllFeaturesSettings(bias=(0.0,)))


def genetic(fitness: SubjectFoldFitness) -> Selection:
    """Evolve a mask."""
    return evolve(fitness, PAPER_1, SerialCommunicator())


def predict(
    features: Features, name: str, select: Select, scaling: ScalingSettings
) -> Iterator[Prediction]:
    """Yield the prediction of every clip by what was selected without its subject."""
    for fold in dict.fromkeys(features.held_out_by.tolist()):
        fitness, _ = fold_fitness(features, fold, scaling)
        chosen = select(fitness)
        decisions = held_out_decisions(features, fold, chosen.mask, chosen.C, scaling)
        yield from predictions_of(features, fold, decisions, name)


def rows_of(features: Features) -> Iterator[tuple[str, Features]]:
    """Yield each block alone, and all of them side by side."""
    for block in block_names(features):
        yield block, replace(features.with_features(features.blocks == block), weights=None)
    if features.blocks is not None and not sys.argv[2:]:
        yield "all, side by side", features
    if features.blocks is None:
        yield "all", features


def shown(scores: MethodScores, metric: str) -> str:
    """Return a figure with its interval."""
    score = scores.scores[metric]
    return f"{score.value:.3f} ({score.interval.low:.2f}..{score.interval.high:.2f})"


def main() -> None:
    """Print a table of all blocks of a store."""
    limit_library_threads()
    path = Path(sys.argv[1])
    features = read_features(path)
    n_subjects = len(set(features.subjects.tolist()))
    print(f"\n{path}: {len(features.clips)} clips of {n_subjects} subjects\n")
    print(
        "| features | number | all, accuracy | all, UF1 | genetic, accuracy | genetic, UF1 | ",
        end="",
    )
    print(
        "genetic less all, accuracy | p | all, full (transductive) | shrunk (transductive) | CPU s |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|---|")
    for name, own in rows_of(features):
        if sys.argv[2:] and name not in sys.argv[2:]:
            continue
        start = time.process_time()
        predictions = [
            *predict(own, "all", all_features, STANDARD),
            *predict(own, "genetic", genetic, STANDARD),
            *predict(own, "full", all_features, FULL),
            *predict(own, "shrunk", all_features, SHRUNK),
        ]
        everything, evolved, full, shrunk = score_methods(predictions, SETTINGS)
        row = next(
            row
            for row in compare_with(predictions, "all", SETTINGS)
            if (row.metric, row.method) == ("accuracy", "genetic")
        )
        cells = [
            f"{own.values.shape[1]}",
            *(
                shown(one, metric)
                for one in (everything, evolved)
                for metric in ("accuracy", "UF1")
            ),
            f"{row.difference:+.3f} ({row.low:+.2f}..{row.high:+.2f})",
            f"{row.p_value:.3f}",
            *(shown(one, "accuracy") for one in (full, shrunk)),
            f"{time.process_time() - start:.0f}",
        ]
        print(f"| {name} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()

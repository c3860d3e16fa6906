"""Measures which reading of paper 1's mutation searches better: best fitness after the search.

    python benchmarks/mutation.py results/demo/features/mobilenet_v2.h5

Every reading searches on the same folds with the same seeds, on one panmictic population.
Only training subjects are seen; nothing here is an accuracy on held-out ones.
"""

import sys
from pathlib import Path

import numpy as np

from merec_hpc.config.selection import GeneticSettings
from merec_hpc.learning.scaling import Scaling
from merec_hpc.parallel.communicator import SerialCommunicator
from merec_hpc.parallel.threads import limit_library_threads
from merec_hpc.selection.fitness.subject_folds import SubjectFoldFitness
from merec_hpc.selection.genetic.archipelago import evolve
from merec_hpc.store.features import read_features

READINGS = (("bit", 0.05), ("individual", 0.05), ("bit", 0.005))
N_FOLDS, N_SEEDS = 8, 4


def main() -> None:
    """Search by every reading, and print what each reached."""
    limit_library_threads()
    features = read_features(Path(sys.argv[1]))
    folds = list(dict.fromkeys(features.subjects.tolist()))[:N_FOLDS]
    reached: dict[tuple[str, float], list[float]] = {reading: [] for reading in READINGS}
    for fold in folds:
        training = features.without(fold)
        values = Scaling.fit(training.values, "standard").apply(training.values)
        fitness = SubjectFoldFitness(values, training.labels, training.subjects)
        for seed in range(N_SEEDS):
            for mutation, rate in READINGS:
                settings = GeneticSettings(
                    n_islands=1, mutation=mutation, mutation_rate=rate, bias=(0.0,), seed=seed
                )
                selection = evolve(fitness, settings, SerialCommunicator())
                reached[mutation, rate].append(selection.history.best_fitness[-1])
    base = np.array(reached[READINGS[0]])
    print(f"{len(folds)} folds x {N_SEEDS} seeds; best fitness of the hall of fame at the end")
    for (mutation, rate), values in reached.items():
        found = np.array(values)
        wins, losses = int((found > base).sum()), int((found < base).sum())
        print(f"{mutation:>10} {rate:<6} mean {found.mean():.4f}  better {wins}, worse {losses}")


if __name__ == "__main__":
    main()

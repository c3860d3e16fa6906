"""Evaluations of masks of groups, by summed Gram matrices and by expanded masks, on one core.

    OMP_NUM_THREADS=1 python benchmarks/units.py

Batches of 30 random half masks of groups at every C of the paper, next to the same masks expanded
to features, in turn in one run; the same for weights of groups, beside the expanded masks of what
they choose, which is all that could be scored before. Ratios are geometric means over C; the share
is that of masks that are predicted anew in double precision.
"""

import time

import numpy as np
from numpy.typing import NDArray
from synthetic import Shape, make_clips

from merec_hpc.parallel.threads import limit_library_threads
from merec_hpc.selection.fitness.genome import Genome
from merec_hpc.selection.fitness.subject_folds import SubjectFoldFitness
from merec_hpc.selection.fitness.unit_fitness import UnitFitness

C_VALUES = (0.01, 0.1, 1.0, 10.0, 100.0)
N_MASKS, N_ROUNDS = 30, 2
SHAPES = (
    (Shape(246, 1475, 26, 5), 59),
    (Shape(71, 9216, 8, 3), 48),
    (Shape(246, 9216, 26, 5), 48),
)
CRITERIA = ("mu_minus_variance", "balanced_log_loss")


class Counted:
    """Counts what is predicted anew."""

    def __init__(self, fitness: SubjectFoldFitness) -> None:
        self.n_exact, exactly = 0, fitness._decide_exactly

        def counted(*arguments: object) -> object:
            self.n_exact += 1
            return exactly(*arguments)

        fitness._decide_exactly = counted


def seconds(
    fitness: SubjectFoldFitness, masks: NDArray[np.bool_], C: float, criterion: str
) -> float:
    """Return seconds of a batch."""
    start = time.perf_counter()
    fitness.score(masks, np.full(len(masks), C), criterion)
    return time.perf_counter() - start


def compare(shape: Shape, n_groups: int, criterion: str, *, weighs: bool) -> str:
    """Return one row of the table."""
    clips = make_clips(shape)
    genome = Genome(np.arange(shape.n_features) * n_groups // shape.n_features, weighs=weighs)
    start = time.perf_counter()
    units = UnitFitness(*clips, genome=genome)
    made = time.perf_counter() - start
    features = SubjectFoldFitness(*clips)
    genes = np.random.default_rng(1).random((N_MASKS, genome.n_genes)) < 0.5
    masks = genome.masks(genes)
    for C in C_VALUES:  # compiles
        units.score(genes[:9], np.full(9, C), criterion)
        features.score(masks[:9], np.full(9, C), criterion)
    counted = Counted(units)
    by_sums, expanded = [], []
    for C in C_VALUES:
        times = [
            (seconds(units, genes, C, criterion), seconds(features, masks, C, criterion))
            for _ in range(N_ROUNDS)
        ]
        best = np.min(times, axis=0) / N_MASKS
        by_sums.append(best[0])
        expanded.append(best[1])
    share = counted.n_exact / (N_MASKS * N_ROUNDS * len(C_VALUES))
    mean = [float(np.exp(np.log(found).mean())) for found in (by_sums, expanded)]
    what = "weights" if weighs else "masks"
    return (
        f"| {shape.n_clips} x {shape.n_features} | {n_groups} | {what} | {criterion} "
        f"| {1 / mean[0]:.0f} | {1 / mean[1]:.0f} | {mean[1] / mean[0]:.2f} | {share:.2f} "
        f"| {made:.2f} |"
    )


def main() -> None:
    """Print the table."""
    limit_library_threads()
    print("| clips x features | groups | genes | criterion | summed, per second ", end="")
    print("| expanded, per second | ratio | anew | made once, s |")
    print("|---|---|---|---|---|---|---|---|---|")
    for shape, n_groups in SHAPES:
        for criterion in CRITERIA:
            for weighs in (False, True):
                print(compare(shape, n_groups, criterion, weighs=weighs), flush=True)


if __name__ == "__main__":
    main()

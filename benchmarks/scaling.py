"""How the time of an evaluation grows, and what a second rank and the Gram kernel bring.

    python benchmarks/scaling.py

Searches are timed without start-up and compilation. The Gram step is held against single-precision
products of large matrices on the same core: the share is of the rate at which a mask's own
Gram matrix, computed alone, would need its multiplications; masks that are computed together
share them, so that more than 1 is possible.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from synthetic import SHAPES, Shape, make_clips

from merec_hpc.config.selection import GeneticSettings
from merec_hpc.parallel.mpi import connect
from merec_hpc.parallel.threads import limit_library_threads
from merec_hpc.selection.fitness.subject_folds import SubjectFoldFitness
from merec_hpc.selection.genetic.archipelago import evolve

MPIEXEC = str(Path(sys.executable).parent / "mpiexec")
N_REPEATS = 3


def search(n_ranks: int, shape: Shape, population: int) -> float:
    """Return seconds of a search of 20 generations, the least of some."""
    code = f"import scaling; scaling.report({n_ranks}, {shape!r}, {population})"
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parent)}
    done = subprocess.run(
        [MPIEXEC, "-n", str(n_ranks), sys.executable, "-c", f"from synthetic import Shape; {code}"],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return float(json.loads(done.stdout))


def report(n_ranks: int, shape: Shape, population: int) -> None:
    """Print the seconds on rank 0; run by ``mpiexec``."""
    comm = connect(n_ranks)
    limit_library_threads()
    fitness = SubjectFoldFitness(*make_clips(shape), share=comm.shared)
    settings = GeneticSettings(
        n_islands=1,
        n_individuals=population,
        n_generations=20,
        founders="random_gene",
        bias=(0.0,),
    )
    times = []
    for _ in range(N_REPEATS + 1):  # the first one compiles
        comm.allgather(None)
        start = time.perf_counter()
        evolve(fitness, settings, comm, shows_progress=False)
        times.append(time.perf_counter() - start)
    if comm.rank == 0:
        print(json.dumps(min(times[1:])))


def evaluation_ms(shape: Shape, n_masks: int) -> float:
    """Return milliseconds of one evaluation in a batch of half masks, C = 1."""
    fitness = SubjectFoldFitness(*make_clips(shape))
    masks = np.random.default_rng(1).random((n_masks, shape.n_features)) < 0.5
    return 1000 / n_masks * least_seconds(lambda: fitness.fold_accuracies(masks, np.ones(n_masks)))


def least_seconds(work: Callable[[], object]) -> float:
    """Return the least of some times."""
    times = []
    for _ in range(N_REPEATS + 1):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def gram_rate(shape: Shape) -> tuple[float, float]:
    """Return GFLOP/s that masks' Gram matrices are worth, and that of a large product."""
    fitness = SubjectFoldFitness(*make_clips(shape))
    problem = next(fitness._problems())
    masks = np.random.default_rng(1).random((48, shape.n_features)) < 0.5
    seconds = least_seconds(lambda: list(problem.grams(masks))) / len(masks)
    needed = shape.n_clips * (shape.n_clips + 1) * shape.n_features / 2
    square = np.ones((2000, 2000), np.float32)
    return needed / seconds / 1e9, 2 * 2000**3 / least_seconds(lambda: square @ square) / 1e9


def main() -> None:
    """Print the tables."""
    limit_library_threads()
    print(
        "| clips x features | population | 1 rank, s | 2 ranks, s | ratio |\n|---|---|---|---|---|"
    )
    for shape in SHAPES[:3]:
        for population in (50, 200):
            one, two = (search(n_ranks, shape, population) for n_ranks in (1, 2))
            size = f"{shape.n_clips} x {shape.n_features}"
            print(
                f"| {size} | {population} | {one:.2f} | {two:.2f} | {one / two:.2f} |", flush=True
            )
    print("\n| clips | features | batch | ms |\n|---|---|---|---|")
    for n_clips in (50, 100, 200, 400):
        print(f"| {n_clips} | 9216 | 50 | {evaluation_ms(Shape(n_clips, 9216, 16, 3), 50):.3f} |")
    for n_features in (1024, 4096, 16384):
        ms = evaluation_ms(Shape(100, n_features, 16, 3), 50)
        print(f"| 100 | {n_features} | 50 | {ms:.3f} |")
    for n_masks in (1, 8, 200):
        print(f"| 100 | 9216 | {n_masks} | {evaluation_ms(Shape(100, 9216, 16, 3), n_masks):.3f} |")
    print("\n| clips x features | Gram, GFLOP/s | product, GFLOP/s | share |\n|---|---|---|---|")
    for shape in SHAPES[:3]:
        gram, product = gram_rate(shape)
        size = f"{shape.n_clips} x {shape.n_features}"
        print(f"| {size} | {gram:.0f} | {product:.0f} | {gram / product:.2f} |")


if __name__ == "__main__":
    main()

"""Evaluations of masks a second by batches on a device, beside one process a core.

    python benchmarks/on_device.py --device cuda --n-masks 4096

Each shape at every C of the paper: random half masks by ``DeviceFitness`` in one process, then the
same by ``SubjectFoldFitness`` in as many processes as there are cores, one thread each. Both are
warm; the faster of two passes counts. Ratios are of one run, and predictions must be equal.
"""

import argparse
import multiprocessing
import os
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from synthetic import INDEPENDENT, SHAPES, Shape, make_clips

from merec_hpc.parallel.threads import limit_library_threads
from merec_hpc.selection.fitness.on_device import DeviceFitness
from merec_hpc.selection.fitness.subject_folds import SubjectFoldFitness

C_VALUES = (0.01, 0.1, 1.0, 10.0, 100.0)
PARTS_A_CORE = 4

Predictions = NDArray[np.int64]
Work = tuple[NDArray[np.bool_], NDArray[np.float64]]  # masks and C

# Children see the fitness that stood here when they were forked.
_SHARED: dict[str, SubjectFoldFitness] = {}


@dataclass(frozen=True)
class Pass:
    """Predictions, and the seconds that they took."""

    predicted: Predictions
    seconds: float


def predict_part(work: Work) -> Predictions:
    """Predict in a child."""
    return _SHARED["fitness"].predictions(*work)


def faster_of_two(predict: Callable[[], Predictions]) -> Pass:
    """Return the faster one of two passes."""
    passes = []
    for _ in range(2):
        start = time.perf_counter()
        predicted = predict()
        passes.append(Pass(predicted, time.perf_counter() - start))
    return min(passes, key=lambda one: one.seconds)


def on_cores(fitness: SubjectFoldFitness, masks: NDArray[np.bool_], n_cores: int) -> list[Pass]:
    """Return a pass for each C, by one process a core."""
    _SHARED["fitness"] = fitness
    found = []
    with multiprocessing.get_context("fork").Pool(n_cores, limit_library_threads) as pool:
        for C in C_VALUES:
            parts = [
                (part, np.full(len(part), C))
                for part in np.array_split(masks, PARTS_A_CORE * n_cores)
            ]
            found.append(
                faster_of_two(
                    lambda parts=parts: np.concatenate(pool.map(predict_part, parts, chunksize=1))
                )
            )
    return found


def on_device(batched: DeviceFitness, masks: NDArray[np.bool_]) -> tuple[list[Pass], int]:
    """Return a pass for each C by the device, and how many individuals were handed over."""
    found, n_handed_over = [], 0
    batched.predictions(masks, np.ones(len(masks)))  # copies the features, and warms up
    for C in C_VALUES:
        penalties = np.full(len(masks), C)
        found.append(
            faster_of_two(lambda penalties=penalties: batched.predictions(masks, penalties))
        )
        n_handed_over += batched.n_handed_over
    return found, n_handed_over


def compare(shape: Shape, options: argparse.Namespace) -> str:
    """Return one row of the table."""
    fitness = SubjectFoldFitness(*make_clips(shape))
    masks = np.random.default_rng(1).random((options.n_masks, shape.n_features)) < 0.5
    fitness.predictions(masks[:9], np.ones(len(masks[:9])))  # compiles
    by_cores = on_cores(fitness, masks, options.n_cores)  # forks before a device is opened
    batched = DeviceFitness(fitness, options.device, options.batch_size)
    by_device, n_handed_over = on_device(batched, masks)
    is_equal = all(
        np.array_equal(one.predicted, other.predicted)
        for one, other in zip(by_cores, by_device, strict=True)
    )
    cores, device = (
        len(masks) / np.exp(np.mean([np.log(one.seconds) for one in passes]))
        for passes in (by_cores, by_device)
    )
    return (
        f"| {shape.kind} | {shape.n_clips} x {shape.n_features} | {shape.n_subjects} "
        f"| {shape.n_classes} | {cores:.0f} | {device:.0f} | {device / cores:.2f} "
        f"| {n_handed_over} of {len(masks) * len(C_VALUES)} | {'yes' if is_equal else 'NO'} |"
    )


def read_options() -> argparse.Namespace:
    """Return the options of the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--n-masks", type=int, default=4096)
    parser.add_argument("--n-cores", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--batch-size", type=int)
    parser.add_argument("--n-shapes", type=int, default=len(SHAPES + INDEPENDENT))
    return parser.parse_args()


def main() -> None:
    """Print the table."""
    options = read_options()
    print(f"{options.n_masks} masks at each C, {options.n_cores} cores, {options.device}")
    print("| features like | clips x features | subjects | classes ", end="")
    print("| cores, per second | device, per second | ratio | handed over | equal |")
    print("|---|---|---|---|---|---|---|---|---|")
    fresh = multiprocessing.get_context("spawn")
    for shape in (SHAPES + INDEPENDENT)[: options.n_shapes]:
        with ProcessPoolExecutor(1, fresh) as pool:  # who has not touched a GPU may fork
            print(pool.submit(compare, shape, options).result(), flush=True)


if __name__ == "__main__":
    main()

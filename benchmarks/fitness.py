"""Evaluations of masks against LIBLINEAR refits, on one core.

    python benchmarks/fitness.py

Each shape: batches of 50 random half masks at every C of the paper, next to leave-one-subject-out
refits with liblinear-official at its default eps, as one writes them in Python, and with
its ``train()`` alone, the problems built beforehand. Ratios are geometric means over C, measured in
one run, engine and refits in turn.
"""

import time
from dataclasses import dataclass

import numpy as np
from liblinear.liblinearutil import parameter, problem, train
from numpy.typing import NDArray
from synthetic import INDEPENDENT, SHAPES, Shape, make_clips

from merec_hpc.parallel.threads import limit_library_threads
from merec_hpc.selection.fitness.subject_folds import SubjectFoldFitness

C_VALUES = (0.01, 0.1, 1.0, 10.0, 100.0)
N_MASKS = 50
OPTIONS = "-s 1 -B -1 -e 0.1 -q"


@dataclass(frozen=True)
class Refit:
    """Seconds of one evaluation by refits."""

    python: float
    train_alone: float


def time_engine(fitness: SubjectFoldFitness, masks: NDArray[np.bool_], C: float) -> float:
    """Return seconds per evaluation, the least of three batches."""
    times = []
    for _ in range(3):
        start = time.perf_counter()
        fitness.fold_accuracies(masks, np.full(len(masks), C))
        times.append(time.perf_counter() - start)
    return min(times) / len(masks)


def time_refit(
    features: NDArray[np.float64],
    labels: NDArray[np.int64],
    subjects: NDArray[np.int64],
    mask: NDArray[np.bool_],
    C: float,
) -> Refit:
    """Refit one machine a subject, twice, and take the faster time of each."""
    options = f"{OPTIONS} -c {C}"
    whole, alone = [], []
    for _ in range(2):
        start = time.perf_counter()
        chosen = features[:, mask]
        in_train = 0.0
        for subject in np.unique(subjects):
            training = subjects != subject
            fold = problem(labels[training].astype(float), np.ascontiguousarray(chosen[training]))
            settings = parameter(options)
            begin = time.perf_counter()
            model = train(fold, settings)
            in_train += time.perf_counter() - begin
            weights = np.array(
                [model.get_decfun(machine)[0] for machine in range(len(model.get_labels()))]
            )
            scores = chosen[~training] @ weights.T
            np.mean(np.array(model.get_labels())[scores.argmax(axis=1)] == labels[~training])
        whole.append(time.perf_counter() - start)
        alone.append(in_train)
    return Refit(min(whole), min(alone))


def compare(shape: Shape) -> str:
    """Return one row of the table."""
    features, labels, subjects = make_clips(shape)
    fitness = SubjectFoldFitness(features, labels, subjects)
    masks = np.random.default_rng(1).random((N_MASKS, shape.n_features)) < 0.5
    fitness.fold_accuracies(masks[:9], np.ones(9))  # compiles
    ours, python, alone = [], [], []
    for C in C_VALUES:
        ours.append(time_engine(fitness, masks, C))
        refit = time_refit(features.astype(np.float64), labels, subjects, masks[0], C)
        python.append(refit.python)
        alone.append(refit.train_alone)
    mean = [np.exp(np.log(times).mean()) for times in (ours, python, alone)]
    return (
        f"| {shape.kind} | {shape.n_clips} x {shape.n_features} | {shape.n_subjects} "
        f"| {shape.n_classes} | {1000 * mean[0]:.3f} | {1 / mean[0]:.0f} | {mean[1] / mean[0]:.0f} "
        f"| {mean[2] / mean[0]:.0f} |"
    )


def main() -> None:
    """Print the table."""
    limit_library_threads()
    print("| features like | clips x features | subjects | classes ", end="")
    print("| ms | per second | x Python refit | x train() |")
    print("|---|---|---|---|---|---|---|---|")
    for shape in SHAPES + INDEPENDENT:
        print(compare(shape), flush=True)


if __name__ == "__main__":
    main()

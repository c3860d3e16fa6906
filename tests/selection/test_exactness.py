"""Predicted classes are LIBLINEAR's at eps 1e-8, on real and on feature-like tables.

500 random pairs of a mask and C from each table: from one feature to all, C from 1e-3 to 1e6, two
classes to all, folds of 1 to 40 clips, classes that a training fold lacks. LIBLINEAR gets the
same clips in an orthonormal basis of what they span, which changes no machine and saves hours.
A prediction that differs must be a tie, or LIBLINEAR's machine must be shown not to be
the optimum by one that is solved as a least-squares problem.
"""

import importlib.util
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from conftest import required
from liblinear.liblinearutil import parameter, problem, train
from numpy.typing import NDArray
from oracles.leave_out import svm_weights

from merec_hpc.selection.fitness.subject_folds import SubjectFoldFitness

TIE = 1e-6  # of the largest decision
N_TASKS, N_PAIRS = 50, 10


@dataclass(frozen=True)
class Task:
    """A table with classes and folds, masks and penalties."""

    features: NDArray[np.float64]
    labels: NDArray[np.int64]
    folds: NDArray[np.int64]
    masks: NDArray[np.bool_]
    C: NDArray[np.float64]


def relu_like() -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    rng = np.random.default_rng(5)
    labels = rng.integers(5, size=71)
    classes = 0.2 * rng.normal(size=(5, 9216))
    latent = 0.3 * rng.normal(size=(71, 20)) @ rng.normal(size=(20, 9216))
    values = np.maximum(rng.normal(size=(71, 9216)) + latent + classes[labels] + 0.3, 0)
    return values.astype(np.float32).astype(np.float64), labels


def nci60() -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    spec = importlib.util.find_spec("ISLP")
    folder = Path(spec.submodule_search_locations[0]) if spec else Path("ISLP")
    values = np.load(required(folder / "data" / "NCI60data.npy", "NCI60 (make test installs it)"))
    names = np.loadtxt(folder / "data" / "NCI60labs.csv", str, delimiter=",", skiprows=1)
    return values, np.unique(names, return_inverse=True)[1]


def lsvt() -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    folder = Path(os.environ.get("MEREC_DATA", "MEREC_DATA-is-not-set"))
    table = np.load(required(folder / "lsvt.npz", "LSVT (set MEREC_DATA)"), allow_pickle=True)
    values = table["X"].astype(np.float64)
    return (values - values.mean(axis=0)) / values.std(axis=0), table["y"]


def draw_tasks(
    values: NDArray[np.float64], classes: NDArray[np.int64], seed: int
) -> Iterator[Task]:
    rng = np.random.default_rng(seed)
    n_clips, n_features = values.shape
    for _ in range(N_TASKS):
        n_classes = int(rng.integers(2, max(2, classes.max() + 1) + 1))
        labels = classes % n_classes
        edges = [0]
        while edges[-1] < n_clips and len(edges) < 7:
            largest = 40 if rng.random() < 0.5 else 8
            edges.append(edges[-1] + int(rng.integers(1, largest + 1)))
        edges = [*(edge for edge in edges if edge < n_clips), n_clips]
        folds = np.repeat(np.arange(len(edges) - 1), np.diff(edges))
        if rng.random() < 0.5:
            folds = rng.permutation(folds)
        elif rng.random() < 0.5:  # clips of a class stand together: some folds take all of it
            folds = folds[np.argsort(np.argsort(labels, kind="stable"), kind="stable")]
        counts = np.exp(rng.uniform(0, np.log(n_features + 1), N_PAIRS)).astype(int)
        counts[:2] = 1, n_features
        masks = np.zeros((N_PAIRS, n_features), np.bool_)
        for mask, count in zip(masks, counts, strict=True):
            mask[rng.permutation(n_features)[: max(count, 1)]] = True
        if len(np.unique(labels)) > 1 and len(edges) > 2:
            yield Task(values, labels, folds, masks, 10 ** rng.uniform(-3, 6, N_PAIRS))


def liblinear_decisions(
    values: NDArray[np.float64], labels: NDArray[np.int64], held_out: NDArray[np.bool_], C: float
) -> NDArray[np.float64]:
    """Return decisions of the held-out clips, (n_held, n_classes), of absent classes -inf."""
    decisions = np.full((held_out.sum(), labels.max() + 1), -np.inf)
    present = np.unique(labels[~held_out])
    if len(present) == 1:
        decisions[:, present] = 0.0
        return decisions
    fold = problem(labels[~held_out].astype(float), np.ascontiguousarray(values[~held_out]))
    model = train(fold, parameter(f"-s 1 -B -1 -e 1e-8 -q -c {float(C)!r}"))
    names = model.get_labels()
    for machine, name in enumerate(names if len(names) > 2 else names[:1]):
        weights = np.array(model.get_decfun(machine)[0])  # without what is 0 in all clips
        decisions[:, int(name)] = values[held_out, : len(weights)] @ weights
    if len(names) == 2:
        decisions[:, int(names[1])] = -decisions[:, int(names[0])]
    return decisions


def optimal_decisions(
    values: NDArray[np.float64], labels: NDArray[np.int64], held_out: NDArray[np.bool_], C: float
) -> NDArray[np.float64]:
    decisions = np.full((held_out.sum(), labels.max() + 1), -np.inf)
    for kind in np.unique(labels[~held_out]):
        signs = np.where(labels[~held_out] == kind, 1.0, -1.0)
        decisions[:, kind] = values[held_out] @ svm_weights(values[~held_out], signs, C)
    return decisions


def is_tied(decisions: NDArray[np.float64], one: int, other: int, scale: float) -> bool:
    return bool(abs(decisions[one] - decisions[other]) <= TIE * scale)


@pytest.mark.parametrize(("table", "seed"), [(relu_like, 1), (nci60, 2), (lsvt, 3)])
def test_predictions_are_those_of_liblinear(table, seed: int) -> None:
    n_pairs = n_same = n_tied = n_improved = 0
    for task in draw_tasks(*table(), seed):
        fitness = SubjectFoldFitness(task.features, task.labels, task.folds)
        assert fitness.classes.tolist() == np.unique(task.labels).tolist()
        predicted = fitness.classes[fitness.predictions(task.masks, task.C)]
        for mask, C, found in zip(task.masks, task.C, predicted, strict=True):
            n_pairs += 1
            triangle = np.linalg.qr(task.features[:, mask].T, mode="r").T  # (n_clips, rank)
            for fold in np.unique(task.folds):
                held_out = task.folds == fold
                rival = liblinear_decisions(triangle, task.labels, held_out, C)
                scale = max(
                    np.abs(rival[np.isfinite(rival)]).max(), 1e-9
                )  # features of 1e-18 are zeros
                for clip, row in zip(np.flatnonzero(held_out), rival, strict=True):
                    if found[clip] == row.argmax():
                        n_same += 1
                    elif is_tied(row, found[clip], row.argmax(), scale):
                        n_tied += 1
                    else:
                        single = held_out & (np.arange(len(held_out)) == clip)
                        others = np.flatnonzero(~held_out | single)
                        best = optimal_decisions(
                            triangle[others], task.labels[others], single[others], C
                        )[0]
                        wins = best.argmax() == found[clip]
                        assert wins or is_tied(best, found[clip], best.argmax(), scale)
                        n_improved += 1
    counts = f"{n_pairs} pairs, {n_same} same, {n_tied} tied, {n_improved} better than LIBLINEAR"
    sys.stdout.write(f"{table.__name__}: {counts}\n")
    assert n_pairs >= 500, counts
    assert n_same > 50 * (n_tied + n_improved), counts

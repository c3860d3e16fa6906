"""Predictions with and without an intercept, against LIBLINEAR's ``-B``, on real tables.

    MEREC_DATA=folder python benchmarks/intercept.py lsvt nci60 results/demo/features/flow.h5

Tables and their folds are those of ``all_selectors.py``, standardised as a whole. Of each, all
features and a random half mask, every C and every bias of ``PENALTIES`` and ``BIASES`` in turn:
each subject is left out, and LIBLINEAR (``-s 2 -e 1e-8``: the primal of the L2-loss SVM) trained anew
with the feature that the bias stands for. "differ" counts the left-out clips that get another
class; "nearest" is how close the two best classes of any of these are in LIBLINEAR's decisions, in units
of the largest; "error" is the largest difference of decisions in that unit.

Exit status 1 if a clip differs whose classes are further than 1e-6 apart.
"""

import argparse
import sys
import time
from itertools import product

import numpy as np
from all_selectors import read
from liblinear.liblinearutil import parameter, problem, train
from numpy.typing import NDArray

from merec_hpc.learning.bias import bias_feature, mean_squares
from merec_hpc.learning.scaling import Scaling
from merec_hpc.parallel.threads import limit_library_threads
from merec_hpc.selection.fitness.subject_folds import SubjectFoldFitness

PENALTIES = (0.01, 1.0)
BIASES = (0.0, 0.1, 1.0)
N_MASKS = 1  # beside that of all features
FAR = 1e-6

Values = NDArray[np.float64]


def liblinear(
    values: Values, labels: NDArray[np.int64], held_out: Values, C: float, constant: float
) -> Values:
    """Return decisions of the held-out clips, (n_held_out, n_classes)."""
    options = parameter(f"-s 2 -e 1e-8 -q -c {C!r} -B {constant or -1}")
    model = train(problem(labels.astype(float), values), options)
    decisions = np.full((len(held_out), labels.max() + 1), -np.inf)
    names = model.get_labels()
    for machine, name in enumerate(names if len(names) > 2 else names[:1]):
        weights, intercept = model.get_decfun(machine)
        decisions[:, name] = held_out @ weights + intercept
    if len(names) == 2:
        decisions[:, names[1]] = -decisions[:, names[0]]
    return decisions


def check(data: str) -> bool:
    """Print a table's row; return whether all clips get the same class."""
    table, start = read(data).features, time.perf_counter()
    values = Scaling.fit(table.values, "standard").apply(table.values)
    labels, subjects = table.labels, np.asarray(table.held_out_by)
    fitness = SubjectFoldFitness(values, labels, subjects)
    rng = np.random.default_rng(0)
    masks = rng.random((1 + N_MASKS, values.shape[1])) < 0.5
    masks[0] = True
    n_compared, n_differ, nearest, error, is_same = 0, 0, np.inf, 0.0, True
    for mask, C, bias in product(masks, PENALTIES, BIASES):
        found = fitness.decisions(mask[None], [C], [bias])[0]
        constant = bias_feature(mean_squares(values), mask, bias) if bias else 0.0
        for subject in np.unique(subjects):
            held = subjects == subject
            chosen = values[:, mask]
            right = liblinear(chosen[~held], labels[~held], chosen[held], C, constant)
            present = np.isfinite(right).all(axis=0) & np.isfinite(found[held]).all(axis=0)
            largest = np.abs(right[:, present]).max()
            error = max(error, np.abs(right - found[held])[:, present].max() / largest)
            differs = right.argmax(axis=1) != found[held].argmax(axis=1)
            best = np.sort(right[:, present], axis=1)
            gaps = (best[:, -1] - best[:, -2]) / largest
            n_compared, n_differ = n_compared + len(right), n_differ + int(differs.sum())
            nearest = min(nearest, gaps[differs].min(initial=np.inf))
            is_same &= not (gaps[differs] > FAR).any()
    print(
        f"| {data} | {values.shape[0]} x {values.shape[1]} | {n_compared} | {n_differ} "
        f"| {'-' if np.isinf(nearest) else f'{nearest:.1e}'} | {error:.1e} "
        f"| {time.perf_counter() - start:.0f} |",
        flush=True,
    )
    return is_same


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="Compare intercepts with LIBLINEAR's.")
    parser.add_argument("data", nargs="+", help="lsvt, nci60, or the path of a feature store")
    arguments = parser.parse_args()
    limit_library_threads()
    print(
        "| table | clips x features | predictions | differ | nearest | error | s |\n"
        "|---|---|---|---|---|---|---|"
    )
    are_same = [check(data) for data in arguments.data]
    sys.exit(int(not all(are_same)))


if __name__ == "__main__":
    main()

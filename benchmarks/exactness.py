"""Decisions against arithmetic in many digits, on real tables.

    MEREC_DATA=folder python benchmarks/exactness.py lsvt nci60 \
        results/vis/features/old.h5 results/casme2/features/old.h5 results/cmu/features/old.h5

Of each table, some tasks (100) are drawn: a mask of one feature to all, C from 1e-5 to 1e6, a bias
of 0, 0.1 or 1, two classes to all of the table (classes are merged), folds of 1 to 40 clips.
Features are as they are, or every one is multiplied by a power of ten, so that it reaches 1e-3 to
1e6; and they are scaled by the fitness or not. The machines of three folds, all classes,
are then solved by ``tests/oracles/refined_digits.py``, which shares no code with the library and
proves its decisions right: from the features that a machine sees, scaled in doubles and with the
constant of a bias. An error is in units of the largest decision of the held-out clips of a
machine and fold. What the library refuses because double precision cannot hold it is counted, and
said on stderr. NCI60 is all of it, LSVT that of ``nested.py`` (as it is, it reaches 8e10), any other
argument a feature store.

Exit status 1 if an error is above 1e-8.
"""

import argparse
import importlib.util
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import nested
import numpy as np
from numpy.typing import NDArray

from merec_hpc.config.base import ScalingName
from merec_hpc.learning.bias import bias_feature, mean_squares, with_constant
from merec_hpc.learning.scaling import Scaling
from merec_hpc.parallel.threads import limit_library_threads
from merec_hpc.selection.fitness.least_squares import IllConditionedError
from merec_hpc.selection.fitness.subject_folds import SubjectFoldFitness
from merec_hpc.store.features import read_features

sys.path.append(str(Path(__file__).parents[1] / "tests"))  # for the reference
from oracles.refined_digits import Clips

Values = NDArray[np.float64]

TOLERANCE = 1e-8
N_FOLDS = 3  # of a task that are compared
LARGEST_FOLD = 40  # clips
SCALINGS: tuple[ScalingName, ...] = ("none", "standard")


@dataclass(frozen=True)
class Task:
    """A table with classes and folds, a mask, C and a bias; clips in the order of the folds."""

    seed: int
    features: Values  # (n_clips, n_features)
    is_wild: bool
    labels: NDArray[np.int64]  # (n_clips,), from 0, none left out
    folds: NDArray[np.int64]  # (n_clips,), from 0, ascending
    mask: NDArray[np.bool_]  # (n_features,)
    C: float
    bias: float
    scaling: ScalingName

    @classmethod
    def draw(cls, table: Values, labels: NDArray[np.int64], seed: int) -> "Task":
        """Draw a task from features (n_clips, n_features) and classes (n_clips,)."""
        rng = np.random.default_rng(seed)
        n_clips, n_features = table.shape
        merged = labels % rng.integers(2, labels.max() + 2)
        order = rng.permutation(n_clips)
        if rng.random() < 0.3:  # clips of a class stand together: some folds take all of it
            order = np.argsort(merged, kind="stable")
        mask = np.zeros(n_features, np.bool_)
        mask[rng.permutation(n_features)[: int(np.exp(rng.uniform(0, np.log(n_features + 1))))]] = 1
        features, is_wild = table[order], rng.random() < 0.5
        if is_wild:
            sizes = np.abs(features).max(axis=0)
            powers = rng.integers(-3, 7, n_features) - np.ceil(np.log10(np.where(sizes, sizes, 1)))
            features = features * 10.0**powers
        return cls(
            seed,
            features,
            bool(is_wild),
            merged[order],
            _draw_folds(rng, n_clips),
            mask,
            float(10 ** rng.uniform(-5, 6)),
            float(rng.choice([0.0, 0.1, 1.0])),
            SCALINGS[rng.integers(2)],
        )

    def decisions(self) -> Values:
        """Return the library's, (n_clips, n_classes)."""
        fitness = SubjectFoldFitness(self.features, self.labels, self.folds, scaling=self.scaling)
        found: Values = fitness.decisions(self.mask[None], [self.C], [self.bias])[0]
        return found

    def seen(self, training: NDArray[np.bool_]) -> Values:
        """Return what the machines of a fold see: scaled features, and the constant of a bias."""
        features = np.asfortranarray(self.features)
        measured = features
        if self.scaling == "standard":
            scaling = Scaling.fit(features[training], "standard")
            features = np.asfortranarray(scaling.apply(features))
            measured = features[training]
        constant = 0.0
        if self.bias:
            constant = bias_feature(mean_squares(measured), self.mask, self.bias)
        return with_constant(features[:, self.mask], constant)

    def errors(self, found: Values, n_folds: int) -> Iterator[tuple[int, int, float, float]]:
        """Yield fold, class, the largest error and the largest decision of some folds' machines."""
        rng = np.random.default_rng(self.seed)
        clips = Clips.of(self.seen(self.folds >= 0)) if self.scaling == "none" else None
        n_all = int(self.folds[-1]) + 1
        for fold in rng.permutation(n_all)[:n_folds].tolist():
            training = self.folds != fold
            exact = clips or Clips.of(self.seen(training))
            present = np.unique(self.labels[training]).tolist()
            for kind in present[:1] if self.labels.max() == 1 else present:
                target = np.where(self.labels == kind, 1.0, -1.0)
                penalties = np.full(len(target), self.C)
                right = exact.decisions(target, penalties, training)[~training]
                error = np.abs(found[~training, kind] - right).max()
                yield fold, kind, float(error), float(np.abs(right).max())

    def __str__(self) -> str:
        """Say what it is in one line."""
        return (
            f"seed {self.seed}: {self.mask.sum()} features{' of all sizes' * self.is_wild}, "
            f"{self.labels.max() + 1} classes, C {self.C:.2e}, bias {self.bias}, {self.scaling}"
        )


def _draw_folds(rng: np.random.Generator, n_clips: int) -> NDArray[np.int64]:
    """Draw at least two folds, of up to 40 clips, or all of up to 8."""
    largest = LARGEST_FOLD if rng.random() < 0.5 else 8
    sizes = rng.integers(1, min(largest, n_clips - 1) + 1, n_clips)
    return np.repeat(np.arange(n_clips), sizes)[:n_clips]


def read(data: str) -> tuple[Values, NDArray[np.int64]]:
    """Return features and classes of an argument."""
    if data == "lsvt":
        table = nested.lsvt()
        return table.features, np.unique(table.labels, return_inverse=True)[1]
    if data == "nci60":
        return nci60()
    if not Path(data).is_file():
        sys.exit(f"lsvt, nci60 or the path of a feature store expected, found '{data}'")
    features = read_features(Path(data))
    return features.values.astype(np.float64), np.unique(features.labels, return_inverse=True)[1]


def nci60() -> tuple[Values, NDArray[np.int64]]:
    """Return all 14 classes of NCI60, some of a single sample."""
    spec = importlib.util.find_spec("ISLP")
    if spec is None or not spec.submodule_search_locations:
        sys.exit("NCI60 needs the package ISLP")
    folder = Path(spec.submodule_search_locations[0]) / "data"
    names = np.loadtxt(folder / "NCI60labs.csv", str, delimiter=",", skiprows=1)
    values = np.load(folder / "NCI60data.npy").astype(np.float64)
    return values, np.unique(names, return_inverse=True)[1]


@dataclass
class Tally:
    """What a table's tasks have shown."""

    worst: float = 0.0
    n_machines: int = 0
    n_over: int = 0
    n_refused: int = 0

    def take(self, data: str, task: Task) -> None:
        """Compare one task."""
        try:
            found = task.decisions()
        except IllConditionedError as refusal:
            self.n_refused += 1
            say(f"{data}: {task}: refused: {refusal}")
            return
        is_right = True
        for fold, kind, error, largest in task.errors(found, N_FOLDS):
            relative = error / max(largest, np.finfo(float).tiny)
            self.worst, self.n_machines = max(self.worst, relative), self.n_machines + 1
            if not relative <= TOLERANCE:
                is_right = False
                say(f"{data}: {task}: fold {fold}, class {kind}: {error:.1e} of {largest:.1e}")
        self.n_over += not is_right


def say(line: str) -> None:
    """Say what a row of the table does not."""
    print(line, file=sys.stderr, flush=True)


def check(data: str, n_tasks: int, first: int) -> int:
    """Print a table's row; return how many tasks have an error above the tolerance."""
    (features, labels), start, tally = read(data), time.perf_counter(), Tally()
    for seed in range(first, first + n_tasks):
        tally.take(data, Task.draw(features, labels, seed))
    print(
        f"| {data} | {len(features)} x {features.shape[1]} | {labels.max() + 1} | {n_tasks} "
        f"| {tally.n_machines} | {tally.worst:.1e} | {tally.n_over} | {tally.n_refused} "
        f"| {time.perf_counter() - start:.0f} |",
        flush=True,
    )
    return tally.n_over


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="Compare decisions with many digits.")
    parser.add_argument("data", nargs="+", help="lsvt, nci60, or the path of a feature store")
    parser.add_argument("--tasks", type=int, default=100, help="of each table, default 100")
    parser.add_argument("--first", type=int, default=0, help="seed of the first task, default 0")
    arguments = parser.parse_args()
    limit_library_threads()
    print(
        "| table | clips x features | classes | tasks | machines compared | largest error "
        "| tasks over 1e-8 | refused | s |\n|---|---|---|---|---|---|---|---|---|"
    )
    over = [check(data, arguments.tasks, arguments.first) for data in arguments.data]
    sys.exit(int(any(over)))


if __name__ == "__main__":
    main()

"""Whole searches of the presets' shapes by the command, on two ranks and on one.

    python benchmarks/full_runs.py

Population 50 with ten migrants, 50 generations, every outer fold (four for casme2) in one
launch; start-up included, and for the first line also the compilation of the kernels, into a
fresh cache. Peak memory is that of one rank; most of it are libraries.
"""

import os
import re
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from synthetic import SHAPES, Shape, make_clips

from merec_hpc.config.features import FeatureSettings
from merec_hpc.records import Features
from merec_hpc.store.features import write_features

SETTINGS = '{"n_islands": 1, "bias": "none"}'
MPIEXEC = str(Path(sys.executable).parent / "mpiexec")
PEAK = """
import atexit, resource, sys
from merec_hpc.cli import main
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
atexit.register(lambda: sys.stderr.write(f"peak_mb {peak()}\\n"))
main()
"""


@dataclass(frozen=True)
class Run:
    """One launch."""

    name: str
    shape: Shape
    n_folds: int
    n_ranks: int
    cold: bool = False


def write_clips(path: Path, shape: Shape) -> list[str]:
    """Write a feature store, and return its subjects."""
    values, labels, owners = make_clips(shape)
    subjects = np.array([f"s{owner:02d}" for owner in owners])
    features = Features(
        values=values,
        labels=labels,
        subjects=subjects,
        clips=np.array([f"clip{index:03d}" for index in range(len(labels))]),
        names=np.arange(shape.n_features).astype(str),
        class_names=np.array([f"class{kind}" for kind in range(shape.n_classes)]),
    )
    write_features(path, features, FeatureSettings(), "0" * 64)
    return list(dict.fromkeys(subjects.tolist()))


def launch(run: Run, folder: Path, cache: Path) -> str:
    """Return one row of the table."""
    store = folder / f"{run.name}.h5"
    folds = write_clips(store, run.shape)[: run.n_folds]
    arguments: list[str] = []
    for fold in folds:
        arguments += ["--held-out", fold, "--output", str(folder / f"{run.name}-{fold}.h5")]
    ranks = str(run.n_ranks)
    options = ["--store", str(store), "--settings", SETTINGS, "--scaling", "none", "--ranks", ranks]
    environment = os.environ | {"XDG_CACHE_HOME": str(cache)}
    start = time.perf_counter()
    done = subprocess.run(
        [MPIEXEC, "-n", ranks, sys.executable, "-c", PEAK, "select-genetic", *options, *arguments],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    elapsed = time.perf_counter() - start
    if done.returncode != 0:
        sys.exit(done.stderr)
    peak = max(int(found) for found in re.findall(r"peak_mb (\d+)", done.stderr))
    return (
        f"| {run.name} | {run.shape.n_clips} x {run.shape.n_features} | {len(folds)} "
        f"| {run.n_ranks} | {'yes' if run.cold else 'no'} | {elapsed:.1f} | {peak} |"
    )


def main() -> None:
    """Print the table."""
    vis, hs, casme2 = SHAPES[:3]
    runs = [Run("vis", vis, 8, 2, cold=True)]
    runs += [Run("vis", vis, 8, 1), Run("vis", vis, 8, 2), Run("hs", hs, 16, 2)]
    runs += [Run("casme2", casme2, 4, 2), Run("casme2", casme2, 4, 1)]
    print("| preset | clips x features | folds | ranks | compiled | s | peak MB a rank |")
    print("|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as name:
        for run in runs:
            print(launch(run, Path(name), Path(name) / "cache"), flush=True)


if __name__ == "__main__":
    main()

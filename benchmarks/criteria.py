"""Criteria, a penalty on departing from all features, and several groupings, nested.

    OMP_NUM_THREADS=1 python benchmarks/criteria.py FEATURES...

FEATURES are feature stores, or tables as ``merec select`` takes them. Each subject is left out in
turn; whatever is learnt is learnt from the others. The search is shortened: one population of 50, 20
generations; forward search ends after 8 steps. Inner fitness is printed beside accuracy: of
mu_minus_variance and the like it should not be far above it; other criteria have units of their own.
"""

import sys
import time
from pathlib import Path
from typing import Any

from merec_hpc.config.evaluation import Method
from merec_hpc.config.scaling import STANDARD
from merec_hpc.config.selection import (
    AllFeaturesSettings,
    ForwardSettings,
    GeneticSettings,
    InnerSettings,
    RandomMasksSettings,
)
from merec_hpc.evaluation.permutation import run_on
from merec_hpc.parallel.communicator import SerialCommunicator
from merec_hpc.parallel.threads import limit_library_threads
from merec_hpc.selection.training_folds import read_clips

METHODS: dict[str, tuple[type[InnerSettings], dict[str, Any]]] = {
    "all_features": (AllFeaturesSettings, {}),
    "random_masks": (RandomMasksSettings, {}),
    "forward": (ForwardSettings, {"n_steps": 8}),
    "genetic": (GeneticSettings, {"n_islands": 1, "n_generations": 20}),
}
INNER: dict[str, dict[str, Any]] = {
    "mu_minus_variance": {},
    "pooled_uf1": {"criterion": "pooled_uf1"},
    "balanced_hinge": {"criterion": "balanced_hinge"},
    "balanced_log_loss": {"criterion": "balanced_log_loss"},
    "mu_minus_variance, departure_penalty 0.1": {"departure_penalty": 0.1},
    "mu_minus_variance, n_inner_folds 5": {"n_inner_folds": 5},
    "mu_minus_variance, n_inner_folds 5, n_groupings 5": {"n_inner_folds": 5, "n_groupings": 5},
}


def main() -> None:
    """Print a table for each file."""
    limit_library_threads()
    for path in map(Path, sys.argv[1:]):
        features = read_clips(path, SerialCommunicator())
        print(f"{path.name}: {len(features.labels)} clips, {features.values.shape[1]} features\n")
        print("| scored by | method | accuracy | UAR | UF1 | inner fitness | CPU s |")
        print("|---|---|---|---|---|---|---|")
        for name, inner in INNER.items():
            for method, (kind, own) in METHODS.items():
                start = time.process_time()
                run, _ = run_on(
                    features, Method(method), kind(bias=(0.0,), **own, **inner), STANDARD
                )
                scores = " | ".join(f"{run.scores[one]:.3f}" for one in ("accuracy", "UAR", "UF1"))
                seconds = time.process_time() - start
                row = f"| {name} | {method} | {scores} | {run.inner_fitness:.3f} | {seconds:.0f} |"
                print(row, flush=True)
        print()


if __name__ == "__main__":
    main()

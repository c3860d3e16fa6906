"""A small experiment, a copy of the workflow to run it in, and what Snakemake says."""

import re
import shutil
import subprocess
from collections import Counter
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]

SMALL = {
    "experiment": "small",
    "simulated": {"n_subjects": 3, "n_clips": 12, "peak_displacement_px": [2.0, 3.0]},
    "interpolation": {"n_frames": 5},
    "genetic": {
        "n_islands": 2,
        "n_individuals": 8,
        "n_random_migrants": 2,
        "n_generations": 3,
        "migration_interval": 1,
    },
    "evaluation": {"n_bootstraps": 50},
}
AFTER_SELECTION = {"collect_predictions", "evaluate_folds", "render_report", "all"}


def workflow_copy(folder: Path) -> Path:
    """Put the workflow, without results, where a test may change it."""
    for name in ("Snakefile", "config.yaml"):
        shutil.copy(REPOSITORY / name, folder / name)
    for name in ("workflow", "config", "profiles", "slurm"):
        shutil.copytree(REPOSITORY / name, folder / name)
    return folder


def planned_rules(run: subprocess.CompletedProcess[str]) -> set[str]:
    """Return the names of the rules in the last table of job counts."""
    return set(planned_counts(run))


def planned_counts(run: subprocess.CompletedProcess[str]) -> Counter[str]:
    """Return how many jobs of each rule the last table of job counts has."""
    assert run.returncode == 0, run.stdout + run.stderr
    said = run.stdout + run.stderr
    if "Nothing to be done" in said:
        return Counter()
    table = said[said.rindex("Job stats:") :]
    counts = dict(re.findall(r"^(\w+) +(\d+)$", table, flags=re.MULTILINE))
    return Counter({rule: int(count) for rule, count in counts.items() if rule != "total"})

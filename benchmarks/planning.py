"""How long Snakemake plans: a finished workflow, and a sweep of 5000 searches.

    python benchmarks/planning.py

Runs a small simulated experiment first; weights are those of resources/weights.
"""

import json
import re
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]
N_SEEDS = 1667
SMALL = {
    "experiment": "small",
    "simulated": {"n_subjects": 3, "n_clips": 12},
    "interpolation": {"n_frames": 5},
    "genetic": {"n_individuals": 8, "n_random_migrants": 2, "n_generations": 3},
    "evaluation": {"n_bootstraps": 50},
}


def snakemake(folder: Path, config: dict[str, object], *arguments: str) -> tuple[float, str]:
    """Run Snakemake, and return seconds and what it said."""
    (folder / "own.yaml").write_text(json.dumps(config))  # JSON is YAML
    command = ["snakemake", "--configfile", "own.yaml", *arguments]
    start = time.perf_counter()
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - start
    if done.returncode:
        raise RuntimeError(done.stdout + done.stderr)
    return seconds, done.stdout + done.stderr


def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        for name in ("Snakefile", "config.yaml"):
            shutil.copy(REPOSITORY / name, folder)
        for name in ("workflow", "slurm", "resources"):
            shutil.copytree(REPOSITORY / name, folder / name)
        snakemake(folder, SMALL, "--cores", "2")
        again, said = snakemake(folder, SMALL, "--profile", "slurm", "--dry-run")
        assert "Nothing to be done" in said
        sweep = {**SMALL, "sweep": {"seeds": list(range(N_SEEDS))}}
        planned, said = snakemake(
            folder, sweep, "--profile", "slurm", "--dry-run", "--quiet", "rules", "--", "sweep"
        )
        n_searches = re.findall(r"^sweep_select_genetic +(\d+)$", said, re.MULTILINE)[-1]
    print("| planned with --profile slurm | searches | s |")
    print("|---|---|---|")
    print(f"| a finished workflow | 0 | {again:.1f} |")
    print(f"| a sweep of {N_SEEDS} seeds, 3 folds | {n_searches} | {planned:.1f} |")


if __name__ == "__main__":
    main()

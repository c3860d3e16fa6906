"""A throw-away cluster for all tests, and an experiment that was run through it."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml
from cluster.slurm import SlurmCluster
from snakemake.utils import update_config
from workflow.small import SMALL, workflow_copy

# SMIC's layout, written by the simulator: subjects can be added to a folder.
CONFIG = {
    **{key: value for key, value in SMALL.items() if key != "simulated"},
    "features": {"extractor": "network"},
    "clips": {"keep": True},
    "dataset": "smic",
    "dataset_root": "dataset",
}
SUBJECTS = {"n_subjects": 4, "n_clips": 16}
LAST_SUBJECT = "s14"

SITE = {
    # Two ranks on two nodes of few real cores.
    "set-resources": {"select_genetic": {"tasks": 2, "nodes": 2}},
    # Jobs take seconds.
    "slurm-init-seconds-before-status-checks": 8,
    "latency-wait": 5,
}

# Snakemake waits ten seconds longer each time it asks in vain for a job's state: a machine that is
# a little slower makes it wait for minutes more. A run takes two on two idle cores.
PATIENCE_S = 900


@dataclass
class Experiment:
    """A folder with the workflow, and Snakemake in it."""

    folder: Path
    cluster: SlurmCluster
    config: dict[str, Any] = field(default_factory=lambda: dict(CONFIG))
    started: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def command(self, *arguments: str, profile: dict[str, Any] | None = None) -> list[str]:
        """Return Snakemake's command line on the cluster, with some of the profile changed."""
        (self.folder / "own.yaml").write_text(yaml.safe_dump(self.config))
        site = yaml.safe_load((self.folder / "slurm" / "config.yaml").read_text())
        update_config(site, SITE)
        update_config(site, profile or {})
        (self.folder / "site").mkdir(exist_ok=True)
        (self.folder / "site" / "config.yaml").write_text(yaml.safe_dump(site))
        return ["snakemake", "--configfile", "own.yaml", "--profile", "site", *arguments]

    def run(
        self, *arguments: str, profile: dict[str, Any] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run Snakemake on the cluster to its end."""
        return self.call(self.command(*arguments, profile=profile))

    def run_here(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run Snakemake without the cluster."""
        (self.folder / "own.yaml").write_text(yaml.safe_dump(self.config))
        return self.call(["snakemake", "--configfile", "own.yaml", "--cores", "2", *arguments])

    def start(
        self, *arguments: str, profile: dict[str, Any] | None = None
    ) -> subprocess.Popen[bytes]:
        """Start Snakemake on the cluster, and return the process; it writes to said.log."""
        with (self.folder / "said.log").open("w") as log:
            started = subprocess.Popen(
                self.command(*arguments, profile=profile),
                cwd=self.folder,
                env=self.cluster.environment,
                stdout=log,
                stderr=log,
            )
        self.started.append(started)
        return started

    def kill(self) -> None:
        """Kill each Snakemake that was started and still runs, and remove its lock."""
        for started in self.started:
            if started.poll() is None:
                started.kill()
                started.wait()
                unlocked = self.run("--unlock")
                assert unlocked.returncode == 0, unlocked.stderr

    def call(self, command: list[str]) -> subprocess.CompletedProcess[str]:
        """Run a command in the folder, in the environment of a login node."""
        return subprocess.run(
            # An end by SIGTERM would leave Snakemake waiting.
            ["timeout", "-k", "10", "-s", "INT", str(PATIENCE_S), *command],
            cwd=self.folder,
            env=self.cluster.environment,
            capture_output=True,
            text=True,
            check=False,
        )

    @property
    def results(self) -> Path:
        """The folder of the results."""
        return self.folder / "results" / str(self.config["experiment"])

    def selection(self, fold: str) -> Path:
        """The file of a fold's genetic selection."""
        return self.results / "selection" / "genetic" / f"{fold}.h5"

    def account(self) -> str:
        """Return what an assertion should say of a run that failed: the jobs, and their logs' ends."""
        logs = sorted((self.folder / "logs").rglob("*.log"), key=lambda log: log.stat().st_mtime)
        ends = (f"{log}:\n{log.read_text(errors='replace')[-1500:]}" for log in logs[-6:])
        return "\n".join([str(self.cluster.jobs()), str(self.cluster.node_states()), *ends])

    def contents(self, pattern: str) -> dict[str, bytes]:
        """Return what files of the results hold, by their names."""
        return {
            str(path.relative_to(self.results)): path.read_bytes()
            for path in sorted(self.results.glob(pattern))
        }


@pytest.fixture(scope="session")
def cluster() -> Iterator[SlurmCluster]:
    """Two virtual nodes."""
    running = SlurmCluster()
    try:
        running.start()
        yield running
    finally:
        running.stop()


@pytest.fixture(scope="session")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A simulated dataset of four subjects."""
    folder = tmp_path_factory.mktemp("dataset") / "simulated"
    command = ["merec", "simulate", "--output", str(folder), "--settings", json.dumps(SUBJECTS)]
    subprocess.run([*command, "--threads", "2"], check=True, capture_output=True)
    return folder


def make_experiment(
    folder: Path, cluster: SlurmCluster, dataset: Path, weights: Path
) -> Experiment:
    """Set up the experiment without the last subject."""
    workflow_copy(folder)
    shutil.copytree(weights, folder / "resources" / "weights")
    left_out = shutil.ignore_patterns(LAST_SUBJECT)
    shutil.copytree(dataset, folder / "dataset", ignore=left_out)
    return Experiment(folder, cluster)


@pytest.fixture(scope="session")
def finished(
    tmp_path_factory: pytest.TempPathFactory, cluster: SlurmCluster, dataset: Path, weights: Path
) -> Experiment:
    """The experiment, run from frames to report by jobs of the cluster."""
    folder = tmp_path_factory.mktemp("finished")
    experiment = make_experiment(folder, cluster, dataset, weights)
    done = experiment.run()
    assert done.returncode == 0, done.stdout + done.stderr + experiment.account()
    return experiment

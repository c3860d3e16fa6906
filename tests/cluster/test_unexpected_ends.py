"""Whatever ends a search on the cluster, nothing is lost and the same bytes come out."""

import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cluster.experiment import PATIENCE_S, Experiment
from cluster.slurm import SlurmCluster, wait_until

from merec_hpc.config.base import to_json
from merec_hpc.config.selection import GeneticSettings

FOLD = "s11"
# Some six seconds on two ranks; with biases to choose from five times as long.
LONG = {
    "bias": "none",
    "n_islands": 4,
    "n_individuals": 100,
    "n_random_migrants": 10,
    "n_generations": 700,
    "migration_interval": 10,
}
# Longer than a minute, which is the shortest limit: SLURM may send the signal late.
LONGER = {**LONG, "n_generations": 7500}
Started = subprocess.Popen[bytes]
TARGET = f"results/small/selection/genetic/{FOLD}.h5"
LOG = f"logs/select_genetic/small/{FOLD}.log"


@pytest.fixture(scope="module")
def expected(finished: Experiment) -> bytes:
    """What a search without any fault writes."""
    return search_here(finished, LONG)


@pytest.fixture(scope="module")
def expected_of_longer(finished: Experiment) -> bytes:
    """What a longer search without any fault writes."""
    return search_here(finished, LONGER)


def search_here(finished: Experiment, settings: dict[str, Any]) -> bytes:
    """Return what a search writes that nothing ends."""
    output = finished.folder / "expected.h5"
    command = ["mpiexec", "-n", "2", "python", "-m", "mpi4py", "-m", "merec_hpc", "select-genetic"]
    command += ["--ranks", "2", "--store", "results/small/features/mobilenet_v2.h5"]
    command += ["--held-out", FOLD, "--scaling", "standard", "--output", str(output)]
    command += ["--settings", to_json(GeneticSettings(**settings))]
    subprocess.run(command, cwd=finished.folder, check=True, capture_output=True)
    return output.read_bytes()


@pytest.fixture
def experiment(finished: Experiment, cluster: SlurmCluster) -> Iterator[Experiment]:
    """The finished experiment, before a longer search; the cluster is empty afterwards."""
    own = Experiment(finished.folder, cluster, {**finished.config, "genetic": LONG})
    for path in own.selection(FOLD).parent.glob(f"{FOLD}.h5*"):
        path.unlink()
    shutil.rmtree(own.folder / "logs" / "slurm", ignore_errors=True)
    yield own
    own.kill()
    cluster.output("scancel", "--user", "root")
    wait_until(lambda: not running_jobs(cluster), PATIENCE_S, "empty cluster")


def running_jobs(cluster: SlurmCluster) -> list[str]:
    """Return the numbers of jobs that are not over."""
    over = {"COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "NODE_FAIL", "OUT_OF_MEMORY"}
    return [job for job, state in cluster.jobs().items() if state not in over]


def ranks(folder: Path) -> list[int]:
    """Return the numbers of the processes that search in the folder."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            command = (entry / "cmdline").read_bytes().split(b"\0")
            place = (entry / "cwd").readlink()
        except OSError:
            continue
        if b"select-genetic" in command and b"python" in command[0] and place == folder:
            found.append(int(entry.name))
    return found


def start_search(experiment: Experiment, profile: dict[str, Any] | None = None) -> Started:
    """Start Snakemake, and return when the search has written a checkpoint."""
    started = experiment.start(TARGET, profile=profile)
    checkpoint = experiment.selection(FOLD).with_name(f"{FOLD}.h5.checkpoint.former")
    wait_until(lambda: checkpoint.exists() or started.poll() is not None, PATIENCE_S, "checkpoint")
    assert started.poll() is None, (experiment.folder / "said.log").read_text()
    return started


def finish(experiment: Experiment, started: Started, expected: bytes) -> None:
    """Wait for Snakemake, which must end well, with the expected selection."""
    assert started.wait(PATIENCE_S) == 0, (experiment.folder / "said.log").read_text()
    assert_same(experiment, expected)


def assert_same(experiment: Experiment, expected: bytes) -> None:
    assert experiment.selection(FOLD).read_bytes() == expected
    assert list(experiment.selection(FOLD).parent.glob("*.partial")) == []


def n_jobs(experiment: Experiment) -> int:
    """Return how many jobs were submitted for the search."""
    return len(search_logs(experiment))


def search_logs(experiment: Experiment) -> list[Path]:
    """Return SLURM's logs of the search, first to last."""
    logs = (experiment.folder / "logs" / "slurm" / "group_searches_0_select_genetic").glob("*.log")
    return sorted(logs, key=lambda path: int(path.stem))


def went_on(experiment: Experiment) -> bool:
    """Return whether the last search began where another had stopped."""
    log = (experiment.folder / LOG).read_text()
    found = re.search(r"the search goes on after generation (\d+)", log)
    return found is not None and int(found[1]) > 0


def test_a_rank_is_killed(experiment: Experiment, expected: bytes) -> None:
    started = start_search(experiment)
    assert len(ranks(experiment.folder)) >= 2
    os.kill(ranks(experiment.folder)[-1], signal.SIGKILL)
    finish(experiment, started, expected)
    assert n_jobs(experiment) == 2
    assert went_on(experiment)


@pytest.mark.longer
def test_the_daemon_of_a_node_is_killed_and_restarted_at_once(
    experiment: Experiment, cluster: SlurmCluster, expected: bytes
) -> None:
    started = start_search(experiment)
    cluster.kill("n2")
    time.sleep(3)
    cluster.start_node("n2")
    finish(experiment, started, expected)
    assert n_jobs(experiment) == 1  # its steps live on without the daemon
    wait_until(lambda: set(cluster.node_states()) == {"idle"}, PATIENCE_S, "idle nodes")


@pytest.mark.longer
def test_a_node_is_lost_and_comes_back(
    experiment: Experiment, cluster: SlurmCluster, expected_of_longer: bytes
) -> None:
    experiment.config["genetic"] = LONGER
    started = start_search(experiment)
    cluster.kill("n1")
    wait_until(lambda: "NODE_FAIL" in cluster.jobs().values(), PATIENCE_S, "lost job")
    cluster.start_node("n1")
    finish(experiment, started, expected_of_longer)
    assert n_jobs(experiment) == 2
    assert went_on(experiment)
    wait_until(lambda: set(cluster.node_states()) == {"idle"}, PATIENCE_S, "idle nodes")


@pytest.mark.longer
def test_a_job_reaches_its_time_limit(experiment: Experiment, expected_of_longer: bytes) -> None:
    experiment.config["genetic"] = LONGER
    # SLURM counts in minutes, and may send the signal up to a minute early. The second job has time
    # on any machine.
    limits = {"runtime": "1 if attempt == 1 else 30", "slurm_extra": "\"'--signal=USR1@55'\""}
    started = start_search(experiment, {"set-resources": {"select_genetic": limits}})
    finish(experiment, started, expected_of_longer)
    assert n_jobs(experiment) == 2
    assert went_on(experiment)
    # Not asserted: that it stopped by itself. A signal that comes while ranks still start ends them.


@pytest.mark.longer
def test_a_job_is_cancelled(experiment: Experiment, cluster: SlurmCluster, expected: bytes) -> None:
    started = start_search(experiment)
    wait_until(lambda: len(running_jobs(cluster)) == 1, PATIENCE_S, "one job")
    cluster.output("scancel", *running_jobs(cluster))
    finish(experiment, started, expected)
    assert n_jobs(experiment) == 2
    assert went_on(experiment)


@pytest.mark.longer
def test_memory_runs_out_and_the_next_job_has_more(
    experiment: Experiment, cluster: SlurmCluster, expected: bytes
) -> None:
    memory = {"mem_mb_per_cpu": "150 if attempt == 1 else 1200"}
    started = experiment.start(TARGET, profile={"set-resources": {"select_genetic": memory}})
    finish(experiment, started, expected)
    asked = [
        re.search(r"MinMemoryCPU=(\d+)M", cluster.output("scontrol", "show", "job", log.stem))
        for log in search_logs(experiment)
    ]
    assert [found and found[1] for found in asked] == ["150", "1200"]


@pytest.mark.longer
def test_the_disk_is_full(experiment: Experiment, expected: bytes) -> None:
    place = experiment.selection(FOLD).parent
    kept = {path.name: path.read_bytes() for path in place.iterdir()}
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(place)], check=True)
    try:
        (place / "other").write_bytes(bytes(2**20 - 2**16))
        done = experiment.run(TARGET, profile={"retries": 0})
        assert done.returncode != 0
        assert "room to write expected, found no room" in (experiment.folder / LOG).read_text()
        left = {path.name for path in place.iterdir()}
        assert not experiment.selection(FOLD).exists()
        assert not any(name.endswith(".partial") for name in left)
        (place / "other").unlink()
        subprocess.run(["mount", "-o", "remount,size=20m", str(place)], check=True)
        done = experiment.run(TARGET)
        assert done.returncode == 0, done.stdout + done.stderr
        assert_same(experiment, expected)
    finally:
        subprocess.run(["umount", str(place)], check=True)
    assert {path.name: path.read_bytes() for path in place.iterdir()} == kept


@pytest.mark.longer
def test_the_controller_is_killed_and_started_again(
    experiment: Experiment, cluster: SlurmCluster, expected_of_longer: bytes
) -> None:
    experiment.config["genetic"] = LONGER
    start_search(experiment)
    experiment.kill()
    again = experiment.start(TARGET)
    # The former job still searches, and writes what the new one writes.
    wait_until(
        lambda: list(cluster.jobs().values()).count("RUNNING") == 2, PATIENCE_S, "second job"
    )
    finish(experiment, again, expected_of_longer)


def test_ranks_that_do_not_find_each_other_are_refused(experiment: Experiment) -> None:
    alone = {"mpi": "'srun --mpi=none --cpus-per-task=1'"}
    profile = {"retries": 0, "set-resources": {"select_genetic": alone}}
    done = experiment.run(TARGET, profile=profile)
    assert done.returncode != 0
    assert "2 rank(s) expected (--ranks), found 1" in (experiment.folder / LOG).read_text()
    assert not experiment.selection(FOLD).exists()


def test_the_doctor_knows_a_wrong_pmi(experiment: Experiment) -> None:
    wrong = experiment.call(["merec", "doctor", "--launcher", "srun --mpi=none"])
    assert wrong.returncode == 1
    assert "starts 2 worlds of one rank" in wrong.stdout
    right = experiment.call(["merec", "doctor", "--launcher", "srun --mpi=pmi2"])
    assert right.returncode == 0, right.stdout
    assert "ok    ranks: 'srun --mpi=pmi2' starts 2 that know each other" in right.stdout
    assert "keep slurm-status-command: squeue" in right.stdout

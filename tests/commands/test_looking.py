"""The commands that look: plan before a run, status while it runs, doctor when it does not."""

import os
import re
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from conftest import REPOSITORY

from merec_hpc.config.features import FeatureSettings
from merec_hpc.dataset.catalog import write_catalog
from merec_hpc.dataset.clip import Clip
from merec_hpc.dataset.sources import Folder
from merec_hpc.records import Features
from merec_hpc.store.features import write_features


def merec(folder: Path, *arguments: str, path: str = "") -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"COLUMNS": "200"}
    if path:
        environment["PATH"] = path
    return subprocess.run(
        [sys.executable, "-m", "merec_hpc", *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


ENDLESS = '{"n_generations": 1000000, "n_islands": 2, "n_individuals": 8, "n_random_migrants": 2}'
CONFIG = ("--configfile", str(REPOSITORY / "config.yaml"))


def cells(said: str, rule: str) -> list[str]:
    """Return the cells of a table's row."""
    line = next(line for line in said.splitlines() if re.search(rf"\b{rule}\b", line))
    return [cell.strip() for cell in re.split("[│┃|]", line) if cell.strip()]


def test_a_plan_counts_jobs_hours_memory_and_disk(tmp_path: Path) -> None:
    planned = merec(tmp_path, "plan", *CONFIG, "--ranks", "8", "--cores-per-node", "32")
    assert planned.returncode == 0, planned.stderr
    said = planned.stdout
    # The simulated clips are known to the frame before there are any.
    assert "71 clips, 8 subjects, 639 frames, 8 folds (as they will be simulated)" in said
    assert "a search of 2352 features (made up)" in said
    assert cells(said, "select all_features")[1:3] == ["8", "0"]
    rule, jobs, done, cores, minutes, asked, expected, _, disk = cells(said, "select_genetic")
    assert (rule, jobs, done, cores, asked) == ("select_genetic", "8", "0", "8", "8000")
    assert 0 < float(minutes) < 60
    assert float(expected) > 8 * 250
    assert disk.endswith("MB")
    assert "node-hours at 32 cores a node" in said
    # 4 islands: 50 founders, then 50 generations of 49 children and 10 migrants.
    assert "at most 12000 evaluations" in said
    assert re.search(r"^44 jobs to run, .* MB a job, .* MB on disk$", said, re.MULTILINE), said


def test_a_plan_of_a_sweep_counts_all_searches(tmp_path: Path) -> None:
    keys = (
        "--config",
        "sweep={seeds: [0, 1, 2], networks: [mobilenet_v2], layers: [features.14, features.18]}",
    )
    planned = merec(tmp_path, "plan", *CONFIG, *keys, "--sweep")
    assert planned.returncode == 0, planned.stderr
    # features.14 has 160 channels, features.18 1280: two kinds of 3 seeds and 8 folds each.
    for layer, n_features in (("features.14", 320), ("features.18", 2560)):
        assert cells(planned.stdout, f"sweep_select_genetic .*{layer}/.*mean.std")[1] == "24"
        assert cells(planned.stdout, f"sweep_extract_features .*{layer}/")[1] == "1"
        assert f"a search of {n_features} features (made up)" in planned.stdout
    assert cells(planned.stdout, "sweep_evaluate_folds")[1] == "6"
    assert cells(planned.stdout, "sweep_evaluate_seeds")[1] == "2"


def test_a_plan_measures_every_kind_of_selector_and_counts_permuted_runs(tmp_path: Path) -> None:
    keys = {
        "features": "{extractor: network, layer: features.2}",
        "evaluation": "{methods: [all_features, random_masks+ensemble, fisher, mrmr, forward, "
        "backward, ranked_forward_gini, ant_colony], protocol: subject_folds, n_folds: 4}",
        "permutation": "{n_permutations: 25, methods: [fisher, genetic+hall_of_fame]}",
        "forward": "{n_steps: 3, n_inner_folds: 2}",
        "ranking": "{n_selected_values: [5, 10]}",
        "ant_colony": "{classifier: random_forest, n_ants: 2, n_iterations: 1}",
    }
    options = [option for key, value in keys.items() for option in ("--config", f"{key}={value}")]
    planned = merec(tmp_path, "plan", *CONFIG, *options)
    assert planned.returncode == 0, planned.stderr
    for selector in ("all_features", "random_masks", "fisher", "ranked_forward_gini", "ant_colony"):
        row = cells(planned.stdout, f"select {selector}")
        assert row[1] == "4"
        assert float(row[4]) > 0
    for method in ("fisher", "genetic.hall_of_fame"):
        assert cells(planned.stdout, f"run_permutation {method}")[1] == "2"
    assert cells(planned.stdout, "evaluate_folds")[1] == "8"
    assert "select_genetic" not in planned.stdout
    assert (
        "on the inner folds: n_inner_folds: one subject at a time of all_features" in planned.stdout
    )


def test_a_plan_without_a_size_says_what_it_needs(tmp_path: Path) -> None:
    keys = ("--config", "dataset=manifest", "--config", "dataset_root=nowhere")
    planned = merec(tmp_path, "plan", *CONFIG, *keys)
    assert planned.returncode == 2
    assert "or its folder, or --clips and --subjects, found none of them" in planned.stderr
    half = merec(tmp_path, "plan", *CONFIG, *keys, "--clips", "40")
    assert (half.returncode, half.stderr) == (
        2,
        "merec: --clips and --subjects expected together, found one of them\n",
    )
    sized = merec(tmp_path, "plan", *CONFIG, *keys, "--clips", "40", "--subjects", "5")
    assert sized.returncode == 0, sized.stderr
    assert "40 clips, 5 subjects, 1600 frames, 5 folds (options)" in sized.stdout


def test_a_plan_says_that_a_published_size_is_no_more_than_that(tmp_path: Path) -> None:
    keys = ("--config", "dataset=smic", "--config", "dataset_root=nowhere")
    few = ("--config", "evaluation={methods: [all_features]}", "--frames", "10")
    planned = merec(tmp_path, "plan", *CONFIG, *keys, *few)
    assert planned.returncode == 0, planned.stderr
    assert (
        "71 clips, 8 subjects, 710 frames, 8 folds (as published, nothing read)" in planned.stdout
    )
    (tmp_path / "nowhere").mkdir()
    wrong = merec(tmp_path, "plan", *CONFIG, *keys, *few)
    assert wrong.returncode == 2
    assert "nowhere" in wrong.stderr


def test_status_of_an_experiment_that_has_not_begun(tmp_path: Path) -> None:
    told = merec(tmp_path, "status", *CONFIG)
    assert told.returncode == 0, told.stderr
    assert cells(told.stdout, "faces") == ["faces", "0 of ?"]


LAUNCHERS = {"alone": ("1",), "mpiexec": ("2", "mpiexec", "-n", "2")}


@pytest.fixture
def experiment(tmp_path: Path, features: Features) -> Path:
    """A folder in which a search may be started."""
    results = tmp_path / "results" / "demo"
    clips = [
        Clip(str(clip), str(subject), str(features.class_names[label]), Folder(str(clip)))
        for clip, subject, label in zip(
            features.clips, features.subjects, features.labels, strict=True
        )
    ]
    write_catalog(results / "catalog.tsv", clips)
    write_features(results / "features" / "mobilenet_v2.h5", features, FeatureSettings(), "")
    return tmp_path


@contextmanager
def search(folder: Path, launcher: str) -> Iterator[subprocess.Popen[bytes]]:
    """Start an endless search of one fold, as the workflow does, and wait for its checkpoint."""
    n_ranks, *words = LAUNCHERS[launcher]
    output = folder / "results" / "demo" / "selection" / "genetic" / "s02.h5"
    log = folder / "logs" / "select_genetic" / "demo" / "s02.log"
    log.parent.mkdir(parents=True)
    command = [*words, sys.executable, "-m", "mpi4py", "-m", "merec_hpc", "select-genetic"]
    command += ["--store", "results/demo/features/mobilenet_v2.h5", "--held-out", "s02"]
    command += ["--settings", ENDLESS, "--ranks", n_ranks, "--checkpoint-every", "20"]
    command += ["--output", str(output)]
    with (
        log.open("w") as told,
        subprocess.Popen(
            command, cwd=folder, stdout=told, stderr=told, start_new_session=True
        ) as process,
    ):
        try:
            until = time.monotonic() + 120
            while not output.with_name("s02.h5.checkpoint").exists():
                assert process.poll() is None, log.read_text()
                assert time.monotonic() < until
                time.sleep(0.2)
            yield process
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)


def state(folder: Path) -> list[str]:
    told = merec(folder, "status", *CONFIG, "--config", f"genetic={ENDLESS}")
    assert told.returncode == 0, told.stderr
    row = cells(told.stdout, "s02")
    is_timed = "needs" in told.stdout
    return [row[2], "minutes left" if is_timed else ""]


@pytest.mark.parametrize("launcher", LAUNCHERS)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_status_knows_a_search_that_runs_from_one_that_was_ended(
    experiment: Path, launcher: str, number: signal.Signals
) -> None:
    with search(experiment, launcher) as process:
        time.sleep(1)
        assert state(experiment)[0] == "searching"
        os.killpg(process.pid, number)  # as a terminal does with Ctrl-C
        process.wait(60)
        assert state(experiment) == ["interrupted", ""]


def test_the_doctor_finds_a_working_launcher_and_writes_nothing(tmp_path: Path) -> None:
    told = merec(tmp_path, "doctor", "--scratch", str(tmp_path))
    # A machine may have SLURM's commands, and no cluster.
    wrong = re.findall("^wrong (?!SLURM).*", told.stdout, re.MULTILINE)
    assert wrong == [], told.stdout + told.stderr
    assert "ok    ranks: 'mpiexec' starts 2 that know each other" in told.stdout
    for name in ("MPI library", "threads", "HDF5", "results", "scratch"):
        assert re.search(rf"^(ok|note) +{name}: ", told.stdout, re.MULTILINE), name
    assert list(tmp_path.rglob("*.h5")) == []


@pytest.mark.parametrize(
    ("script", "found", "mend"),
    [
        # A launcher of another PMI: every process believes it is alone.
        ('shift 2; "$@"; "$@"', "starts 2 worlds of one rank", "srun --mpi=list"),
        ("echo no such partition >&2; exit 1", "said: no such partition", "run it by hand"),
    ],
)
def test_the_doctor_knows_launchers_that_do_not_fit(
    tmp_path: Path, script: str, found: str, mend: str
) -> None:
    launcher = tmp_path / "launch"
    launcher.write_text(f"#!/bin/sh\n{script}\n")
    launcher.chmod(launcher.stat().st_mode | stat.S_IEXEC)
    told = merec(tmp_path, "doctor", "--launcher", str(launcher))
    assert told.returncode == 1
    assert found in told.stdout
    assert mend in told.stdout


def test_the_doctor_says_what_is_missing(tmp_path: Path) -> None:
    told = merec(
        tmp_path, "doctor", "--launcher", "nolaunch", "--scratch", "absent", path="/nowhere"
    )
    assert told.returncode == 1
    assert "wrong ranks: no nolaunch on the path" in told.stdout
    assert "wrong scratch: absent: No such file or directory" in told.stdout
    assert "note  SLURM: no sbatch, squeue, scancel, srun on the path" in told.stdout

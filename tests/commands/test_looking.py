"""The commands that look: plan before a run, status while it runs, doctor when it does not."""

import os
import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import REPOSITORY


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


CONFIG = ("--configfile", str(REPOSITORY / "config.yaml"))


def cells(said: str, rule: str) -> list[str]:
    """Return the cells of a table's row."""
    line = next(line for line in said.splitlines() if re.search(rf"\b{rule}\b", line))
    return [cell.strip() for cell in re.split("[│┃|]", line) if cell.strip()]


def test_a_plan_counts_jobs_hours_and_memory(tmp_path: Path) -> None:
    planned = merec(tmp_path, "plan", *CONFIG, "--ranks", "8", "--cores-per-node", "32")
    assert planned.returncode == 0, planned.stderr
    said = planned.stdout
    assert "71 clips, 8 subjects, 639 frames (preset)" in said
    assert "a search of 2560 features (made up)" in said
    assert cells(said, "select_all_features")[1] == "8"
    rule, jobs, cores, minutes, megabytes, _ = cells(said, "select_genetic")
    assert (rule, jobs, cores) == ("select_genetic", "8", "8")
    assert 0 < float(minutes) < 60
    assert float(megabytes) > 8 * 250
    assert "node-hours at 32 cores a node" in said
    # 4 islands: 50 founders, then 50 generations of 49 children and 10 migrants.
    assert "at most 12000 evaluations" in said


def test_a_plan_of_a_sweep_counts_all_searches(tmp_path: Path) -> None:
    keys = ("--config", "sweep={seeds: [0, 1, 2], layers: [features.14, features.18]}")
    planned = merec(tmp_path, "plan", *CONFIG, *keys, "--sweep")
    assert planned.returncode == 0, planned.stderr
    # features.14 has 160 channels, features.18 1280: two kinds of 3 seeds and 8 folds each.
    for layer, n_features in (("features.14", 320), ("features.18", 2560)):
        assert cells(planned.stdout, f"sweep_select_genetic {layer} mean.std")[1] == "24"
        assert f"a search of {n_features} features (made up)" in planned.stdout
    assert cells(planned.stdout, "extract_features")[1] == "2"


def test_a_plan_without_a_size_says_what_it_needs(tmp_path: Path) -> None:
    keys = ("--config", "dataset=manifest", "--config", "dataset_root=.")
    planned = merec(tmp_path, "plan", *CONFIG, *keys)
    assert planned.returncode == 2
    assert "--clips and --subjects, found neither" in planned.stderr
    half = merec(tmp_path, "plan", *CONFIG, *keys, "--clips", "40")
    assert (half.returncode, half.stderr) == (
        2,
        "merec: --clips and --subjects expected together, found one of them\n",
    )
    sized = merec(tmp_path, "plan", *CONFIG, *keys, "--clips", "40", "--subjects", "5")
    assert sized.returncode == 0, sized.stderr
    assert "40 clips, 5 subjects" in sized.stdout


def test_status_of_an_experiment_that_has_not_begun(tmp_path: Path) -> None:
    told = merec(tmp_path, "status", *CONFIG)
    assert told.returncode == 0, told.stderr
    assert cells(told.stdout, "faces") == ["faces", "0 of ?"]


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

"""Each check in every state, by small programs in place of launchers and of SLURM."""

import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from merec_hpc.networks import devices
from merec_hpc.runs import doctor
from merec_hpc.runs.doctor import (
    Check,
    check_cuda,
    check_hdf5,
    check_launched_ranks,
    check_mpi_library,
    check_slurm,
    check_space,
    check_threads,
    checks,
)

Program = Callable[[str, str], Path]
SLURM = ("sbatch", "squeue", "scancel", "srun")


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Program:
    """Write a shell script that is found by its name, ahead of all others."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)

    def write(name: str, script: str) -> Path:
        path = folder / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        return path

    return write


@pytest.fixture
def slurm(program: Program) -> Program:
    """A SLURM that answers, and remembers."""
    for name in SLURM:
        program(name, "exit 0")
    program("sinfo", "echo 'debug* 4 nodes, 1:00:00'; echo 'long 9 nodes, infinite'")
    program("sacct", "exit 0")
    program("scontrol", "echo 'MinJobAge = 300 sec'")
    return program


def test_mpi_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "library_version", lambda: "MPICH 5.0")
    assert check_mpi_library() == Check("MPI library", "ok", "MPICH 5.0")


@pytest.mark.parametrize("kind", [ImportError, RuntimeError])
def test_mpi_library_that_cannot_be_loaded_is_wrong(
    monkeypatch: pytest.MonkeyPatch, kind: type[Exception]
) -> None:
    def missing() -> str:
        msg = "cannot load MPI library\nlibmpi.so.12: no such file"
        raise kind(msg)

    monkeypatch.setattr(doctor, "library_version", missing)
    found = check_mpi_library()
    assert (found.state, found.found) == ("wrong", "cannot load MPI library")
    assert "MPI4PY_LIBMPI" in found.mend


@pytest.mark.parametrize(
    ("script", "state", "words", "mend"),
    [
        ("echo size 2; echo size 2", "ok", "starts 2 that know each other", ""),
        # A launcher of another PMI: every process believes to be alone.
        ("echo size 1; echo size 1", "wrong", "starts 2 worlds of one rank", "srun --mpi=list"),
        ("echo size 2", "wrong", "said: size 2", "by hand"),
        ("echo a; echo no such partition >&2; exit 1", "wrong", "said: no such part", "by hand"),
        ("echo busy; exit 1", "wrong", "said: busy", "by hand"),
        ("exit 1", "wrong", "said: nothing", "by hand"),
        ("echo 'srun: error: no nodes' >&2; exit 1", "wrong", "said: srun: error: no no", "hand"),
        # MPICH's last lines tell the cause; then come empty ones, and srun's exit status.
        (
            "printf 'MPIDI_POSIX_comm_bootstrap(288)..: Out of memory\\n\\n\\033[31msrun: n1\\n' >&2",
            "wrong",
            "said: MPIDI_POSIX_comm_bootstrap(288)..: Out of memory | ?[31msrun: n1",
            "rm /dev/shm/mpich_shm_*",
        ),
        ("printf 'a\\nb\\nc\\n-----\\nd\\n' >&2", "wrong", "said: b | c | d", "by hand"),
    ],
)
def test_launcher_is_known_by_the_ranks_it_starts(
    program: Program, script: str, state: str, words: str, mend: str
) -> None:
    program("launch", script)
    found = check_launched_ranks("launch", 2)
    assert found.state == state
    assert found.found.startswith("'launch' ")
    assert words in found.found
    assert mend in found.mend


def test_launcher_is_called_as_the_rules_call_it(program: Program, tmp_path: Path) -> None:
    program("launch", f'printf "%s\\n" "$@" >"{tmp_path}/words"')
    check_launched_ranks("launch --mpi=pmix 'two words'", 3)
    words = (tmp_path / "words").read_text().splitlines()
    assert words[:4] == ["--mpi=pmix", "two words", "-n", "3"]
    assert words[4:7] == [sys.executable, "-m", "mpi4py"]


def test_launcher_that_is_not_there_is_wrong() -> None:
    found = check_launched_ranks("nolaunch --option", 2)
    assert (found.state, found.found) == ("wrong", "no nolaunch on the path")
    assert "--launcher" in found.mend


@pytest.mark.parametrize("launcher", ["", " ", "'mpiexec"])
def test_launcher_that_is_no_command_is_wrong(launcher: str) -> None:
    found = check_launched_ranks(launcher, 2)
    assert (found.state, found.found) == ("wrong", f"'{launcher}' is no command")


def test_launcher_that_cannot_be_run_is_wrong(program: Program) -> None:
    path = program("launch", "")
    path.write_text("no program")
    found = check_launched_ranks("launch", 2)
    assert (found.state, found.found) == ("wrong", f"{path}: Exec format error")


def test_launcher_that_hangs_is_wrong(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "TIMEOUT_S", 0.2)
    program("launch", "exec sleep 20")
    found = check_launched_ranks("launch", 2)
    assert (found.state, found.found) == ("wrong", "'launch' did not end in 0.2 s")
    assert "fewer ranks" in found.mend


@pytest.mark.parametrize(
    ("wanted", "state", "words"),
    [
        (None, "ok", "OMP_NUM_THREADS not set"),
        ("1", "ok", "OMP_NUM_THREADS 1"),
        ("4", "ok", "OMP_NUM_THREADS 4"),
        ("5", "wrong", "4 cores for this process, OMP_NUM_THREADS 5"),
        ("4,2", "ok", "OMP_NUM_THREADS 4,2"),
    ],
)
def test_threads_are_at_most_the_cores(
    monkeypatch: pytest.MonkeyPatch, wanted: str | None, state: str, words: str
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(4)), raising=False)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    if wanted is not None:
        monkeypatch.setenv("OMP_NUM_THREADS", wanted)
    found = check_threads()
    assert found.state == state
    assert words in found.found


def test_cores_of_a_system_without_affinity_are_those_there_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 6)
    assert check_threads().found.startswith("6 cores")


@pytest.mark.parametrize(
    ("device", "expected"), [("cpu", ("note", "no device here")), ("NVIDIA X", ("ok", "NVIDIA X"))]
)
def test_device_is_named_if_there_is_one(
    monkeypatch: pytest.MonkeyPatch, device: str, expected: tuple[str, str]
) -> None:
    monkeypatch.setattr(devices, "find_device", lambda: device)
    found = check_cuda()
    assert (found.state, found.found) == expected


def test_hdf5_is_tried_where_results_will_be(tmp_path: Path) -> None:
    found = check_hdf5(tmp_path / "results")
    assert found.state == "ok"
    assert "h5py" in found.found
    assert list((tmp_path / "results").iterdir()) == []


def test_folder_without_locks_is_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def without_locks(_folder: Path) -> str:
        msg = "unable to lock file, errno = 37\nmore"
        raise OSError(msg)

    monkeypatch.setattr(doctor, "try_folder", without_locks)
    found = check_hdf5(tmp_path)
    assert (found.state, found.found) == ("wrong", "unable to lock file, errno = 37")
    assert "HDF5_USE_FILE_LOCKING=FALSE" in found.mend


@pytest.mark.parametrize(("free", "state"), [(5.1e9, "ok"), (4.9e9, "note")])
def test_space_is_what_is_free(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: float, state: str
) -> None:
    usage = shutil.disk_usage(tmp_path)._replace(free=int(free))
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    found = check_space("scratch", tmp_path)
    assert found == Check("scratch", state, f"{tmp_path}: {free / 1e9:.1f} GB free", "make room")


def test_folder_that_cannot_be_written_to_is_wrong(tmp_path: Path) -> None:
    found = check_space("scratch", tmp_path / "absent")
    assert (found.state, found.found) == ("wrong", f"{tmp_path}/absent: No such file or directory")
    assert "--scratch" in found.mend


def test_machine_without_slurm_is_noted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: name if name == "srun" else None)
    (found,) = check_slurm()
    assert (found.state, found.found) == ("note", "no sbatch, squeue, scancel on the path")


@pytest.mark.usefixtures("slurm")
def test_slurm_that_answers_is_well() -> None:
    partitions, accounts = check_slurm()
    assert (partitions.state, accounts.state) == ("ok", "ok")
    assert partitions.found == "debug* 4 nodes, 1:00:00; long 9 nodes, infinite"


def test_slurm_without_a_controller_is_wrong(slurm: Program) -> None:
    slurm("sinfo", "echo cannot contact the controller >&2; exit 1")
    (found,) = check_slurm()
    assert (found.state, found.found) == ("wrong", "sinfo gets no answer")


def test_slurm_that_hangs_gets_no_answer(slurm: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "TIMEOUT_S", 0.2)
    slurm("sinfo", "exec sleep 20")
    assert [found.state for found in check_slurm()] == ["wrong"]


def test_slurm_without_accounts_is_noted(slurm: Program) -> None:
    slurm("sacct", "exit 1")
    _, accounts = check_slurm()
    assert accounts.state == "note"
    assert "slurm-status-command: squeue" in accounts.mend


def test_slurm_that_soon_forgets_its_jobs_is_noted(slurm: Program) -> None:
    slurm("scontrol", "echo 'MinJobAge               = 60 sec'")
    _, _, memory = check_slurm()
    assert (memory.state, memory.found) == ("note", "finished jobs are known for 60 s")


@pytest.mark.parametrize("script", ["exit 1", "echo nothing of the kind"])
def test_slurm_that_does_not_say_how_long_it_remembers(slurm: Program, script: str) -> None:
    slurm("scontrol", script)
    assert len(list(check_slurm())) == 2


@pytest.mark.usefixtures("slurm")
def test_checks_are_made_one_after_the_other(
    program: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "library_version", lambda: "MPICH 5.0")
    program("launch", "echo size 2; echo size 2")
    made = checks("launch", 2, tmp_path, tmp_path / "results")
    assert next(made).name == "MPI library"
    assert not (tmp_path / "results").exists()
    names = ["ranks", "threads", "CUDA", "HDF5", "results", "scratch", "SLURM", "SLURM accounts"]
    assert [check.name for check in made] == names

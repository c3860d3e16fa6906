"""Checks what a run needs of this machine, and knows how to mend what is wrong."""

import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from merec_hpc.errors import printable
from merec_hpc.files.atomic import make_folder
from merec_hpc.parallel.mpi import library_version
from merec_hpc.store.writing import try_folder

TIMEOUT_S = 60
_N_SAID = 3  # lines of a launcher that are told
LOW_SPACE_GB = 5.0
# Snakemake asks for the last time some minutes after a job has ended.
LEAST_JOB_AGE_S = 300


@dataclass(frozen=True)
class Check:
    """One thing that was looked at."""

    name: str
    state: Literal["ok", "note", "wrong"]
    found: str
    mend: str = ""
    """What to do, if it is not as it should be."""


def checks(launcher: str, ranks: int, scratch: Path, results: Path) -> Iterator[Check]:
    """Yield each check as it is made.

    Parameters
    ----------
    launcher
        What starts MPI ranks, with its options, such as ``srun --mpi=pmix``.
    scratch, results
        Folders of temporary files and of results; the second is made if it is not there.
    """
    yield check_mpi_library()
    yield check_launched_ranks(launcher, ranks)
    yield check_threads()
    yield check_cuda()
    yield check_hdf5(results)
    yield check_space("results", results)
    yield check_space("scratch", scratch)
    yield from check_slurm()


def check_mpi_library() -> Check:
    """Load the MPI library, without starting MPI."""
    mend = "pip install mpich, or set MPI4PY_LIBMPI to the site's libmpi.so"
    try:
        return Check("MPI library", "ok", library_version())
    except (ImportError, RuntimeError) as error:
        return Check("MPI library", "wrong", str(error).splitlines()[0], mend)


def check_launched_ranks(launcher: str, ranks: int) -> Check:
    """Start ranks, and see whether they find each other."""
    name = "ranks"
    try:
        words = shlex.split(launcher)
    except ValueError:
        words = []
    if not words:
        return Check(name, "wrong", f"'{launcher}' is no command", "give another --launcher")
    # The environment's own programs, as the rules have them.
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    program = shutil.which(words[0], path=path)
    if program is None:
        mend = "activate the environment, load the site's MPI module, or give --launcher"
        return Check(name, "wrong", f"no {words[0]} on the path", mend)
    code = "from mpi4py import MPI; import os; os.write(1, b'size %d\\n' % MPI.COMM_WORLD.size)"
    command = [program, *words[1:], "-n", str(ranks), sys.executable, "-m", "mpi4py", "-c", code]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=TIMEOUT_S
        )
    except subprocess.TimeoutExpired:
        mend = "try fewer ranks; in SLURM, look whether the allocation has so many tasks"
        return Check(name, "wrong", f"'{launcher}' did not end in {TIMEOUT_S} s", mend)
    except OSError as error:
        return Check(name, "wrong", f"{program}: {error.strerror}", "give another --launcher")
    return _ranks_found(launcher, ranks, done)


def _ranks_found(launcher: str, ranks: int, done: subprocess.CompletedProcess[str]) -> Check:
    """Judge by what each rank has written of its world."""
    sizes = [int(found) for found in re.findall(r"size (\d+)", done.stdout)]
    if sizes == [ranks] * ranks:
        return Check("ranks", "ok", f"'{launcher}' starts {ranks} that know each other")
    if sizes and set(sizes) == {1}:
        mend = (
            "the launcher's PMI is not that of the MPI library: see `srun --mpi=list`; MPICH wants "
            "srun --mpi=pmi2, Open MPI srun --mpi=pmix"
        )
        return Check("ranks", "wrong", f"'{launcher}' starts {len(sizes)} worlds of one rank", mend)
    # The launcher has the last word, and tells the exit status; the lines before it tell why.
    whole = done.stderr.strip() or done.stdout
    lines = [line for line in whole.splitlines() if re.search(r"\w", line)]
    said = printable(" | ".join(lines[-_N_SAID:])) or "nothing"
    mend = "run it by hand to see more"
    if re.search(r"MPIDI_POSIX.*Out of memory", done.stderr):
        mend = "/dev/shm is full, or a killed run left its memory there: rm /dev/shm/mpich_shm_*"
    return Check("ranks", "wrong", f"'{launcher}' said: {said}", mend)


def check_threads() -> Check:
    """Compare the threads of numerical libraries with the cores."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    wanted = os.environ.get("OMP_NUM_THREADS")
    found = f"{cores} cores for this process, OMP_NUM_THREADS {wanted or 'not set'}"
    if wanted is not None and wanted.isdigit() and int(wanted) > (cores or 1):
        return Check("threads", "wrong", found, "set OMP_NUM_THREADS to at most the cores")
    return Check("threads", "ok", f"{found}; Snakemake sets it for every job")


def check_cuda() -> Check:
    """Look for the device that extraction would take."""
    # Importing torch takes seconds: whoever prints the checks shows the others meanwhile.
    from merec_hpc.networks.devices import find_device  # noqa: PLC0415

    device = find_device()
    if device == "cpu":
        mend = "extraction runs on the CPU; for a GPU see gres in slurm/config.yaml"
        return Check("CUDA", "note", "no device here", mend)
    return Check("CUDA", "ok", device)


def check_hdf5(results: Path) -> Check:
    """Write, lock and read a file where results will be."""
    try:
        make_folder(results)
        return Check("HDF5", "ok", try_folder(results))
    except OSError as error:
        mend = (
            "a filesystem without locks: set HDF5_USE_FILE_LOCKING=FALSE, which is safe here, since "
            "every file has one writer and is renamed when it is complete"
        )
        return Check("HDF5", "wrong", str(error).splitlines()[0], mend)


def check_space(name: str, folder: Path) -> Check:
    """See whether a folder can be written to, and how much room it has."""
    try:
        with tempfile.TemporaryFile(dir=folder):
            free = shutil.disk_usage(folder).free / 1e9
    except OSError as error:
        mend = "choose a folder that can be written to: --scratch, tmpdir in slurm/config.yaml"
        return Check(name, "wrong", f"{folder}: {error.strerror}", mend)
    state: Literal["ok", "note"] = "ok" if free > LOW_SPACE_GB else "note"
    return Check(name, state, f"{folder}: {free:.1f} GB free", "make room")


def check_slurm() -> Iterator[Check]:
    """Ask SLURM, if it is here, for its partitions and what it remembers of jobs."""
    missing = [name for name in ("sbatch", "squeue", "scancel", "srun") if not shutil.which(name)]
    if missing:
        mend = "only needed for --profile slurm: load the module, or go to the login node"
        yield Check("SLURM", "note", f"no {', '.join(missing)} on the path", mend)
        return
    answered = _said("sinfo", "--noheader", "--format=%P %D nodes, %l")
    if answered is None:
        yield Check("SLURM", "wrong", "sinfo gets no answer", "is the controller up? ask the site")
        return
    yield Check("SLURM", "ok", "; ".join(answered.splitlines()))
    if _said("sacct", "--noheader", "--jobs=1") is None:
        yield Check(
            "SLURM accounts",
            "note",
            "sacct gets no answer",
            "keep slurm-status-command: squeue; sacct would hang for ever",
        )
    else:
        yield Check("SLURM accounts", "ok", "sacct answers: slurm-status-command may be sacct")
    age = re.search(r"MinJobAge\s*=\s*(\d+)", _said("scontrol", "show", "config") or "")
    if age is not None and int(age[1]) < LEAST_JOB_AGE_S:
        yield Check(
            "SLURM memory of jobs",
            "note",
            f"finished jobs are known for {age[1]} s",
            "with squeue as the status command the end of a job may be missed: use sacct",
        )


def _said(*command: str) -> str | None:
    """Return what a command writes, or ``None`` if it fails."""
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=TIMEOUT_S
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None

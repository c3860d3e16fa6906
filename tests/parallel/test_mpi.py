"""Real MPI, through the launcher: the same bytes for any number of ranks, and no hanging job."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from merec_hpc.config.features import FeatureSettings
from merec_hpc.parallel.communicator import SerialCommunicator
from merec_hpc.parallel.launcher import RANK_VARIABLES
from merec_hpc.parallel.mpi import connect
from merec_hpc.records import Features
from merec_hpc.store.features import write_features

TIMEOUT_S = 120
SETTINGS = {
    "n_islands": 2,
    "n_individuals": 6,
    "n_random_migrants": 2,
    "n_generations": 4,
    "migration_interval": 2,
    "n_emigrants": 1,
    "hall_of_fame_size": 3,
}


def find_launcher() -> str | None:
    """Return the mpiexec of this environment, else that of the path."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    return shutil.which("mpiexec", path=path)


# On Linux the package brings MPI with it: there its absence is a failure.
needs_launcher = pytest.mark.skipif(
    find_launcher() is None and sys.platform != "linux", reason="no mpiexec found"
)


def launch(arguments: Sequence[str], n_ranks: int | None) -> subprocess.CompletedProcess[str]:
    """Run Python with ``arguments``, by the launcher unless ``n_ranks`` is ``None``."""
    launcher = [] if n_ranks is None else [find_launcher() or "mpiexec", "-n", str(n_ranks)]
    wrapper = [] if n_ranks is None else ["-m", "mpi4py"]
    environment = {key: value for key, value in os.environ.items() if key not in RANK_VARIABLES}
    return subprocess.run(
        [*launcher, sys.executable, *wrapper, *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=TIMEOUT_S,
        env=environment,
    )


def select_genetic(
    store: Path, outputs: Sequence[Path], ranks: int, n_ranks: int | None
) -> subprocess.CompletedProcess[str]:
    """Select for the first subjects, one for each output."""
    folds: list[str] = []
    for subject, output in zip(("s1", "s2"), outputs, strict=False):
        folds += ["--held-out", subject, "--output", str(output)]
    options = ["--store", str(store), "--settings", json.dumps(SETTINGS), "--scaling", "standard"]
    command = ["-m", "merec_hpc", "select-genetic", *options, *folds, "--ranks", str(ranks)]
    return launch(command, n_ranks)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A feature store of 4 subjects with 6 clips each, 3 classes, 40 features."""
    rng = np.random.default_rng(7)
    labels = np.tile(np.arange(3), 8)
    values = rng.normal(size=(24, 40))
    values[:, :3] += np.eye(3)[labels]
    path = tmp_path_factory.mktemp("store") / "features.h5"
    features = Features(
        values=values.astype(np.float32),
        labels=labels,
        subjects=np.repeat(["s1", "s2", "s3", "s4"], 6),
        clips=np.array([f"clip{index}" for index in range(24)]),
        names=np.array([f"feature{index}" for index in range(40)]),
        class_names=np.array(["a", "b", "c"]),
    )
    write_features(path, features, FeatureSettings(), "0" * 64)
    return path


@pytest.fixture(scope="module")
def serial(store: Path) -> list[bytes]:
    """What one process without a launcher writes for two folds."""
    outputs = [store.parent / "serial" / name for name in ("s1.h5", "s2.h5")]
    done = select_genetic(store, outputs, ranks=1, n_ranks=None)
    assert done.returncode == 0, done.stderr
    return [output.read_bytes() for output in outputs]


@needs_launcher
@pytest.mark.parametrize("n_ranks", [1, 2, 3])
def test_files_do_not_depend_on_the_number_of_ranks(
    store: Path, serial: list[bytes], tmp_path: Path, n_ranks: int
) -> None:
    outputs = [tmp_path / "s1.h5", tmp_path / "s2.h5"]
    done = select_genetic(store, outputs, ranks=n_ranks, n_ranks=n_ranks)
    assert done.returncode == 0, done.stderr
    assert [output.read_bytes() for output in outputs] == serial
    assert serial[0] != serial[1]


@needs_launcher
@pytest.mark.parametrize(("ranks", "n_ranks", "found"), [(3, 2, 2), (1, 2, 2), (2, None, 1)])
def test_another_number_of_ranks_than_announced_is_refused(
    store: Path, tmp_path: Path, ranks: int, n_ranks: int | None, found: int
) -> None:
    output = tmp_path / "selection.h5"
    done = select_genetic(store, [output], ranks, n_ranks)
    assert done.returncode != 0
    assert f"merec: {ranks} rank(s) expected (--ranks), found {found}" in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


@needs_launcher
def test_ranks_gather_in_rank_order(tmp_path: Path) -> None:
    script = tmp_path / "gather.py"
    script.write_text(
        "import json, pathlib\n"
        "from merec_hpc.parallel.mpi import connect\n"
        "comm = connect(3)\n"
        "turns = [comm.allgather([turn, comm.rank, comm.size]) for turn in range(3)]\n"
        f"folder = pathlib.Path({str(tmp_path)!r})\n"
        "(folder / f'{comm.rank}.json').write_text(json.dumps(turns))\n"
    )
    done = launch([str(script)], n_ranks=3)
    assert done.returncode == 0, done.stderr
    expected = [[[turn, rank, 3] for rank in range(3)] for turn in range(3)]
    for rank in range(3):
        assert json.loads((tmp_path / f"{rank}.json").read_text()) == expected


@needs_launcher
def test_ranks_exchange_fold_and_split_as_threads_do(tmp_path: Path) -> None:
    script = tmp_path / "exchange.py"
    script.write_text(
        "import json, pathlib\n"
        "from merec_hpc.parallel.mpi import connect\n"
        "comm = connect(5)\n"
        "sent = comm.exchange([f'{comm.rank} to {other}' for other in range(5)])\n"
        "assert sent == [f'{other} to {comm.rank}' for other in range(5)], sent\n"
        "assert comm.reduce(str(comm.rank), str.__add__) == '01234'\n"
        "part = comm.split(comm.rank % 2)\n"
        "assert part.allgather(comm.rank) == ([1, 3] if comm.rank % 2 else [0, 2, 4])\n"
        "assert part.rank == comm.rank // 2\n"
        f"(pathlib.Path({str(tmp_path)!r}) / f'{{comm.rank}}.done').touch()\n"
    )
    done = launch([str(script)], n_ranks=5)
    assert done.returncode == 0, done.stderr
    assert len(list(tmp_path.glob("*.done"))) == 5


@needs_launcher
def test_ranks_of_a_node_see_the_memory_of_one(tmp_path: Path) -> None:
    script = tmp_path / "share.py"
    script.write_text(
        "import pathlib\n"
        "import numpy as np\n"
        "from merec_hpc.parallel.mpi import connect\n"
        "comm = connect(3)\n"
        "made = []\n"
        "def make():\n"
        "    made.append(comm.rank)\n"
        "    return np.asfortranarray(np.arange(6.0).reshape(2, 3))\n"
        "array = comm.shared(make)\n"
        "assert array.flags.f_contiguous and array.tolist() == [[0, 1, 2], [3, 4, 5]]\n"
        "assert comm.allgather(made) == [[0], [], []]\n"
        "if comm.rank == 2:\n"
        "    array[1, 1] = 9\n"
        "comm.allgather(None)\n"
        "assert array[1, 1] == 9\n"
        "del array\n"
        "comm.release()\n"
        "assert comm.shared(lambda: np.zeros(0, np.float32)).shape == (0,)\n"
        "comm.release()\n"
        f"(pathlib.Path({str(tmp_path)!r}) / f'{{comm.rank}}.done').touch()\n"
    )
    done = launch([str(script)], n_ranks=3)
    assert done.returncode == 0, done.stderr
    assert len(list(tmp_path.glob("*.done"))) == 3


@needs_launcher
def test_a_failing_rank_ends_the_job(tmp_path: Path) -> None:
    script = tmp_path / "fail.py"
    script.write_text(
        "from merec_hpc.parallel.mpi import connect\n"
        "comm = connect(2)\n"
        "if comm.rank == 1:\n"
        "    raise RuntimeError('rank 1 failed')\n"
        "comm.allgather(comm.rank)  # waits for ever for rank 1\n"
    )
    done = launch([str(script)], n_ranks=2)
    assert done.returncode != 0
    assert "rank 1 failed" in done.stderr


def test_one_rank_without_a_launcher_needs_no_mpi(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in RANK_VARIABLES:
        monkeypatch.delenv(name, raising=False)
    assert isinstance(connect(1), SerialCommunicator)

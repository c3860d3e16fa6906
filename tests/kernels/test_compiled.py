"""Where compiled code is kept, by programs of one small function."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from merec_hpc.kernels.compiled import N_KEPT, cache_folder, remove_old

PROGRAM = """
import numba
from merec_hpc.kernels.compiled import compiled

@compiled
def twice(number):
    return 2 * number

print(twice(3), twice(1.5))
print(sum(twice.stats.cache_hits.values()) if hasattr(twice, "stats") else "not compiled")
print(repr(numba.config.CACHE_DIR))
"""
HITS = 1  # the line


@pytest.fixture
def program(tmp_path: Path) -> Path:
    path = tmp_path / "program.py"
    path.write_text(PROGRAM)
    return path


def _lines(program: Path, before: str = "", **variables: str) -> list[str]:
    """Run the program, with its cache beside it, and return what it writes."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("NUMBA_")}
    environment |= {"XDG_CACHE_HOME": str(program.parent / "cache")} | variables
    code = f"{before}\nexec(compile(open({str(program)!r}).read(), {str(program)!r}, 'exec'))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, env=environment
    )
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0] == "6 3.0"
    return lines


def _kept(folder: Path) -> list[Path]:
    return sorted(folder.glob("merec_hpc/kernels-*/*.nbc"))


def test_second_process_finds_what_the_first_compiled(program: Path) -> None:
    assert _lines(program)[HITS] == "0"
    assert len(_kept(program.parent / "cache")) == 2
    assert _lines(program)[HITS] == "2"


def test_place_of_other_functions_stays_as_it_was(program: Path) -> None:
    assert _lines(program)[-1] == "''"
    place = str(program.parent / "numba")
    assert _lines(program, NUMBA_CACHE_DIR=place)[-1] == repr(place)


def test_folder_that_the_user_names_is_used(program: Path) -> None:
    place = program.parent / "numba"
    _lines(program, NUMBA_CACHE_DIR=str(place))
    assert len(_kept(place)) == 2
    assert not (program.parent / "cache").exists()
    assert _lines(program, NUMBA_CACHE_DIR=str(place))[HITS] == "2"


def test_without_compilation_nothing_is_kept(program: Path) -> None:
    assert _lines(program, NUMBA_DISABLE_JIT="1")[HITS] == "not compiled"
    assert not (program.parent / "cache").exists()


def test_import_alone_writes_nothing(program: Path) -> None:
    program.write_text("from merec_hpc.kernels import leave_out\nprint('6 3.0')")
    _lines(program)
    assert not (program.parent / "cache").exists()


@pytest.mark.parametrize(
    "before",
    [
        # Neither a full disk nor a folder without permission, but the same kind of error.
        "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (10, 10))",
        "import pathlib; pathlib.Path(__import__('os').environ['XDG_CACHE_HOME']).touch()",
    ],
)
def test_what_cannot_be_kept_is_compiled_all_the_same(program: Path, before: str) -> None:
    assert _lines(program, before)[HITS] == "0"
    assert _kept(program.parent / "cache") == []


def test_user_without_a_home_has_no_cache(program: Path) -> None:
    before = (
        "import pathlib\n"
        "def homeless(path): raise RuntimeError('Could not determine home directory.')\n"
        "pathlib.Path.expanduser = homeless"
    )
    assert _lines(program, before)[HITS] == "0"


@pytest.mark.parametrize("kind", ["nbi", "nbc"])
@pytest.mark.parametrize("size", [0, 20])
def test_damaged_file_is_written_anew(program: Path, kind: str, size: int) -> None:
    _lines(program)
    for path in (program.parent / "cache").rglob(f"*.{kind}"):
        os.truncate(path, size)
    assert _lines(program)[HITS] == "0"
    assert _lines(program)[HITS] == "2"


def test_code_of_another_signature_is_not_taken(program: Path) -> None:
    _lines(program)
    first, second = _kept(program.parent / "cache")
    exchanged = first.read_bytes()
    first.write_bytes(second.read_bytes())
    second.write_bytes(exchanged)
    assert _lines(program)[HITS] == "0"


def test_new_folder_replaces_the_oldest(program: Path) -> None:
    folders = program.parent / "cache" / "merec_hpc"
    for number in range(5):
        (folders / f"kernels-{number}" / "inside").mkdir(parents=True)
        os.utime(folders / f"kernels-{number}", (number, number))
    (folders / "other").mkdir()
    _lines(program)
    left = {path.name for path in folders.iterdir()}
    assert left == {"other", "kernels-3", "kernels-4", cache_folder().name}
    assert len(left) == N_KEPT + 1


def test_folder_that_another_process_removes_first_is_no_mistake(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(N_KEPT):
        (tmp_path / f"kernels-{number}").mkdir()
    (tmp_path / "kernels-gone").symlink_to(tmp_path / "absent")
    remove_old(tmp_path)
    assert all((tmp_path / f"kernels-{number}").is_dir() for number in range(N_KEPT))

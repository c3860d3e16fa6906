import errno
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from merec_hpc.errors import MerecError
from merec_hpc.files.atomic import published


class InterruptedWriteError(Exception):
    pass


def test_file_appears_under_its_name_when_it_is_complete(tmp_path: Path) -> None:
    path = tmp_path / "table.tsv"
    with published(path) as partial:
        partial.write_text("half")
        assert not path.exists()
        partial.write_text("whole")
    assert path.read_text() == "whole"
    assert list(tmp_path.iterdir()) == [path]


def test_partial_file_lies_beside_the_file_and_is_the_process_own(tmp_path: Path) -> None:
    with published(tmp_path / "faces.s01.h5") as partial:
        partial.touch()
        own = f"faces.s01.h5.{socket.gethostname()}-{os.getpid()}.partial"
        assert partial == tmp_path / own


def test_what_dead_processes_left_is_removed_and_what_others_write_is_not(tmp_path: Path) -> None:
    host, path = socket.gethostname(), tmp_path / "table.tsv"
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    kept = [f"table.tsv.{host}-{os.getppid()}.partial", f"table.tsv.elsewhere-{dead.pid}.partial"]
    kept += [f"other.tsv.{host}-{dead.pid}.partial"]
    for name in [*kept, f"table.tsv.{host}-{dead.pid}.partial"]:
        (tmp_path / name).touch()
    with published(path) as partial:
        partial.touch()
    assert sorted(file.name for file in tmp_path.iterdir()) == sorted([*kept, "table.tsv"])


@pytest.mark.parametrize(
    ("error", "found"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "no room"),
        (OSError("Can't write data (errno = 122, error message = 'Disk quota exceeded')"), "quota"),
        (OSError(errno.EFBIG, "File too large"), "a limit"),
    ],
)
def test_want_of_room_is_one_clear_line(tmp_path: Path, error: OSError, found: str) -> None:
    path = tmp_path / "table.tsv"
    path.write_text("former")
    with pytest.raises(MerecError, match=f"{path}: room to write expected, found .*{found}"):
        _fail_half_way(path, error)
    assert path.read_text() == "former"
    assert list(tmp_path.iterdir()) == [path]


def test_another_error_of_the_system_is_passed_on(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="broken"), published(tmp_path / "table.tsv"):
        raise OSError(errno.EPERM, "broken")


def test_folder_is_made(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "table.tsv"
    with published(path) as partial:
        partial.write_text("x")
    assert path.read_text() == "x"


def test_former_file_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "table.tsv"
    path.write_text("former")
    with published(path) as partial:
        partial.write_text("new")
    assert path.read_text() == "new"


@pytest.mark.parametrize("error", [InterruptedWriteError, KeyboardInterrupt])
def test_former_file_is_kept_when_writing_fails(tmp_path: Path, error: type[BaseException]) -> None:
    path = tmp_path / "table.tsv"
    path.write_text("former")
    with pytest.raises(error):
        _fail_half_way(path, error)
    assert path.read_text() == "former"
    assert list(tmp_path.iterdir()) == [path]


def test_nothing_remains_when_the_first_writing_fails(tmp_path: Path) -> None:
    with pytest.raises(InterruptedWriteError):
        _fail_half_way(tmp_path / "table.tsv", InterruptedWriteError)
    assert list(tmp_path.iterdir()) == []


def test_failure_before_anything_is_written_is_passed_on(tmp_path: Path) -> None:
    with pytest.raises(InterruptedWriteError), published(tmp_path / "table.tsv"):
        raise InterruptedWriteError
    assert list(tmp_path.iterdir()) == []


def _fail_half_way(path: Path, error: type[BaseException] | BaseException) -> None:
    with published(path) as partial:
        partial.write_text("half")
        raise error


def test_folder_of_that_name_is_one_clear_line(tmp_path: Path) -> None:
    with (
        pytest.raises(MerecError, match="a file to write expected, found a folder"),
        published(tmp_path),
    ):
        pytest.fail("too late")
    assert not list(tmp_path.parent.glob("*.partial"))


@pytest.mark.parametrize(("is_synced", "expected"), [(True, [False, True]), (False, [])])
def test_the_disk_has_a_file_before_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_synced: bool, expected: list[bool]
) -> None:
    path, own, seen = tmp_path / "table.tsv", os.fsync, []

    def sync(number: int) -> None:
        seen.append(path.exists())
        own(number)

    monkeypatch.setattr(os, "fsync", sync)
    with published(path, is_synced=is_synced) as partial:
        partial.write_text("whole")
    assert seen == expected  # the file without its name, then the folder
    assert path.read_text() == "whole"

"""Writes a file so that a name that exists is complete."""

import errno
import glob
import os
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from merec_hpc.errors import MerecError

_FULL = {
    errno.ENOSPC: "no room",
    errno.EDQUOT: "the quota is used up",
    errno.EFBIG: "a limit",
    errno.EIO: "an input/output error",
}


@contextmanager
def published(path: Path, *, is_synced: bool = True) -> Iterator[Path]:
    """Yield a name beside ``path`` to write to, and rename it to ``path`` if nothing was raised.

    The folder is made. On an error the partial file is removed and the former file kept. The
    partial name tells host and process: a job whose end went unnoticed may still be writing
    when the next one starts. What processes of this host left when they were killed is
    removed.

    Parameters
    ----------
    is_synced
        Whether to wait until the disk has it, which takes tens of milliseconds. A checkpoint, which
        tells that it is torn, need not, nor one of thousands of images.

    Raises
    ------
    MerecError
        If there is no room to write, or a folder has that name.
    """
    make_folder(path.parent)
    check_file(path)
    partial = path.with_name(f"{path.name}.{socket.gethostname()}-{os.getpid()}.partial")
    try:
        yield partial
        if is_synced:
            _sync(partial)
        partial.replace(path)
        if is_synced:
            _sync(path.parent)
    except OSError as error:
        found = _said_to_be_full(error)
        if found is None:
            raise
        wanted = "a disk that works" if error.errno == errno.EIO else "room to write"
        msg = f"{path}: {wanted} expected, found {found}"
        raise MerecError(msg) from error
    finally:
        partial.unlink(missing_ok=True)
    _remove_abandoned(path)


def _sync(path: Path) -> None:
    """Bring a file, or the names in a folder, to the disk: a name outlives a loss of power."""
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def _said_to_be_full(error: OSError) -> str | None:
    """Return why nothing could be written, if that is for want of room; HDF5 hides the number."""
    told = re.search(r"errno = (\d+)", str(error))
    return _FULL.get(error.errno or (int(told[1]) if told else 0))


def _remove_abandoned(path: Path) -> None:
    """Remove partial files of processes of this host that are no more."""
    pattern = re.compile(re.escape(f"{path.name}.{socket.gethostname()}-") + r"(\d+)\.partial")
    for other in path.parent.glob(f"{glob.escape(path.name)}.*.partial"):
        told = pattern.fullmatch(other.name)
        if told and not is_running(int(told[1])):
            other.unlink(missing_ok=True)


def is_running(pid: int) -> bool:
    """Return whether there is a process of this host with that number."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def check_file(path: Path) -> None:
    """Raise a ``MerecError`` if a file cannot be written since a folder has its name."""
    if path.is_dir():
        msg = f"{path}: a file to write expected, found a folder"
        raise MerecError(msg)


def make_folder(folder: Path) -> None:
    """Make a folder and those above it, if they are not there.

    Raises
    ------
    MerecError
        If that cannot be.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        msg = f"{folder}: a folder to write to expected, found: {error.strerror}"
        raise MerecError(msg) from None

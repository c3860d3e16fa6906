"""Files of format 1: read by another process, with a time limit.

Their texts lie in a heap without checksums. Where that is damaged, HDF5 may never return, or end the
process that reads.
"""

import json
import logging
import shutil
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from threading import Timer

from merec_hpc.errors import MerecError
from merec_hpc.files.atomic import published

log = logging.getLogger(__name__)

OTHER_KIND = 3
"""Exit status of ``former_reader`` for an HDF5 file that is no store."""
_SIGNATURE = b"\x89HDF\r\n\x1a\n"
_SECONDS, _BYTES_A_SECOND = 5.0, 5e6


def is_former(path: Path) -> bool:
    """Return whether an HDF5 file is of format 1: format 2 has a superblock with a checksum."""
    start = _start(path)
    return start[:-1] == _SIGNATURE and start[-1] < 3


def _start(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(len(_SIGNATURE) + 1)


def make_anew(path: Path, output: Path, kind: str | None = None) -> None:
    """Write what a file of format 1 holds as one of format 2.

    Parameters
    ----------
    kind
        The kind that is expected, for the message.

    Raises
    ------
    MerecError
        If the file is damaged, or no store.
    """
    _ask(path, [str(path), str(output)], kind)


def read_former_attributes(path: Path) -> dict[str, str]:
    """Return the attributes of a file of format 1 that are texts; raises as ``make_anew``."""
    found: dict[str, str] = json.loads(_ask(path, [str(path)], None))
    return found


def convert(path: Path, output: Path) -> None:
    """Write a store as one of format 2; one that is so already as it is.

    Raises
    ------
    MerecError
        If there is no such file, or it is damaged or no store.
    """
    if not path.is_file():
        msg = f"{path}: a store expected, found no such file"
        raise MerecError(msg)
    if is_former(path):
        make_anew(path, output)
        return
    if _start(path)[:-1] != _SIGNATURE:
        msg = f"{path}: a store expected, found one that is not HDF5"
        raise MerecError(msg)
    log.info("%s: format 2 already", path)
    if path.resolve() != output.resolve():
        with published(output) as partial:
            shutil.copyfile(path, partial)


def _ask(path: Path, arguments: list[str], kind: str | None) -> str:
    """Return what the reader says of a file, within the time that it may take."""
    command = [sys.executable, "-m", "merec_hpc.store.former_reader", *arguments]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace"
    ) as reader:
        assert reader.stdout is not None
        assert reader.stderr is not None
        reader.stdout.readline()  # it has started: what follows is the file's fault
        seconds = _SECONDS + path.stat().st_size / _BYTES_A_SECOND
        timer = Timer(seconds, reader.kill)
        timer.start()
        said, complained = reader.stdout.read(), reader.stderr.read()
        reader.wait()
        is_late = timer.finished.is_set()
        timer.cancel()
    if reader.returncode == 0:
        return said
    if reader.returncode == OTHER_KIND:
        msg = f"{path}: a {kind or 'merec_hpc'} file expected, found kind {said.strip()}"
        raise MerecError(msg)
    reason = next(iter(complained.strip().splitlines()[-1:]), "no message")
    if is_late:
        reason = f"reading took more than {seconds:.0f} s"
    elif reader.returncode < 0:
        with suppress(ValueError):
            reason = f"reading ended by {signal.Signals(-reader.returncode).name}"
    msg = f"{path}: an intact store expected, found a damaged one ({reason})"
    raise MerecError(msg)

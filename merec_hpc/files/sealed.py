"""Writes and reads files that tell whether they are whole.

A sealed file is a digest of what follows, then that. The one before is kept until the next is
complete: a torn file is known by its digest, and then the former one counts.
"""

import hashlib
import logging
from contextlib import suppress
from pathlib import Path

from merec_hpc.files.atomic import check_file, published

log = logging.getLogger(__name__)

_DIGEST_BYTES = 32


def write_sealed(path: Path, payload: bytes) -> None:
    """Write a file; what was written last is kept as the former one.

    Raises
    ------
    MerecError
        If there is no room to write, or a folder has that name.
    """
    with published(path, is_synced=False) as partial:
        partial.write_bytes(hashlib.sha256(payload).digest() + payload)
        # A job that was given up for lost may be writing the same file.
        with suppress(FileNotFoundError):
            path.replace(_former_of(path))


def read_sealed(path: Path) -> bytes | None:
    """Return what the last complete file holds, or ``None`` if there is none.

    Raises
    ------
    MerecError
        If a folder has that name.
    """
    for one in (path, _former_of(path)):
        check_file(one)
        try:
            content = one.read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            continue
        payload = content[_DIGEST_BYTES:]
        if hashlib.sha256(payload).digest() == content[:_DIGEST_BYTES]:
            return payload
        log.warning("%s: torn, not taken", one)
    return None


def remove_sealed(path: Path) -> None:
    """Remove a file and the former one."""
    path.unlink(missing_ok=True)
    _former_of(path).unlink(missing_ok=True)


def _former_of(path: Path) -> Path:
    return path.with_name(path.name + ".former")

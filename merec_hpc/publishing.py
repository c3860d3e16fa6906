"""Writes a file so that a name that exists is complete."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from merec_hpc.errors import MerecError


@contextmanager
def published(path: Path) -> Iterator[Path]:
    """Yield ``path`` with ``.partial`` added, and rename it to ``path`` if nothing was raised.

    The folder is made. On an error the partial file is removed and the former file kept.
    """
    make_folder(path.parent)
    partial = path.with_name(path.name + ".partial")
    try:
        yield partial
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


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

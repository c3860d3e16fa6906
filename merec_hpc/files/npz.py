"""Opens NumPy's npz files: as they were written, or not at all."""

import struct
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from merec_hpc.errors import MerecError, told

_LONGEST_END = 22 + 65535 + 76  # bytes: the end of an archive, its comment, and what 64 bits add
_MANY = 0xFFFF  # members that two bytes cannot count


class UnreadableNpzError(ValueError):
    """The file is no npz, is damaged, or what is asked of it is not there or is no plain array."""


class _Arrays(Mapping[str, NDArray[Any]]):
    """The arrays of an open npz, each read when it is asked for."""

    def __init__(self, file: Any) -> None:
        self._file = file

    def __getitem__(self, name: str) -> NDArray[Any]:
        found = self._file[name]
        if not isinstance(found, np.ndarray):  # NumPy hands out the bytes of other members
            msg = f"no array in {name}"
            raise UnreadableNpzError(told(ValueError(msg)))
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(self._file.files)

    def __len__(self) -> int:
        return len(self._file.files)


@contextmanager
def opened_npz(path: Path) -> Iterator[Mapping[str, NDArray[Any]]]:
    """Open an npz whose checksums are right; its arrays are read as they are asked for.

    Raises
    ------
    UnreadableNpzError
        Also in place of whatever is raised while it is open, but for a ``MerecError``.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            _check_directory(path, len(archive.infolist()))
            # NumPy reads as much of a member as its header says, which need not be all of it:
            # checksums would not be looked at.
            if (name := archive.testzip()) is not None:
                msg = f"a wrong checksum of {name}"
                raise UnreadableNpzError(told(ValueError(msg)))
        with np.load(path, allow_pickle=False) as arrays:
            yield _Arrays(arrays)
    except (UnreadableNpzError, MerecError):
        raise
    # zipfile, zlib and NumPy raise whatever their parts do on a file that is not what it should be.
    except Exception as error:  # noqa: BLE001
        raise UnreadableNpzError(told(error)) from None


def _check_directory(path: Path, n_members: int) -> None:
    """Raise if the directory ends with another number of members than were read of it.

    ``zipfile`` does not look: a wrong length hides the members that follow, of which some are
    optional to us.
    """
    with path.open("rb") as file:
        file.seek(max(path.stat().st_size - _LONGEST_END, 0))
        end = file.read()
    place = end.rfind(b"PK\x05\x06")
    (told_members,) = struct.unpack_from("<H", end, place + 10)
    if told_members == _MANY:  # then a longer record before it has the number
        (told_members,) = struct.unpack_from("<Q", end, end.rfind(b"PK\x06\x06") + 32)
    if told_members != n_members:
        msg = f"{n_members} members where the directory tells of {told_members}"
        raise UnreadableNpzError(told(ValueError(msg)))

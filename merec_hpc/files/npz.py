"""Opens NumPy's npz files: as they were written, or not at all."""

import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from merec_hpc.errors import MerecError, told


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

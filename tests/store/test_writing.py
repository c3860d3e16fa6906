"""What could not be written, or is not read back, does not get its name."""

import errno
import io
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from store.stores import STORES, SmallStore, flat

from merec_hpc.errors import MerecError
from merec_hpc.store import writing
from merec_hpc.store.schema import ArraySpec, FileSpec


@pytest.fixture(params=[name for name in STORES if name != "view"])  # which is two files
def store(request: pytest.FixtureRequest) -> SmallStore:
    return STORES[request.param]


class _Failing(io.FileIO):
    """A file that fails at one write, and works before and after."""

    def __init__(self, path: Path, fails_at: int, number: int) -> None:
        super().__init__(path, "w+")
        self._left, self._number = fails_at, number

    def write(self, data: Any) -> int:
        self._left -= 1
        if self._left == 0:
            raise OSError(self._number, "broken")
        return super().write(data)


def _n_writes(path: Path, store: SmallStore, monkeypatch: pytest.MonkeyPatch) -> int:
    written: list[int] = []
    own = writing._Sink.write

    def count(sink: Any, data: Any) -> int:
        written.append(1)
        return own(sink, data)

    with monkeypatch.context() as patched:
        patched.setattr(writing._Sink, "write", count)
        store.write(path)
    return len(written)


@pytest.mark.parametrize(
    ("number", "said"), [(errno.EIO, "a disk that works"), (errno.ENOSPC, "room to write")]
)
def test_one_write_that_fails_is_told_and_keeps_the_former_file(
    store: SmallStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, said: str
) -> None:
    path = tmp_path / "store.h5"
    n_writes = _n_writes(path, store, monkeypatch)
    before = path.read_bytes()
    places = np.unique(np.linspace(1, n_writes, 12).astype(int)).tolist()
    for place in places:
        with monkeypatch.context() as patched:
            opened = partial(_Failing, fails_at=place, number=number)
            patched.setattr(writing, "_new_file", opened)
            with pytest.raises(MerecError, match=f"store\\.h5: {said} expected, found"):
                store.write(path)
        assert path.read_bytes() == before
        assert list(tmp_path.iterdir()) == [path]


@contextmanager
def _at_most(n_bytes: int) -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_file_that_has_no_room_is_told(store: SmallStore, tmp_path: Path) -> None:
    path = tmp_path / "store.h5"
    store.write(path)
    size = path.stat().st_size
    path.unlink()
    for n_bytes in (0, 100, size // 2, size - 1):
        with _at_most(n_bytes), pytest.raises(MerecError, match="room to write expected, found"):
            store.write(path)
        assert not path.exists()
        assert list(tmp_path.glob("*.partial")) == []
    store.write(path)
    assert flat(store.read(path))


def test_what_is_not_read_back_is_not_published(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that swallows a write, without an error."""
    store, path = STORES["features"], tmp_path / "store.h5"
    n_writes = _n_writes(path, store, monkeypatch)
    expected = flat(store.read(path))
    path.unlink()
    own = writing._Sink.write
    n_refused = 0
    for swallowed in range(1, n_writes + 1):
        left = [swallowed]

        def swallow(sink: Any, data: Any, left: list[int] = left) -> int:
            left[0] -= 1
            return own(sink, bytes(len(memoryview(data))) if left[0] == 0 else data)

        said = ""
        with monkeypatch.context() as patched:
            patched.setattr(writing._Sink, "write", swallow)
            try:
                store.write(path)
            except MerecError as error:
                said = str(error)
        if path.exists():  # what was swallowed was zeros, or was written again
            assert flat(store.read(path)) == expected
            path.unlink()
        else:
            n_refused += 1
            assert said.startswith(f"{path}: what was written expected when it is read back")
    assert n_refused > n_writes // 2


def test_attributes_may_be_long(tmp_path: Path) -> None:
    spec = FileSpec("trial", 1, (ArraySpec("values", ("clip",), "float", "Some values."),))
    long = {"settings": "x" * 300_000, "empty": ""}
    writing.write_store(tmp_path / "long.h5", spec, {"values": np.zeros(2)}, long)
    with h5py.File(tmp_path / "long.h5") as file:
        assert len(file.attrs["settings"]) == 300_002
        assert file.attrs["empty"] == b'""'

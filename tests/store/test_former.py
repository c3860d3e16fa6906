"""Files of format 1 are read as before, and damaged ones refused in seconds."""

import subprocess
import time
from pathlib import Path

import h5py
import numpy as np
import pytest
from store.stores import STORES, SmallStore, flat, write_format_1

from merec_hpc.errors import MerecError
from merec_hpc.store import former
from merec_hpc.store.former import convert, is_former
from merec_hpc.store.reading import read_recorded


@pytest.fixture(params=list(STORES))
def store(request: pytest.FixtureRequest) -> SmallStore:
    return STORES[request.param]


@pytest.fixture
def pair(store: SmallStore, tmp_path: Path) -> tuple[Path, Path]:
    """A file of format 2, and the same of format 1."""
    new, old = tmp_path / "new.h5", tmp_path / "old.h5"
    store.write(new)
    write_format_1(new, old, store.spec)
    return new, old


def test_a_file_of_format_1_is_read_as_one_of_format_2(
    store: SmallStore, pair: tuple[Path, Path]
) -> None:
    new, old = pair
    assert (is_former(new), is_former(old)) == (False, True)
    assert flat(store.read(old)) == flat(store.read(new))
    ours = {"NX_class", "default"}
    expected = {key: value for key, value in read_recorded(new).items() if key not in ours}
    assert read_recorded(old) == expected


def test_a_converted_file_is_read_as_one_that_is_written_today(
    store: SmallStore, pair: tuple[Path, Path], tmp_path: Path
) -> None:
    new, old = pair
    convert(old, tmp_path / "made.h5")
    assert flat(store.read(tmp_path / "made.h5")) == flat(store.read(new))
    convert(old, old)  # in place
    assert not is_former(old)
    convert(new, tmp_path / "copy.h5")  # already
    assert (tmp_path / "copy.h5").read_bytes() == new.read_bytes()


def test_an_earlier_version_stays_one(tmp_path: Path) -> None:
    store, new, old = STORES["selection"], tmp_path / "new.h5", tmp_path / "old.h5"
    store.write(new)
    write_format_1(new, old, store.spec)
    with h5py.File(old, "r+") as file:
        file.attrs["version"] = 1
        for name in ("bias", "best_bias", "hall_bias", "last_bias"):
            del file[name]
    convert(old, tmp_path / "made.h5")
    with h5py.File(tmp_path / "made.h5") as file:
        assert file.attrs["version"] == 1
    assert flat(store.read(tmp_path / "made.h5")) == flat(store.read(old))


def zeroed_heap(path: Path) -> None:
    """Zero what lies behind the head of the first heap of texts: its reader never returns."""
    content = bytearray(path.read_bytes())
    place = content.index(b"GCOL") + 16
    content[place : place + 512] = bytes(512)
    path.write_bytes(content)


def test_a_file_whose_reader_never_returns_is_refused_in_seconds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, new, old = STORES["features"], tmp_path / "new.h5", tmp_path / "old.h5"
    store.write(new)
    write_format_1(new, old, store.spec)
    zeroed_heap(old)
    monkeypatch.setattr(former, "_SECONDS", 1.0)
    start = time.monotonic()
    with pytest.raises(MerecError, match=r"old\.h5: an intact store expected, found a damaged one"):
        store.read(old)
    assert time.monotonic() - start < 60
    assert list(tmp_path.glob("*.partial")) == []


def test_a_reader_that_crashes_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store, new, old = STORES["features"], tmp_path / "new.h5", tmp_path / "old.h5"
    store.write(new)
    write_format_1(new, old, store.spec)
    popen = subprocess.Popen

    def crash(command: list[str], **options: object) -> object:
        code = "import os, signal; print('ready', flush=True); os.kill(os.getpid(), signal.SIGSEGV)"
        return popen([command[0], "-c", code], **options)

    monkeypatch.setattr(former.subprocess, "Popen", crash)
    with pytest.raises(MerecError, match=r"a damaged one \(reading ended by SIGSEGV\)$"):
        store.read(old)


def test_a_file_that_is_no_store_is_refused(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["values"] = np.zeros((2, 2))
    with pytest.raises(MerecError, match=r"other\.h5: a features file expected, found kind None"):
        STORES["features"].read(tmp_path / "other.h5")
    with pytest.raises(MerecError, match=r"other\.h5: a merec_hpc file expected, found kind None"):
        convert(tmp_path / "other.h5", tmp_path / "made.h5")
    with pytest.raises(MerecError, match=r"absent\.h5: a store expected, found no such file"):
        convert(tmp_path / "absent.h5", tmp_path / "made.h5")
    assert not (tmp_path / "made.h5").exists()


def test_more_values_than_the_file_can_hold_are_refused(tmp_path: Path) -> None:
    store, new, old = STORES["features"], tmp_path / "new.h5", tmp_path / "old.h5"
    store.write(new)
    write_format_1(new, old, store.spec)
    with h5py.File(old, "r+") as file:
        del file["values"]
        file.create_dataset("values", (3, 2**33), np.float32, chunks=(1, 2**10))
    with pytest.raises(MerecError, match=r"values: 103079215104 bytes of values expected"):
        store.read(old)

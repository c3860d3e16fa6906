"""What is damaged, or lies elsewhere, is refused in one line; the rest is read as it was."""

from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
from store.damage import FILES, damaged_copies, outcome
from store.stores import STORES, SmallStore, flat, small_features

from merec_hpc.config.features import FeatureSettings
from merec_hpc.errors import MerecError
from merec_hpc.store.features import write_features


@pytest.mark.parametrize("kind", list(FILES))
def test_damaged_copies_are_read_as_before_or_refused(kind: str, tmp_path: Path) -> None:
    store = FILES[kind]
    path, copy = (tmp_path / f"{stem}{store.suffix}" for stem in ("store", "copy"))
    store.write(path)
    expected = flat(store.read(path))
    found = [outcome(store, damaged, expected) for damaged in damaged_copies(path, copy, 150)]
    others = set() if store.is_checked else {"read as another"}
    assert set(found) <= {"as before", "refused"} | others
    assert found.count("refused") > 20


def _replaced(path: Path, make: Callable[[h5py.File], object]) -> None:
    with h5py.File(path, "r+") as file:
        del file["values"]
        make(file)


def _soft(file: h5py.File) -> None:
    file["values"] = h5py.SoftLink("/entry/features/values")


def _external(file: h5py.File) -> None:
    file["values"] = h5py.ExternalLink("other.h5", "/values")


def _stored_elsewhere(file: h5py.File) -> None:
    secret = Path(file.filename).with_name("secret")
    secret.write_bytes(bytes(48))
    file.create_dataset("values", (3, 4), np.float32, external=[(str(secret), 0, 48)])


def _virtual(file: h5py.File) -> None:
    layout = h5py.VirtualLayout((3, 4), np.float32)
    layout[:] = h5py.VirtualSource("other.h5", "values", (3, 4))
    file.create_virtual_dataset("values", layout)


@pytest.mark.parametrize("make", [_soft, _external, _stored_elsewhere, _virtual])
def test_values_of_other_files_are_refused(
    tmp_path: Path, make: Callable[[h5py.File], object]
) -> None:
    store = STORES["features"]
    for name in ("store.h5", "other.h5"):
        store.write(tmp_path / name)
    _replaced(tmp_path / "store.h5", make)
    with pytest.raises(MerecError, match=r"store\.h5:values: .* expected, found") as raised:
        store.read(tmp_path / "store.h5")
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("chunks", [None, (1, 2**10)])
def test_more_values_than_the_file_can_hold_are_refused(
    tmp_path: Path, chunks: tuple[int, ...] | None
) -> None:
    store, path = STORES["features"], tmp_path / "store.h5"
    store.write(path)
    shape = (3, 2**33)
    _replaced(path, lambda file: file.create_dataset("values", shape, np.float32, chunks=chunks))
    said = r"values: 103079215104 bytes of values expected, as declared \(3, 8589934592\), found 0"
    with pytest.raises(MerecError, match=said):
        store.read(path)


def test_a_chunk_of_zeros_is_no_chunk_of_values(tmp_path: Path) -> None:
    """Zeros pass Fletcher's checksum, which is zero of them."""
    store, path = STORES["features"], tmp_path / "store.h5"
    write_features(path, small_features(), FeatureSettings(), "abc")
    with h5py.File(path) as file:
        values = file["values"].id
        chunk = values.get_chunk_info(0)
    content = bytearray(path.read_bytes())
    content[chunk.byte_offset : chunk.byte_offset + chunk.size] = bytes(chunk.size)
    path.write_bytes(content)
    with h5py.File(path) as file:
        assert not file["values"][()].any()  # HDF5 takes them
    with pytest.raises(MerecError, match=r"store\.h5:values: intact values expected, found others"):
        store.read(path)


@pytest.mark.parametrize("store", STORES.values(), ids=STORES)
def test_every_chunk_and_every_text_is_protected(store: SmallStore, tmp_path: Path) -> None:
    path = tmp_path / "store.h5"
    store.write(path)
    assert path.read_bytes()[8] == 3  # a superblock with a checksum
    seen = []

    def look(name: str, found: h5py.Dataset | h5py.Group) -> None:
        for value in found.attrs.values():
            assert not isinstance(value, str)  # which would lie in the heap
        if isinstance(found, h5py.Dataset):
            seen.append(name)
            assert found.fletcher32
            text = h5py.check_string_dtype(found.dtype)
            assert text is None or (text.length is not None and text.encoding == "utf-8")

    with h5py.File(path) as file:
        file.visititems(look)
    assert len(seen) >= len([array for array in store.spec.arrays if not array.is_optional])
    assert b"GCOL" not in path.read_bytes()

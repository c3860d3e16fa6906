"""An npz is read as it was written, or refused, whatever happened to it."""

import zipfile
from pathlib import Path

import numpy as np
import pytest

from merec_hpc.errors import MerecError
from merec_hpc.files.npz import UnreadableNpzError, opened_npz

ARRAYS = {"values": np.arange(12.0).reshape(3, 4), "names": np.array(["ä", "b"])}


def test_arrays_are_read_as_they_were_written(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", **ARRAYS)
    with opened_npz(tmp_path / "a.npz") as found:
        assert list(found) == list(ARRAYS)
        for name, values in ARRAYS.items():
            np.testing.assert_array_equal(found[name], values)


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_any_flipped_bit_is_refused_or_changes_nothing(tmp_path: Path, save: object) -> None:
    path = tmp_path / "a.npz"
    save(path, **ARRAYS)  # type: ignore[operator]
    whole, rng = path.read_bytes(), np.random.default_rng(1)
    said = []
    for bit in rng.choice(8 * len(whole), 2000, replace=False):
        damaged = bytearray(whole)
        damaged[bit // 8] ^= 1 << bit % 8
        path.write_bytes(damaged)
        try:
            with opened_npz(path) as found:
                for name, values in ARRAYS.items():
                    np.testing.assert_array_equal(found[name], values)
        except UnreadableNpzError as error:
            said.append(str(error))
    assert len(said) > 1000
    assert all(line.isprintable() for line in said)


def test_a_member_that_is_larger_than_its_header_says_is_checked_to_its_end(tmp_path: Path) -> None:
    """A shape that lost a row: what is left is read, and NumPy looks at no checksum."""
    path = tmp_path / "a.npz"
    np.savez(path, values=np.ones((3, 9000)))
    content = path.read_bytes()
    assert content.count(b"(3, 9000)") == 1
    path.write_bytes(content.replace(b"(3, 9000)", b"(2, 9000)"))
    with np.load(path) as found:
        assert found["values"].shape == (2, 9000)
    with (
        pytest.raises(UnreadableNpzError, match=r"a wrong checksum of values\.npy"),
        opened_npz(path),
    ):
        pass


@pytest.mark.parametrize("n_members", [2, 70_000])
def test_a_member_that_its_directory_hides_is_missed(tmp_path: Path, n_members: int) -> None:
    """A comment's length that takes in the next entry; zipfile sees one member less."""
    path = tmp_path / "a.npz"
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(n_members):
            archive.writestr(f"{number:05d}.npy", b"")
    with opened_npz(path) as found:
        assert len(found) == n_members
    content = bytearray(path.read_bytes())
    first = content.index(b"PK\x01\x02")
    length = content.index(b"PK\x01\x02", first + 4) - first
    content[first + 32 : first + 34] = length.to_bytes(2, "little")
    path.write_bytes(content)
    with zipfile.ZipFile(path) as archive:
        assert len(archive.infolist()) == n_members - 1
    said = f"{n_members - 1} members where the directory tells of {n_members}"
    with pytest.raises(UnreadableNpzError, match=said), opened_npz(path):
        pass


def test_missing_files_objects_and_other_methods_are_one_kind_of_error(tmp_path: Path) -> None:
    with pytest.raises(UnreadableNpzError, match="No such file"), opened_npz(tmp_path / "none.npz"):
        pass
    np.savez(tmp_path / "objects.npz", x=np.array([None]))
    with (
        pytest.raises(UnreadableNpzError, match="Object arrays"),
        opened_npz(tmp_path / "objects.npz") as found,
    ):
        found["x"]
    with (
        pytest.raises(UnreadableNpzError, match="y is not"),
        opened_npz(tmp_path / "objects.npz") as found,
    ):
        found["y"]
    with zipfile.ZipFile(tmp_path / "odd.npz", "w") as file:
        file.writestr("x.npy", "no array")
    content = bytearray((tmp_path / "odd.npz").read_bytes())
    for place in (8, content.index(b"PK\x01\x02") + 10):
        content[place] = 99  # a method of compression that nobody knows
    (tmp_path / "odd.npz").write_bytes(content)
    with pytest.raises(UnreadableNpzError, match="not supported"), opened_npz(tmp_path / "odd.npz"):
        pass


def test_what_a_caller_refuses_is_told_as_it_is(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", **ARRAYS)
    msg = "two columns expected, found three"
    with pytest.raises(MerecError, match=f"^{msg}$"), opened_npz(tmp_path / "a.npz"):
        raise MerecError(msg)

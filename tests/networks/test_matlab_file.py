import io
import struct
import zlib
from contextlib import suppress
from typing import Any, cast

import numpy as np
import pytest
from scipy.io import savemat

from merec_hpc.networks.matlab_file import read_matlab
from merec_hpc.networks.unreadable import UnreadableError


def written(values: dict[str, Any], *, do_compression: bool = False) -> bytes:
    file = io.BytesIO()
    savemat(cast("Any", file), values, do_compression=do_compression)
    return file.getvalue()


def cell(*values: Any) -> Any:
    made = np.empty((1, len(values)), object)
    for place, value in enumerate(values):
        made[0, place] = value
    return made


def mixed(*, do_compression: bool) -> bytes:
    values = {
        "a": np.arange(24.0).reshape(2, 3, 4),
        "s": {"t": "text", "n": 3.0, "inner": {"x": np.ones((2, 2), np.float32)}},
        "c": cell("x", 2.0, cell(1.0)),
    }
    return written(values, do_compression=do_compression)


@pytest.mark.parametrize("do_compression", [False, True])
@pytest.mark.parametrize("kind", ["f8", "f4", "i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8"])
def test_numbers_are_those_that_scipy_wrote(kind: str, *, do_compression: bool) -> None:
    values = np.arange(30).reshape(2, 3, 5).astype(kind)
    found = read_matlab(written({"x": values}, do_compression=do_compression))
    assert found["x"].dtype == values.dtype
    np.testing.assert_array_equal(found["x"], values)


@pytest.mark.parametrize("do_compression", [False, True])
def test_structs_cells_and_texts_are_those_that_scipy_wrote(*, do_compression: bool) -> None:
    found = read_matlab(mixed(do_compression=do_compression))
    assert set(found) == {"a", "s", "c"}
    assert found["s"]["t"] == "text"
    assert found["s"]["n"] == [[3.0]]
    np.testing.assert_array_equal(found["s"]["inner"]["x"], np.ones((2, 2)))
    assert found["c"][0] == "x"
    assert found["c"][2] == [[[1.0]]]


def test_several_structs_are_a_list() -> None:
    structs = np.zeros((1, 2), [("x", object)])
    structs["x"] = [[1.0, 2.0]]
    assert [one["x"].item() for one in read_matlab(written({"s": structs}))["s"]] == [1.0, 2.0]


def test_numbers_stored_smaller_than_they_are_come_back() -> None:
    """MATLAB writes whole doubles as bytes."""
    whole = written({"x": np.array([[1.0, 2.0]])})
    stored = struct.pack("<II", 9, 16) + np.array([1.0, 2.0]).tobytes()
    smaller = struct.pack("<II", 2 | 2 << 16, 0x0201)
    assert stored in whole
    changed = bytearray(whole.replace(stored, smaller))
    struct.pack_into("<I", changed, 132, len(changed) - 136)
    found = read_matlab(bytes(changed))["x"]
    assert found.dtype == np.float64
    np.testing.assert_array_equal(found, [[1.0, 2.0]])


def test_complex_numbers_and_other_kinds_are_none() -> None:
    assert read_matlab(written({"z": np.array([1j])})) == {"": None}


def test_flipped_bits_of_compressed_variables_are_found() -> None:
    whole = mixed(do_compression=True)
    plain = read_matlab(whole)
    for bit in range(8 * 128, 8 * len(whole)):
        damaged = bytearray(whole)
        damaged[bit // 8] ^= 1 << bit % 8
        with suppress(UnreadableError):
            # What zlib leaves unread, such as the level of compression, changes nothing.
            np.testing.assert_equal(read_matlab(bytes(damaged)), plain)


def test_flipped_bits_of_plain_variables_raise_nothing_else() -> None:
    """There is no checksum in them. SciPy's reader ends the process on some."""
    whole, n_refused = mixed(do_compression=False), 0
    for bit in range(8 * len(whole)):
        damaged = bytearray(whole)
        damaged[bit // 8] ^= 1 << bit % 8
        try:
            read_matlab(bytes(damaged))
        except UnreadableError:
            n_refused += 1
    assert n_refused > 1000


@pytest.mark.parametrize("do_compression", [False, True])
def test_file_that_ends_early_has_whole_variables_or_is_refused(*, do_compression: bool) -> None:
    whole = mixed(do_compression=do_compression)
    plain, n_read = read_matlab(whole), 0
    for n_bytes in range(len(whole)):
        with suppress(UnreadableError):
            for name, value in read_matlab(whole[:n_bytes]).items():
                np.testing.assert_equal(value, plain[name])
            n_read += 1
    assert n_read == 3  # behind the header and between variables


def test_variable_that_would_fill_the_memory_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("merec_hpc.networks.matlab_file._MOST_BYTES", 1000)
    whole = written({"x": np.zeros(1000)}, do_compression=True)
    with pytest.raises(UnreadableError, match="ends early or late"):
        read_matlab(whole)


def test_cells_that_are_too_deep_are_refused() -> None:
    deep: Any = 1.0
    for _ in range(30):
        deep = cell(deep)
    with pytest.raises(UnreadableError, match="more than 20 deep"):
        read_matlab(written({"x": deep}))


def test_compressed_element_of_another_kind_is_refused() -> None:
    packed = zlib.compress(struct.pack("<II", 9, 8) + bytes(8))
    whole = mixed(do_compression=True)[:128] + struct.pack("<II", 15, len(packed)) + packed
    with pytest.raises(UnreadableError, match="a MATLAB variable of kind 9"):
        read_matlab(whole)

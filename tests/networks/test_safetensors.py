import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import numpy as np
import pytest
import torch

from merec_hpc.networks.safetensors import looks_like_safetensors, read_safetensors
from merec_hpc.networks.unreadable import UnreadableError

ENTRIES = {
    "first": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]},
    "second": {"dtype": "I64", "shape": [], "data_offsets": [24, 32]},
}
DATA = np.arange(6, dtype="<f4").tobytes() + np.array(7, "<i8").tobytes()


def packed(header: Any, data: bytes = DATA) -> bytes:
    """A file as the format has it."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data


def changed(name: str, **entry: object) -> dict[str, Any]:
    return {**ENTRIES, name: {**ENTRIES[name], **entry}}


def test_arrays_are_read_by_name() -> None:
    found = read_safetensors(packed({"__metadata__": {"format": "pt"}, **ENTRIES}))
    assert list(found) == ["first", "second"]
    np.testing.assert_array_equal(found["first"], [[0, 1, 2], [3, 4, 5]])
    assert found["second"].shape == ()
    assert found["second"] == 7


def test_order_of_the_names_is_not_that_of_the_bytes() -> None:
    assert read_safetensors(packed(dict(reversed(ENTRIES.items()))))["second"] == 7


def test_padded_header_is_read() -> None:
    assert read_safetensors(packed(json.dumps(ENTRIES).encode() + b"   "))["second"] == 7


def test_bfloat16_is_torchs() -> None:
    values = torch.tensor([1.0, -2.5, 3e38, 1e-30]).bfloat16()
    data = values.view(torch.int16).numpy().tobytes()
    header = {"x": {"dtype": "BF16", "shape": [4], "data_offsets": [0, 8]}}
    found = read_safetensors(packed(header, data))["x"]
    np.testing.assert_array_equal(found, values.float().numpy())


@pytest.mark.parametrize(
    ("header", "said"),
    [
        (changed("first", dtype="F128"), "'first' of kind F128"),
        (changed("first", dtype=4), "'first' of kind 4"),
        (changed("first", shape=[2, 4]), "'first' of 24 bytes"),
        (changed("first", shape=[-2, -3]), "'first' of shape"),
        (changed("first", shape=[2.0, 3]), "'first' of shape"),
        (changed("first", shape=[True, 6]), "'first' of shape"),
        (changed("first", shape=[1] * 40), "'first' of shape"),
        (changed("first", shape=6), "'first' of shape"),
        (changed("first", data_offsets=[0, 24, 30]), "'first' at"),
        (changed("first", data_offsets=[24, 0]), "'first' of -24 bytes"),
        (changed("first", extra=1), "'first' without dtype, shape and data_offsets alone"),
        (changed("second", data_offsets=[20, 28]), "'second' from byte 20 on in place of 24"),
        (changed("second", data_offsets=[25, 33]), "'second' from byte 25 on in place of 24"),
        (changed("second", data_offsets=[1 << 70, (1 << 70) + 8]), "'second' from byte"),
        ({"first": ENTRIES["first"]}, "32 bytes of arrays in place of 24"),
        ({}, "32 bytes of arrays in place of 0"),
        ({"first": None}, "'first' without"),
        (b'{"a": ', "a header that is no JSON"),
        (b'{"\xff": 1}', "a header that is no JSON"),
        (b'{"a":1,"a":2}', "a name that stands twice"),
        (b'{"a":' + b"[" * 100_000, "a header that is no JSON"),
    ],
)
def test_what_is_not_as_the_format_has_it_is_refused(
    header: Mapping[str, object] | bytes, said: str
) -> None:
    with pytest.raises(UnreadableError) as raised:
        read_safetensors(packed(header))
    assert str(raised.value).startswith(said)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("n_bytes", [0, 7, 8, 9, 100, len(packed(ENTRIES)) - 1])
def test_file_that_ends_early_is_refused(n_bytes: int) -> None:
    with pytest.raises(UnreadableError):
        read_safetensors(packed(ENTRIES)[:n_bytes])


def test_length_beyond_the_file_is_another_format() -> None:
    assert looks_like_safetensors(packed(ENTRIES))
    assert not looks_like_safetensors((1 << 63).to_bytes(8, "little") + b"{}")


def test_flipped_bits_of_the_header_are_refused_or_change_a_name_alone() -> None:
    """Every bit of it. The format has no checksum: names and values may change."""
    whole = packed(ENTRIES)
    for bit in range(8 * (len(whole) - len(DATA))):
        damaged = bytearray(whole)
        damaged[bit // 8] ^= 1 << bit % 8
        with suppress(UnreadableError):
            found = read_safetensors(bytes(damaged))
            assert sum(values.nbytes for values in found.values()) == len(DATA)

"""Reads arrays in the format safetensors, with every number in it checked.

The format: eight bytes, little-endian, the length of the header; the header, JSON, which names
each array's kind, shape and bytes; the arrays' bytes, one after another without gaps.
(https://github.com/huggingface/safetensors, "Format".)
"""

import json
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from merec_hpc.networks.unreadable import UnreadableError

_MOST_HEADER = 100_000_000  # bytes, as the format's own reader has it
_MOST_AXES = 32
_KINDS = {
    "F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2",
    "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "<i1",
    "U64": "<u8", "U32": "<u4", "U16": "<u2", "U8": "<u1", "BOOL": "?",
}  # fmt: skip


def looks_like_safetensors(content: bytes) -> bool:
    """Return whether the header's length and first character are those of the format."""
    n_header = int.from_bytes(content[:8], "little")
    return 2 <= n_header <= min(_MOST_HEADER, len(content) - 8) and content[8:9] == b"{"


def read_safetensors(content: bytes) -> dict[str, NDArray[np.generic]]:
    """Return the arrays by their names; bfloat16 as float32.

    Raises
    ------
    UnreadableError
        If anything is not as the format has it: lengths, kinds, shapes, gaps, overlaps, bounds.
    """
    if not looks_like_safetensors(content):
        msg = "no header of safetensors"
        raise UnreadableError(msg)
    n_header = int.from_bytes(content[:8], "little")
    header = _header(content[8 : 8 + n_header])
    data = memoryview(content)[8 + n_header :]
    spans = sorted((_span(name, entry), name) for name, entry in header.items())
    end = 0
    for (first, last), name in spans:
        if first != end:
            msg = f"'{_short(name)}' from byte {first} on in place of {end}"
            raise UnreadableError(msg)
        end = last
    if end != len(data):
        msg = f"{len(data)} bytes of arrays in place of {end}"
        raise UnreadableError(msg)
    return {name: _array(entry, data) for name, entry in header.items()}


def _header(content: bytes) -> dict[str, dict[str, Any]]:
    try:
        header = json.loads(content.decode("utf-8"), object_pairs_hook=_without_repetition)
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError):
        msg = "a header that is no JSON"
        raise UnreadableError(msg) from None
    if not isinstance(header, dict):
        msg = "a header that is no mapping"
        raise UnreadableError(msg)
    header.pop("__metadata__", None)
    return header


def _without_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        msg = "a name that stands twice in the header"
        raise UnreadableError(msg)
    return found


def _span(name: str, entry: Any) -> tuple[int, int]:
    """Return the first byte of an array and the one after its last, all of its entry checked."""
    if not isinstance(entry, dict) or set(entry) != {"dtype", "shape", "data_offsets"}:
        msg = f"'{_short(name)}' without dtype, shape and data_offsets alone"
        raise UnreadableError(msg)
    kind, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
    if not isinstance(kind, str) or kind not in _KINDS:
        msg = f"'{_short(name)}' of kind {_short(str(kind))}"
        raise UnreadableError(msg)
    if not _are_counts(shape) or len(shape) > _MOST_AXES:
        msg = f"'{_short(name)}' of shape {_short(str(shape))}"
        raise UnreadableError(msg)
    if not _are_counts(offsets) or len(offsets) != 2:
        msg = f"'{_short(name)}' at {_short(str(offsets))}"
        raise UnreadableError(msg)
    first, last = offsets
    if last - first != math.prod(shape) * np.dtype(_KINDS[kind]).itemsize:
        msg = f"'{_short(name)}' of {last - first} bytes, which its shape does not have"
        raise UnreadableError(msg)
    return first, last


def _are_counts(values: Any) -> bool:
    # JSON's true is Python's 1.
    return isinstance(values, list) and all(type(one) is int and one >= 0 for one in values)


def _array(entry: dict[str, Any], data: memoryview) -> NDArray[np.generic]:
    first, last = entry["data_offsets"]
    values = np.frombuffer(data[first:last], _KINDS[entry["dtype"]]).reshape(entry["shape"])
    if entry["dtype"] == "BF16":  # the upper half of a float32
        return (values.astype(np.uint32) << 16).view(np.float32)
    return values


def _short(text: str) -> str:
    """Return a text of a file, fit for one line."""
    shown = repr(text)[1:-1]
    return shown if len(shown) <= 60 else shown[:57] + "..."

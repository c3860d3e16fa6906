"""Reads MATLAB's files of version 5 to 7, with every length in them checked.

SciPy's reader ends the process on some damaged files, and compares no checksums. What is read are
numbers, texts, cells and structs, as MATLAB documents them ("MAT-File Format", level 5).
"""

import math
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from merec_hpc.networks.unreadable import UnreadableError

SIGNATURE = b"MATLAB 5.0 MAT-file"
_HEADER = 128  # bytes
_MOST_BYTES = 4_000_000_000  # of one variable, uncompressed
_MOST_DEPTH = 20  # of cells and structs in one another
_INT32, _UINT32, _MATRIX, _COMPRESSED = 5, 6, 14, 15
_STORED = {1: "i1", 2: "u1", 3: "<i2", 4: "<u2", 5: "<i4", 6: "<u4", 7: "<f4", 9: "<f8",
           12: "<i8", 13: "<u8"}  # fmt: skip
_NUMBERS = {6: "<f8", 7: "<f4", 8: "i1", 9: "u1", 10: "<i2", 11: "<u2", 12: "<i4", 13: "<u4",
            14: "<i8", 15: "<u8"}  # fmt: skip
_TEXTS = {1: "latin-1", 2: "latin-1", 4: "utf-16-le", 16: "utf-8", 17: "utf-16-le", 18: "utf-32-le"}
_CELL, _STRUCT, _CHAR = 1, 2, 4
_COMPLEX = 1 << 11


def read_matlab(content: bytes) -> dict[str, Any]:
    """Return the variables of a file: structs as dicts, cells as lists, texts, and arrays.

    Arrays have two axes or more, as in MATLAB. Of several structs in one array a list is made. What
    is of another kind, such as a function, is None.

    Raises
    ------
    UnreadableError
        If anything is not as the format has it.
    """
    if len(content) < _HEADER or content[126:128] != b"IM" or content[125] != 1:
        msg = "a MATLAB file of another version, or byte order"
        raise UnreadableError(msg)
    variables: dict[str, Any] = {}
    for element in _elements(memoryview(content)[_HEADER:]):
        kind, data = element.kind, element.data
        if kind == _COMPRESSED:
            (inner,) = _all(_elements(memoryview(_inflated(data))), 1)
            kind, data = inner.kind, inner.data
        if kind != _MATRIX:
            msg = f"a MATLAB variable of kind {kind}"
            raise UnreadableError(msg)
        name, value = _matrix(data, 0)
        if name in variables:
            msg = f"the MATLAB variable '{name[:40]}' twice"
            raise UnreadableError(msg)
        variables[name] = value
    return variables


@dataclass(frozen=True)
class _Element:
    kind: int
    data: memoryview


def _elements(data: memoryview) -> Iterator[_Element]:
    """Yield the elements of which a part of the file consists, to its end."""
    place = 0
    while place < len(data):
        if place + 8 > len(data):
            msg = "a MATLAB file that ends early"
            raise UnreadableError(msg)
        kind, n_bytes = struct.unpack_from("<II", data, place)
        if kind >> 16:  # a small element, whose data stand in its tag
            kind, n_bytes, first, last = kind & 0xFFFF, kind >> 16, place + 4, place + 8
            if n_bytes > 4:
                msg = "a small MATLAB element that is too large"
                raise UnreadableError(msg)
        else:
            first = place + 8
            last = first + n_bytes + (0 if kind == _COMPRESSED else -n_bytes % 8)
        if last > len(data):
            msg = "a MATLAB file that ends early, or a length that is wrong"
            raise UnreadableError(msg)
        yield _Element(kind, data[first : first + n_bytes])
        place = last


def _all(elements: Iterator[_Element], n_expected: int) -> list[_Element]:
    found = list(elements)
    if len(found) != n_expected:
        msg = f"{len(found)} MATLAB elements in place of {n_expected}"
        raise UnreadableError(msg)
    return found


def _inflated(data: memoryview) -> bytes:
    inflater = zlib.decompressobj()
    try:
        found = inflater.decompress(data, _MOST_BYTES)
    except zlib.error:
        msg = "a MATLAB variable that is damaged: its checksum is another"
        raise UnreadableError(msg) from None
    if not inflater.eof or inflater.unused_data:
        msg = "a MATLAB variable that ends early or late"
        raise UnreadableError(msg)
    return found


def _matrix(data: memoryview, depth: int) -> tuple[str, Any]:
    """Return the name of a matrix, empty inside cells and structs, and its value."""
    if not len(data):  # MATLAB's empty cell
        return "", np.zeros((0, 0))
    if depth > _MOST_DEPTH:
        msg = f"MATLAB cells more than {_MOST_DEPTH} deep"
        raise UnreadableError(msg)
    elements = _elements(data)
    flags = _next(elements, _UINT32)
    if len(flags) != 8:
        msg = "a MATLAB matrix without flags"
        raise UnreadableError(msg)
    (word,) = struct.unpack_from("<I", flags)
    kind = word & 0xFF
    if kind not in {_CELL, _STRUCT, _CHAR, *_NUMBERS} or word & _COMPLEX:
        return "", None
    shape = _shape(_next(elements, _INT32))
    name = _name(_next(elements, 1))
    if kind in _NUMBERS:
        (values,) = _all(elements, 1)
        return name, _numbers(values, _NUMBERS[kind], shape)
    if kind == _CHAR:
        (text,) = _all(elements, 1)
        return name, _text(text)
    if kind == _CELL:
        return name, [_inner(one, depth) for one in _all(elements, math.prod(shape))]
    return name, _structs(elements, math.prod(shape), depth)


def _next(elements: Iterator[_Element], kind: int) -> memoryview:
    element = next(elements, None)
    if element is None or element.kind != kind:
        msg = f"a MATLAB matrix without the element of kind {kind}"
        raise UnreadableError(msg)
    return element.data


def _shape(data: memoryview) -> tuple[int, ...]:
    if len(data) % 4 or not 2 <= len(data) // 4 <= 32:
        msg = "a MATLAB matrix without two axes or more"
        raise UnreadableError(msg)
    shape = struct.unpack(f"<{len(data) // 4}i", data)
    if min(shape) < 0:
        msg = f"a MATLAB matrix of shape {shape[:6]}"
        raise UnreadableError(msg)
    return shape


def _name(data: memoryview) -> str:
    name = bytes(data).decode("latin-1")
    if not name.isascii() or not (name == "" or name.isidentifier()):
        msg = f"a MATLAB name {name[:40]!a}"
        raise UnreadableError(msg)
    return name


def _numbers(element: _Element, kind: str, shape: tuple[int, ...]) -> NDArray[np.generic]:
    stored = _STORED.get(element.kind)
    if stored is None or len(element.data) != math.prod(shape) * np.dtype(stored).itemsize:
        msg = f"a MATLAB matrix of {len(element.data)} bytes, which its shape does not have"
        raise UnreadableError(msg)
    return np.frombuffer(element.data, stored).astype(kind, copy=False).reshape(shape, order="F")


def _text(element: _Element) -> str:
    if element.kind not in _TEXTS:
        msg = f"a MATLAB text of kind {element.kind}"
        raise UnreadableError(msg)
    return bytes(element.data).decode(_TEXTS[element.kind], errors="replace")


def _structs(elements: Iterator[_Element], n_structs: int, depth: int) -> Any:
    """Return the dict of a struct, or a list of several."""
    width_data = _next(elements, _INT32)
    width = struct.unpack("<i", width_data)[0] if len(width_data) == 4 else 0
    names_data = bytes(_next(elements, 1))
    if width < 1 or len(names_data) % width:
        msg = "a MATLAB struct without names"
        raise UnreadableError(msg)
    names = [
        _name(memoryview(names_data[first : first + width].split(b"\0")[0]))
        for first in range(0, len(names_data), width)
    ]
    if len(set(names)) != len(names):
        msg = "a MATLAB struct with a name twice"
        raise UnreadableError(msg)
    values = [_inner(one, depth) for one in _all(elements, n_structs * len(names))]
    found = [
        dict(zip(names, values[first : first + len(names)], strict=True))
        for first in range(0, len(values), len(names) or 1)
    ]
    return found[0] if len(found) == 1 else found


def _inner(element: _Element, depth: int) -> Any:
    if element.kind != _MATRIX:
        msg = f"a MATLAB element of kind {element.kind} in place of a matrix"
        raise UnreadableError(msg)
    return _matrix(element.data, depth + 1)[1]

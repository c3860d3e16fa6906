"""How arrays lie in a file: as what they are kept, in which chunks, with which checksums.

Format 2. All metadata has checksums of HDF5's own (``libver`` v110), texts have a fixed length, since
strings of variable length lie in a heap without any, and each chunk has Fletcher's checksum. A chunk
that was never written, or of zeros, would pass that: the CRC-32 of the values themselves is kept
beside them, of the whole array or, where arrays are read row by row, of each row.
"""

import zlib
from collections.abc import Mapping
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from merec_hpc.store.schema import ArraySpec

FORMAT = 2
LIBVER = ("v110", "v110")
CHUNK_BYTES = 2**17
_ROWS = 64  # of a chunk: columns are read as well as rows


def kept_form(array: ArraySpec, values: Any) -> NDArray[Any]:
    """Return values as they are kept: texts in UTF-8 of a fixed length, booleans packed.

    Raises
    ------
    ValueError
        If a text has a zero byte, which ends a text.
    """
    if array.kind == "bits":
        return np.packbits(np.asarray(values, np.bool_), axis=-1)
    if array.kind != "text":
        return np.ascontiguousarray(values)
    texts = np.asarray(values, object)
    encoded = [str(text).encode() for text in texts.ravel()]
    if any(b"\0" in text for text in encoded):
        msg = f"{array.name}: texts without embedded NULLs expected, found one"
        raise ValueError(msg)
    length = max(map(len, encoded), default=0) or 1
    return np.array(encoded, h5py.string_dtype("utf-8", length)).reshape(texts.shape)


def options(
    kept: NDArray[Any], array: ArraySpec, chunks: tuple[int, ...] | None = None
) -> Mapping[str, Any]:
    """Return how HDF5 is to keep an array: chunks, checksums, and compression where it pays.

    It does for texts, bits, integers and what is mostly zeros; floats of features hardly shrink.
    """
    if kept.ndim == 0:
        return {}
    packed = {"compression": "gzip", "compression_opts": 4, "shuffle": True}
    pays = array.is_optional or array.kind in ("text", "bits", "integer")
    return {
        "chunks": chunks or _chunks(kept.shape, kept.dtype.itemsize),
        "maxshape": tuple(length or None for length in kept.shape),
        "fletcher32": True,
        **(packed if pays else {}),
    }


def _chunks(shape: tuple[int, ...], itemsize: int) -> tuple[int, ...]:
    """Return chunks of about ``CHUNK_BYTES``: of some rows and some columns."""
    room = max(1, CHUNK_BYTES // itemsize)
    chunks = []
    for place, length in enumerate(shape):
        most = room if place == len(shape) - 1 else min(_ROWS, room)
        chunks.append(max(1, min(length, most)))
        room = max(1, room // chunks[-1])
    return tuple(chunks)


def checksum(kept: NDArray[Any]) -> int:
    """Return the CRC-32 of values as they are kept."""
    flat = np.ascontiguousarray(kept).reshape(-1)
    return zlib.crc32(flat.view(np.uint8).data) if flat.size else 0


def sums_name(name: str) -> str:
    """Return the name of the checksums of an array that is read row by row."""
    return f"{name}_crc32"


def write_text(where: h5py.File | h5py.Group | h5py.Dataset, name: str, text: str) -> None:
    """Write an attribute, of a fixed length."""
    encoded = text.encode()
    where.attrs.create(name, encoded, dtype=h5py.string_dtype("utf-8", max(1, len(encoded))))

"""Says what is in an HDF5 file: arrays, how it was made, what is odd; and how two files differ."""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from merec_hpc.store.former import is_former
from merec_hpc.store.layout import FORMAT
from merec_hpc.store.reading import Store, opened_store, read_recorded
from merec_hpc.store.schema import FILES, ArraySpec

_SAID = 100  # characters of a value
_NAMED = 3  # of what is odd
_OWN = ("kind", "version", "store_format", "NX_class", "default")


def inspect(path: Path) -> Iterator[str]:
    """Yield lines that describe a file: provenance, each array, and what is odd.

    Raises
    ------
    MerecError
        If there is no such file, it is none of ours, or it is damaged.
    """
    number = 1 if path.is_file() and is_former(path) else FORMAT
    with opened_store(path, *FILES) as store:
        yield f"{path}: {store.spec.kind}, version {store.version}, format {number}"
        yield from _provenance(read_recorded(path))
        yield "arrays"
        odd: list[str] = []
        for array in store.spec.arrays:
            if array.name in store:
                told, found = _describe(store, array)
                yield f"  {array.name} ({', '.join(array.axes)}) {told}"
                odd += [f"  {array.name}: {line}" for line in found]
        yield "odd values" if odd else "odd values: none"
        yield from odd


def compare(path: Path, other: Path) -> Iterator[str]:
    """Yield a line for each difference between two files of one kind; nothing if they are equal.

    Raises
    ------
    MerecError
        As ``inspect``, or if the files are of two kinds.
    """
    one, two = read_recorded(path), read_recorded(other)
    for name in sorted({*one, *two} - {"version", "store_format"}):
        if one.get(name) != two.get(name):
            yield f"{name}: {_short(one.get(name))} | {_short(two.get(name))}"
    with opened_store(path, *FILES) as mine, opened_store(other, mine.spec) as yours:
        for array in mine.spec.arrays:
            there = [array.name in store for store in (mine, yours)]
            if all(there):
                told = _difference(mine, yours, array)
                if told:
                    yield f"{array.name}: {told}"
            elif any(there):
                yield f"{array.name}: only in {path if there[0] else other}"


def _provenance(recorded: Mapping[str, Any]) -> Iterator[str]:
    yield "provenance"
    for name, value in recorded.items():
        if name not in _OWN:
            yield f"  {name}: {_short(value)}"


def _short(value: object) -> str:
    text = " ".join(str(value).split())
    return text if len(text) <= _SAID else f"{text[: _SAID - 3]}..."


def _pieces(store: Store, array: ArraySpec) -> Iterator[NDArray[Any]]:
    """Yield an array in parts that memory holds: row by row, or whole."""
    if array.by_row:
        yield from store.rows(array.name)
    else:
        yield store.array(array.name)


def _describe(store: Store, array: ArraySpec) -> tuple[str, list[str]]:
    """Return what an array holds, and what is odd about it."""
    shape = " x ".join(map(str, _shape(store, array)))
    if array.kind == "text":
        texts = store.array(array.name).ravel().tolist()
        ends = f", '{_short(texts[0])}' to '{_short(texts[-1])}'" if texts else ""
        return f"{shape} texts, {len(set(texts))} different{ends}", _odd_texts(array, texts)
    if array.kind == "bits":
        bits = store.array(array.name)
        share = f", {bits.mean():.4f} of them set" if bits.size else ""
        return f"{shape} bits{share}", []
    numbers = _Numbers.of(_pieces(store, array))
    odd = [f"{numbers.n_nan} NaN"] if numbers.n_nan else []
    odd += [f"{numbers.n_infinite} infinite"] if numbers.n_infinite else []
    if array.axes == ("clip", "feature"):
        odd += _odd_columns(store.array(array.name))
    return f"{shape} {store.file[array.name].dtype}{numbers.told()}", odd


@dataclass
class _Numbers:
    """Statistics of what is finite, and how much is not."""

    low: float = np.inf
    high: float = -np.inf
    total: float = 0.0
    n_finite: int = 0
    n_nan: int = 0
    n_infinite: int = 0

    @classmethod
    def of(cls, pieces: Iterable[NDArray[Any]]) -> "_Numbers":
        found = cls()
        for piece in pieces:
            finite = piece[np.isfinite(piece)]
            found.n_nan += int(np.isnan(piece).sum())
            found.n_infinite += int(np.isinf(piece).sum())
            if finite.size:
                found.low = min(found.low, float(finite.min()))
                found.high = max(found.high, float(finite.max()))
                found.total += float(finite.sum(dtype=np.float64))
                found.n_finite += finite.size
        return found

    def told(self) -> str:
        if not self.n_finite:
            return ""
        return f", {self.low:g} to {self.high:g}, mean {self.total / self.n_finite:.6g}"


def _odd_texts(array: ArraySpec, texts: list[str]) -> list[str]:
    """Names that should differ are those of what an axis counts, not those of subjects."""
    odd = []
    if "" in texts:
        odd.append(f"{texts.count('')} empty")
    names_axis = array.name in {"clips", "names", "feature_names", "class_names", "blocks"}
    again = sorted({text for text in texts if texts.count(text) > 1}) if names_axis else []
    if again:
        odd.append(f"{len(again)} more than once: {_named(again)}")
    return odd


def _odd_columns(values: NDArray[Any]) -> list[str]:
    if not len(values):
        return []
    odd = []
    constant = np.flatnonzero((values == values[0]).all(axis=0)).tolist()
    if constant:
        odd.append(f"{len(constant)} constant columns: {_named(constant)}")
    for what, rows in (("columns", values.T), ("rows", values)):
        again = _repeated(rows)
        if again:
            odd.append(f"{len(again)} {what} equal to one before: {_named(again)}")
    return odd


def _repeated(rows: NDArray[Any]) -> list[int]:
    """Return the rows that an earlier one equals."""
    seen: set[bytes] = set()
    again = []
    for place, row in enumerate(rows):
        content = np.ascontiguousarray(row).tobytes()
        if content in seen:
            again.append(place)
        seen.add(content)
    return again


def _named(found: list[Any]) -> str:
    told = ", ".join(map(_short, found[:_NAMED]))
    return told if len(found) <= _NAMED else f"{told}, ..."


def _shape(store: Store, array: ArraySpec) -> tuple[int, ...]:
    dataset = store.file[array.name]
    if array.kind == "bits":
        return (*dataset.shape[:-1], int(dataset.attrs["n_bits"]))
    return tuple(dataset.shape)


def _difference(mine: Store, yours: Store, array: ArraySpec) -> str:
    """Return how an array of two files differs; nothing if it does not."""
    one, other = (store.file[array.name].dtype for store in (mine, yours))
    shapes = [_shape(store, array) for store in (mine, yours)]
    if shapes[0] != shapes[1]:
        return f"{shapes[0]} | {shapes[1]}"
    n_differing, largest, first = 0, 0.0, ""
    pieces = zip(_pieces(mine, array), _pieces(yours, array), strict=True)
    for number, (own, their) in enumerate(pieces):
        differ = own != their
        if own.dtype.kind == their.dtype.kind == "f":
            differ &= ~(np.isnan(own) & np.isnan(their))
        if not differ.any():
            continue
        n_differing += int(differ.sum())
        if not first:
            place = tuple(int(index) for index in np.argwhere(differ)[0])
            told = f"{_short(own[place])} | {_short(their[place])}"
            first = f"{(number, *place) if array.by_row else place}: {told}"
        if own.dtype.kind in "fiu":
            distance = np.abs(own.astype(np.float64) - their.astype(np.float64))
            largest = max(largest, float(distance.max(initial=0.0, where=~np.isnan(distance))))
    if not n_differing:
        return "" if one.kind == other.kind or array.kind == "text" else f"{one} | {other}"
    told = f"{n_differing} of {math.prod(shapes[0])} differ, first at {first}"
    return f"{told}, at most by {largest:g}" if array.kind not in ("text", "bits") else told

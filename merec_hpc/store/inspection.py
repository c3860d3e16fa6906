"""Says what is in an HDF5 file: arrays, how it was made, what is odd; and how two files differ."""

from collections.abc import Iterator, Mapping
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
                told = _difference(mine.array(array.name), yours.array(array.name))
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


def _describe(store: Store, array: ArraySpec) -> tuple[str, list[str]]:
    """Return what an array holds, and what is odd about it."""
    values = store.array(array.name)
    shape = " x ".join(map(str, values.shape))
    if array.kind == "text":
        texts = values.ravel().tolist()
        ends = f", '{_short(texts[0])}' to '{_short(texts[-1])}'" if texts else ""
        return f"{shape} texts, {len(set(texts))} different{ends}", _odd_texts(array, texts)
    if array.kind == "bits":
        share = f", {values.mean():.4f} of them set" if values.size else ""
        return f"{shape} bits{share}", []
    if not values.size:
        return f"{shape} {values.dtype}", []
    finite = values[np.isfinite(values)] if values.dtype.kind == "f" else values
    told = f"{shape} {values.dtype}"
    if finite.size:
        low, high, mean = finite.min(), finite.max(), finite.mean(dtype=np.float64)
        told += f", {low:g} to {high:g}, mean {mean:.6g}"
    return told, _odd_numbers(array, values)


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


def _odd_numbers(array: ArraySpec, values: NDArray[Any]) -> list[str]:
    odd = []
    if values.dtype.kind == "f":
        n_nan, n_infinite = int(np.isnan(values).sum()), int(np.isinf(values).sum())
        odd += [f"{n_nan} NaN"] if n_nan else []
        odd += [f"{n_infinite} infinite"] if n_infinite else []
    if array.axes == ("clip", "feature") and len(values):
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


def _difference(one: NDArray[Any], other: NDArray[Any]) -> str:
    if one.shape != other.shape:
        return f"{one.shape} | {other.shape}"
    differ = one != other
    if one.dtype.kind == "f" and other.dtype.kind == "f":
        differ &= ~(np.isnan(one) & np.isnan(other))
    if not differ.any():
        return "" if one.dtype.kind == other.dtype.kind else f"{one.dtype} | {other.dtype}"
    place = tuple(int(number) for number in np.argwhere(differ)[0])
    told = f"{int(differ.sum())} of {one.size} differ, first at {place}: "
    told += f"{_short(one[place])} | {_short(other[place])}"
    if one.dtype.kind in "fiu":
        largest = np.nanmax(np.abs(one.astype(np.float64) - other.astype(np.float64)))
        told += f", at most by {largest:g}"
    return told

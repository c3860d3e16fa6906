"""Reads and writes tables of features, labels and groups: CSV, NumPy's npz, or Parquet."""

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from merec_hpc.errors import MerecError, told
from merec_hpc.files.atomic import published
from merec_hpc.files.npz import UnreadableNpzError, opened_npz
from merec_hpc.files.rows import long_cells
from merec_hpc.records import Features

SUFFIXES = (".csv", ".npz", ".parquet")
_LABELS = ("label", "labels", "y")
_GROUPS = ("group", "groups", "subject", "subjects")
_VALUES = ("features", "X", "values")
_CLIPS = ("clip", "clips")


@dataclass(frozen=True)
class _Columns:
    """What a file holds, before it is checked."""

    values: NDArray[Any]
    labels: NDArray[Any]
    groups: NDArray[Any]
    names: NDArray[Any]
    clips: NDArray[Any] | None


def read_table(path: Path) -> Features:
    """Read a table of one row per clip or sample.

    A CSV or Parquet file has a column ``label``, a column ``group`` or ``subject``, if it likes one
    ``clip`` of names, and features in all others. An npz has arrays ``X`` (n_clips, n_features), ``y``
    and ``group``, and if it likes ``names`` of features and ``clips``; ``features``, ``label``,
    ``subject`` and plurals will do. Without names clips are numbered from 0.

    Raises
    ------
    MerecError
        If an array or column is missing, shapes do not fit, a feature is no finite number, a label
        or group is empty, or two features have one name.
    """
    if not path.is_file():
        msg = f"{path}: a table expected, found no such file"
        raise MerecError(msg)
    read = {".csv": _read_csv, ".parquet": _read_parquet}.get(path.suffix, _read_npz)
    found = read(path)
    values, labels, groups, names = found.values, found.labels, found.groups, found.names
    if values.ndim != 2 or not len(values) == len(labels) == len(groups):
        msg = (
            f"{path}: one label and one group for each row of features expected, found shapes "
            f"{values.shape}, {labels.shape} and {groups.shape}"
        )
        raise MerecError(msg)
    _check(path, values, labels, groups, names)
    clips = np.arange(len(values)).astype(str) if found.clips is None else found.clips.astype(str)
    _check_clips(path, clips, len(values))
    class_names, numbers = np.unique(labels.astype(str), return_inverse=True)
    return Features(
        values=values,
        labels=numbers,
        subjects=groups.astype(str),
        clips=clips,
        names=names,
        class_names=class_names,
    )


def _check(
    path: Path,
    values: NDArray[Any],
    labels: NDArray[Any],
    groups: NDArray[Any],
    names: NDArray[Any],
) -> None:
    """Check what an array of the right shape may still get wrong."""
    if not len(values):
        msg = f"{path}: rows of features expected, found none"
        raise MerecError(msg)
    if not values.shape[1]:
        msg = f"{path}: features beside label and group expected, found none"
        raise MerecError(msg)
    if len(names) != values.shape[1]:
        msg = f"{path}: a name for each of {values.shape[1]} features expected, found {len(names)}"
        raise MerecError(msg)
    odd = np.argwhere(~np.isfinite(values))
    if len(odd):
        row, column = odd[0]
        msg = (
            f"{path}: finite numbers expected, found {values[row, column]} in '{names[column]}' "
            f"of row {row + 1}"
        )
        raise MerecError(msg)
    for what, column in (("label", labels), ("group", groups)):
        empty = np.flatnonzero(np.isin(column.astype(str), ("", "nan", "None")))
        if len(empty):
            msg = f"{path}: a {what} in each row expected, found '{column[empty[0]]}' in row {empty[0] + 1}"
            raise MerecError(msg)
    known, counts = np.unique(names, return_counts=True)
    if (counts > 1).any():
        msg = f"{path}: each feature once expected, found '{known[counts > 1][0]}' again"
        raise MerecError(msg)


def _check_clips(path: Path, clips: NDArray[np.str_], n_rows: int) -> None:
    known, counts = np.unique(clips, return_counts=True)
    if clips.shape != (n_rows,) or "" in known or (counts > 1).any():
        found = known[counts > 1][0] if (counts > 1).any() else "an empty one, or too few"
        msg = f"{path}: a clip's name of its own in each row expected, found '{found}' again"
        raise MerecError(msg)


def _read_csv(path: Path) -> _Columns:
    try:
        with long_cells(), path.open(newline="", encoding="utf-8-sig") as file:
            header, *rows = list(csv.reader(file)) or [[]]
    except UnicodeDecodeError as error:
        msg = f"{path}: a table in UTF-8 expected, found byte {error.object[error.start]:#x}"
        raise MerecError(msg) from None
    except csv.Error as error:
        msg = f"{path}: a table expected, found: {error}"
        raise MerecError(msg) from None
    label, group, clip, places = _columns_of(path, header)
    for number, row in enumerate(rows, start=2):
        if len(row) != len(header):
            msg = f"{path}:{number}: {len(header)} cells expected, found {len(row)}"
            raise MerecError(msg)
    values = np.empty((len(rows), len(places)))
    for number, row in enumerate(rows):
        for column, place in enumerate(places):
            try:
                values[number, column] = float(row[place])
            except ValueError:
                msg = f"{path}:{number + 2}: a number expected in '{header[place]}', found '{row[place]}'"
                raise MerecError(msg) from None
    columns = np.array(rows).reshape(len(rows), len(header))
    clips = None if clip is None else columns[:, clip]
    names = np.array(header, np.str_)[places]
    return _Columns(values, columns[:, label], columns[:, group], names, clips)


def _read_parquet(path: Path) -> _Columns:
    arrow, parquet = _arrow(path)
    try:
        table = parquet.read_table(path)
        header = [str(name) for name in table.column_names]
        label, group, clip, places = _columns_of(path, header)
        labels, groups = (_texts(table.column(place)) for place in (label, group))
        clips = None if clip is None else _texts(table.column(clip))
        columns = [table.column(place).cast(arrow.float64()).to_numpy() for place in places]
    except (arrow.ArrowException, OSError, ValueError) as error:
        msg = f"{path}: a Parquet table of numbers expected, found another ({told(error)})"
        raise MerecError(msg) from None
    values = np.stack(columns, axis=1) if columns else np.empty((table.num_rows, 0))
    return _Columns(values, labels, groups, np.array(header, np.str_)[places], clips)


def _texts(column: Any) -> NDArray[np.str_]:
    """Return a column as texts; what is missing is empty."""
    values = ["" if value is None else str(value) for value in column.to_pylist()]
    return np.array(values, np.str_)


def _arrow(path: Path) -> tuple[Any, Any]:
    try:
        import pyarrow as pa  # noqa: PLC0415  # an extra
        from pyarrow import parquet  # noqa: PLC0415
    except ImportError:
        msg = f"{path}: pyarrow expected for Parquet (pip install pyarrow), found none"
        raise MerecError(msg) from None
    return pa, parquet


def _columns_of(path: Path, header: Sequence[str]) -> tuple[int, int, int | None, list[int]]:
    """Return the places of label, group, clip (if any) and features."""
    label, group = (_place(path, header, known) for known in (_LABELS, _GROUPS))
    clip = _place(path, header, _CLIPS) if set(_CLIPS) & set(header) else None
    others = [place for place in range(len(header)) if place not in {label, group, clip}]
    return label, group, clip, others


def _place(path: Path, header: Sequence[str], known: Sequence[str]) -> int:
    found = [name for name in header if name in known]
    if len(found) != 1:
        some = found or [name[:40] for name in header[:9]]
        msg = f"{path}: one column of {', '.join(known)} expected, found {some}"
        raise MerecError(msg)
    return list(header).index(found[0])


def _read_npz(path: Path) -> _Columns:
    try:
        with opened_npz(path) as arrays:
            held = list(arrays)
            found = [held[_place(path, held, known)] for known in (_VALUES, _LABELS, _GROUPS)]
            values, labels, groups = (arrays[name] for name in found)
            names = arrays["names"] if "names" in held else None
            own = held[_place(path, held, _CLIPS)] if set(_CLIPS) & set(held) else None
            clips = None if own is None else arrays[own]
    except UnreadableNpzError as error:
        msg = f"{path}: a table of numbers and texts (.csv, .npz or .parquet) expected, found: {error}"
        raise MerecError(msg) from None
    if values.dtype.kind not in "fiub":
        msg = f"{path}: numbers expected in '{found[0]}', found {values.dtype}"
        raise MerecError(msg)
    if names is None:
        names = np.arange(values.shape[-1] if values.ndim else 0)
    texts = {found[1]: labels, found[2]: groups, "names": names}
    labels, groups, names = (_plain_texts(path, name, array) for name, array in texts.items())
    clips = None if clips is None else _plain_texts(path, "clips", clips)
    return _Columns(values.astype(np.float64), labels, groups, names, clips)


def _plain_texts(path: Path, name: str, array: NDArray[Any]) -> NDArray[np.str_]:
    """Return an array of one text each, whatever was written."""
    if array.ndim != 1:
        msg = f"{path}: one value each expected in '{name}', found shape {array.shape}"
        raise MerecError(msg)
    try:
        texts: NDArray[np.str_] = array.astype(np.str_)
    except (UnicodeDecodeError, ValueError):
        msg = f"{path}: texts expected in '{name}', found bytes that are none"
        raise MerecError(msg) from None
    return texts


def write_table(path: Path, features: Features, recorded: Mapping[str, Any]) -> None:
    """Write features as a table that ``read_table`` reads, and names beside it as JSON.

    Values are written so that they are read back exactly.

    Raises
    ------
    MerecError
        If the file's name ends in none of ``SUFFIXES``, or pyarrow is missing for Parquet.
    """
    if path.suffix not in SUFFIXES:
        msg = f"{path}: a name that ends in {', '.join(SUFFIXES)} expected, found '{path.suffix}'"
        raise MerecError(msg)
    labels = features.class_names[features.labels]
    with published(path) as partial:
        if path.suffix == ".npz":
            with partial.open("wb") as file:
                np.savez(
                    file,
                    X=features.values,
                    y=labels,
                    group=features.subjects,
                    clips=features.clips,
                    names=features.names,
                )
        elif path.suffix == ".csv":
            _write_csv(partial, features, labels)
        else:
            _write_parquet(path, partial, features, labels)
    names = {
        "clips": features.clips.tolist(),
        "subjects": features.subjects.tolist(),
        "classes": features.class_names.tolist(),
        "features": features.names.tolist(),
        "recorded": dict(recorded),
    }
    with published(path.with_name(f"{path.name}.json")) as partial:
        partial.write_text(json.dumps(names, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _write_csv(path: Path, features: Features, labels: NDArray[np.str_]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["clip", "group", "label", *features.names.tolist()])
        rows = zip(features.clips, features.subjects, labels, features.values, strict=True)
        for clip, subject, label, values in rows:
            writer.writerow([clip, subject, label, *map(repr, values.astype(float).tolist())])


def _write_parquet(path: Path, partial: Path, features: Features, labels: NDArray[np.str_]) -> None:
    arrow, parquet = _arrow(path)
    known = {"clip": features.clips, "group": features.subjects, "label": labels}
    texts = [arrow.array(column.tolist()) for column in known.values()]
    values = [arrow.array(np.ascontiguousarray(column)) for column in features.values.T]
    names = [*known, *features.names.tolist()]
    parquet.write_table(arrow.Table.from_arrays([*texts, *values], names), partial)

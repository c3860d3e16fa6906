"""Reads any table of features, labels and groups: CSV, or NumPy's npz."""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from merec_hpc.errors import MerecError
from merec_hpc.files.rows import long_cells
from merec_hpc.records import Features

SUFFIXES = (".csv", ".npz")
_LABELS = ("label", "labels", "y")
_GROUPS = ("group", "groups", "subject", "subjects")
_VALUES = ("features", "X", "values")


def read_table(path: Path) -> Features:
    """Read a table of one row per clip or sample.

    A CSV has a column ``label``, a column ``group`` or ``subject``, and features in all others. An
    npz has arrays ``X`` (n_clips, n_features), ``y`` and ``group``, and if it likes ``names``
    of features; ``features``, ``label``, ``subject`` and plurals will do.

    Raises
    ------
    MerecError
        If an array or column is missing, shapes do not fit, a feature is no finite number, a label
        or group is empty, or two features have one name.
    """
    if not path.is_file():
        msg = f"{path}: a table expected, found no such file"
        raise MerecError(msg)
    values, labels, groups, names = _read_csv(path) if path.suffix == ".csv" else _read_npz(path)
    if values.ndim != 2 or not len(values) == len(labels) == len(groups):
        msg = (
            f"{path}: one label and one group for each row of features expected, found shapes "
            f"{values.shape}, {labels.shape} and {groups.shape}"
        )
        raise MerecError(msg)
    _check(path, values, labels, groups, names)
    class_names, numbers = np.unique(labels.astype(str), return_inverse=True)
    return Features(
        values=values,
        labels=numbers,
        subjects=groups.astype(str),
        clips=np.arange(len(values)).astype(str),
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


def _read_csv(path: Path) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any], NDArray[Any]]:
    try:
        with long_cells(), path.open(newline="", encoding="utf-8-sig") as file:
            header, *rows = list(csv.reader(file)) or [[]]
    except UnicodeDecodeError as error:
        msg = f"{path}: a table in UTF-8 expected, found byte {error.object[error.start]:#x}"
        raise MerecError(msg) from None
    except csv.Error as error:
        msg = f"{path}: a table expected, found: {error}"
        raise MerecError(msg) from None
    label, group = (_place(path, header, known) for known in (_LABELS, _GROUPS))
    places = [place for place in range(len(header)) if place not in {label, group}]
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
    return values, columns[:, label], columns[:, group], np.array(header)[places]


def _place(path: Path, header: Sequence[str], known: Sequence[str]) -> int:
    found = [name for name in header if name in known]
    if len(found) != 1:
        msg = (
            f"{path}: one column of {', '.join(known)} expected, found {found or list(header)[:9]}"
        )
        raise MerecError(msg)
    return list(header).index(found[0])


def _read_npz(path: Path) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any], NDArray[Any]]:
    try:
        arrays = np.load(path, allow_pickle=False)
        held = list(arrays)
    except (OSError, ValueError, AttributeError, TypeError):
        msg = f"{path}: a table expected (.csv or .npz), found something else"
        raise MerecError(msg) from None

    found = [held[_place(path, held, known)] for known in (_VALUES, _LABELS, _GROUPS)]
    try:
        values, labels, groups = (arrays[name] for name in found)
        names = arrays["names"].astype(str) if "names" in held else None
    except (ValueError, OSError) as error:  # of objects, or cut off
        msg = f"{path}: arrays of numbers and texts expected, found: {error}"
        raise MerecError(msg) from None
    if values.dtype.kind not in "fiub":
        msg = f"{path}: numbers expected in '{found[0]}', found {values.dtype}"
        raise MerecError(msg)
    if names is None:
        names = np.arange(values.shape[-1] if values.ndim else 0).astype(str)
    return values.astype(np.float64), labels, groups, names

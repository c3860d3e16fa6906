"""Rows of a frozen dataclass to and from TSV and CSV files."""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from threading import RLock
from types import UnionType
from typing import TYPE_CHECKING, TypeVar, get_args, get_type_hints

from merec_hpc.errors import MerecError
from merec_hpc.files.atomic import published

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Row = TypeVar("Row", bound="DataclassInstance")

_LONGEST_CELL = 2**31 - 1
_cell_limit = RLock()


@contextmanager
def long_cells() -> Iterator[None]:
    """Let ``csv`` read cells of any length, such as an image's pixels; afterwards as before."""
    # The limit is the process's: of two threads the first would take it from the second.
    with _cell_limit:
        former = csv.field_size_limit(_LONGEST_CELL)
        try:
            yield
        finally:
            csv.field_size_limit(former)


@dataclass(frozen=True)
class Columns:
    """Marks a field of type ``Mapping[str, float]`` whose entries are columns of their own."""

    names: Callable[[], Sequence[str]]
    """Returns the columns; asked anew whenever a table is read or written."""


def write_rows(path: Path, kind: type[Row], rows: Iterable[Row]) -> None:
    """Write rows under a header of the field names; ``None`` becomes an empty cell."""
    with published(path) as partial, partial.open("w", newline="", encoding="utf-8") as file:
        names = [name for _, own in _columns_of(kind) for name in own]
        writer = csv.DictWriter(file, names, delimiter=_delimiter(path), lineterminator="\n")
        writer.writeheader()
        writer.writerows(_cells_of(row) for row in rows)


def read_rows(path: Path, kind: type[Row]) -> list[Row]:
    """Read rows of a dataclass of texts and numbers; columns that it lacks are ignored.

    Where a column is missing, its field's default counts.

    Raises
    ------
    MerecError
        If the file or a column is missing, or a cell does not hold what its column should.
    """
    if not path.is_file():
        msg = f"{path}: expected a table, found no such file"
        raise MerecError(msg)
    kinds = get_type_hints(kind)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        msg = f"{path}: a table in UTF-8 expected, found byte {error.object[error.start]:#x}"
        raise MerecError(msg) from None
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=_delimiter(path))
    try:
        found = reader.fieldnames or []
        cells = [(reader.line_num, row) for row in reader]
    except csv.Error as error:
        msg = f"{path}: a table expected, found near line {reader.line_num}: {error}"
        raise MerecError(msg) from None
    defaults = {known.name for known in fields(kind) if known.default is not MISSING}
    read = [(name, own) for name, own in _columns_of(kind) if name in found or name not in defaults]
    missing = [name for _, own in read for name in own if name not in found]
    if missing:
        msg = f"{path}: column '{missing[0]}' expected, found {', '.join(found) or 'none'}"
        raise MerecError(msg)

    def value(name: str, own: Sequence[str], line: int, row: dict[str, str | None]) -> object:
        if own == (name,):
            return _parse(path, line, name, row[name], kinds[name])
        return {column: _parse(path, line, column, row[column], float) for column in own}

    return [
        kind(**{name: value(name, own, line, row) for name, own in read}) for line, row in cells
    ]


def _columns_of(kind: type[Row]) -> list[tuple[str, Sequence[str]]]:
    """Return each field with its columns: its own name, or what ``Columns`` says."""
    hints = get_type_hints(kind, include_extras=True)
    marks = {
        name: next((mark for mark in get_args(hint)[1:] if isinstance(mark, Columns)), None)
        for name, hint in hints.items()
    }
    return [
        (known.name, (known.name,) if mark is None else mark.names())
        for known in fields(kind)
        for mark in [marks[known.name]]
    ]


def _cells_of(row: "DataclassInstance") -> dict[str, object]:
    cells: dict[str, object] = {}
    for known in fields(row):
        value = getattr(row, known.name)
        cells |= value if isinstance(value, Mapping) else {known.name: value}
    return cells


def _delimiter(path: Path) -> str:
    return "," if path.suffix == ".csv" else "\t"


def _parse(path: Path, line: int, name: str, cell: str | None, kind: object) -> object:
    """Return a cell as a text, or as a number that may be absent."""
    text = (cell or "").strip()
    optional = isinstance(kind, UnionType)
    if optional and not text:
        return None
    target = next(part for part in get_args(kind) if part is not type(None)) if optional else kind
    try:
        value: object = target(text)  # type: ignore[operator]  # str, int or float
    except ValueError:
        value = None
    if value is None or (target is str and not text):
        wanted = {str: "a text", int: "a whole number", float: "a number"}[target]  # type: ignore[index]  # as above
        msg = f"{path}: {wanted} expected in column '{name}' of line {line}, found '{text}'"
        raise MerecError(msg)
    return value

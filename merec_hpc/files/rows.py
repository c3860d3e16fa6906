"""Rows of a frozen dataclass to and from TSV and CSV files."""

import csv
import io
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import MISSING, asdict, fields
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


def write_rows(path: Path, kind: type[Row], rows: Iterable[Row]) -> None:
    """Write rows under a header of the field names; ``None`` becomes an empty cell."""
    with published(path) as partial, partial.open("w", newline="", encoding="utf-8") as file:
        names = [field.name for field in fields(kind)]
        writer = csv.DictWriter(file, names, delimiter=_delimiter(path), lineterminator="\n")
        writer.writeheader()
        writer.writerows(asdict(row) for row in rows)


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
    optional = {field.name: field.default for field in fields(kind) if field.default is not MISSING}
    absent = {name for name in optional if name not in found}
    missing = [name for name in kinds if name not in found and name not in absent]
    if missing:
        msg = f"{path}: column '{missing[0]}' expected, found {', '.join(found) or 'none'}"
        raise MerecError(msg)
    return [
        kind(
            **{
                name: optional[name]
                if name in absent
                else _parse(path, line, name, row[name], kinds[name])
                for name in kinds
            }
        )
        for line, row in cells
    ]


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

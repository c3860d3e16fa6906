"""Reads tables from spreadsheets as they were released: headers below notes, blanks, formulas."""

import io
import re
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import openpyxl
import xlrd
from openpyxl.utils import get_column_letter
from openpyxl.utils.exceptions import InvalidFileException
from xlrd.biffh import XLRDError
from xlrd.compdoc import CompDocError

from merec_hpc.errors import MerecError
from merec_hpc.files.atomic import published

Cell = str | int | float | None


# What the readers raise on a file that is not what it should be.
_UNREADABLE = (
    BadZipFile,
    CompDocError,
    InvalidFileException,
    KeyError,
    OSError,
    ValueError,
    XLRDError,
)


@dataclass(frozen=True)
class SheetRow:
    """One row under a header."""

    path: Path
    number: int
    """Counted from 1, as spreadsheet programs do."""
    cells: Mapping[str, Cell]

    def text(self, column: str) -> str:
        """Return a cell as text, without blanks around it; an empty text for an empty cell.

        Whole numbers lose the ``.0`` that spreadsheets give them.
        """
        value = self._cell(column)
        if value is None:
            return ""
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        return str(value).strip()

    def number_or_none(self, column: str) -> int | None:
        """Return a cell as a whole number; ``None`` where it is empty, or not a number at all.

        ``/`` stands for "none" in CASME II.
        """
        found = re.fullmatch(r"-?\d+(\.0*)?", self.text(column))
        return int(float(found[0])) if found else None

    def whole(self, column: str) -> int:
        """Return a cell as a whole number.

        Raises
        ------
        MerecError
            If it holds anything else.
        """
        value = self.number_or_none(column)
        if value is None:
            msg = (
                f"{self.path}, row {self.number}: a whole number expected in column '{column}', "
                f"found '{self.text(column)}'"
            )
            raise MerecError(msg)
        return value

    def has(self, column: str) -> bool:
        """Return whether the sheet has a column of this name."""
        return any(same_header(name, column) for name in self.cells)

    def _cell(self, column: str) -> Cell:
        for name, value in self.cells.items():
            if same_header(name, column):
                return value
        msg = f"{self.path}: column '{column}' expected, found {', '.join(self.cells)}"
        raise MerecError(msg)


def same_header(one: str, other: str) -> bool:
    """Return whether two headers differ by case, blanks and punctuation only."""
    return _plain(one) == _plain(other)


def read_cells(path: Path, sheet: str | None = None) -> list[list[Cell]]:
    """Return all cells of a sheet, row by row; of the first one, if none is named.

    Raises
    ------
    MerecError
        If the file or sheet is missing, is no spreadsheet, or holds formulas whose values were
        not saved.
    """
    if not path.is_file():
        msg = f"{path}: a spreadsheet expected, found no such file"
        raise MerecError(msg)
    try:
        return (
            _xls_cells(path, sheet) if path.suffix.lower() == ".xls" else _xlsx_cells(path, sheet)
        )
    except _UNREADABLE as error:
        msg = f"{path}: a spreadsheet expected, found: {str(error) or type(error).__name__}"
        raise MerecError(msg) from None


def read_rows_below(path: Path, columns: Sequence[str], sheet: str | None = None) -> list[SheetRow]:
    """Return the rows below the header, which is the first row that names all the columns.

    Rows without a cell in the first of the columns are notes and blanks, and are left away.

    Raises
    ------
    MerecError
        If there is no such header.
    """
    cells = read_cells(path, sheet)
    wanted = [_plain(column) for column in columns]
    for place, row in enumerate(cells):
        header = [_plain(str(cell)) for cell in row if cell is not None]
        if all(column in header for column in wanted):
            names = [
                str(cell).strip() if cell is not None else f"column {number}"
                for number, cell in enumerate(row, start=1)
            ]
            rows = [
                SheetRow(path, number, dict(zip(names, values, strict=False)))
                for number, values in enumerate(cells[place + 1 :], start=place + 2)
            ]
            return [row for row in rows if row.text(columns[0])]
    shown = [str(cell) for cell in next(iter(cells), []) if cell is not None]
    msg = (
        f"{path}: a row with the headers {', '.join(columns)} expected, "
        f"found {', '.join(shown) or 'nothing'} in the first row"
    )
    raise MerecError(msg)


def write_sheet(path: Path, name: str, rows: Sequence[Sequence[Cell]]) -> None:
    """Write a spreadsheet of one sheet; the same rows give the same bytes."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = name
    for row in rows:
        sheet.append(list(row))
    packed = io.BytesIO()
    book.save(packed)
    with (
        published(path) as partial,
        zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED) as file,
        zipfile.ZipFile(packed) as made,
    ):
        for entry in made.namelist():
            content = made.read(entry)
            if entry == "docProps/core.xml":  # says when it was written
                content = re.sub(rb"\d{4}-\d\d-\d\dT[\d:]+Z", b"2014-05-08T00:00:00Z", content)
            file.writestr(zipfile.ZipInfo(entry), content, zipfile.ZIP_DEFLATED)


def _plain(header: str) -> str:
    return re.sub(r"[^a-z0-9]", "", header.casefold())


def _xlsx_cells(path: Path, sheet: str | None) -> list[list[Cell]]:
    book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    chosen = book[_name_of(path, book.sheetnames, sheet)]
    cells = [[_value(cell) for cell in row] for row in chosen.iter_rows(values_only=True)]
    title = chosen.title
    book.close()
    _refuse_unsaved_formulas(path, title, cells)
    return cells


def _refuse_unsaved_formulas(path: Path, title: str, cells: list[list[Cell]]) -> None:
    """Raise a ``MerecError`` for a formula that reads as an empty cell: nobody has computed it."""
    book = openpyxl.load_workbook(path, read_only=True)
    for row, (formulas, values) in enumerate(
        zip(book[title].iter_rows(values_only=True), cells, strict=False), start=1
    ):
        for column, (formula, value) in enumerate(zip(formulas, values, strict=False), start=1):
            if value is None and isinstance(formula, str) and formula.startswith("="):
                cell = f"{get_column_letter(column)}{row}"
                msg = (
                    f"{path}: a number expected in {cell}, found the formula {formula} without its "
                    "value: open and save the file in a spreadsheet program"
                )
                raise MerecError(msg)
    book.close()


def _xls_cells(path: Path, sheet: str | None) -> list[list[Cell]]:
    book = xlrd.open_workbook(str(path))
    chosen = book.sheet_by_name(_name_of(path, book.sheet_names(), sheet))
    return [[_value(cell) for cell in chosen.row_values(row)] for row in range(chosen.nrows)]


def _name_of(path: Path, names: Sequence[str], wanted: str | None) -> str:
    """Return the name of a sheet as the file spells it: sheets are found by name, not order."""
    if wanted is None:
        return names[0]
    for name in names:
        if _plain(name) == _plain(wanted):
            return name
    msg = f"{path}: a sheet '{wanted}' expected, found {', '.join(names)}"
    raise MerecError(msg)


def _value(cell: Any) -> Cell:
    if cell is None or (isinstance(cell, str) and not cell.strip()):
        return None
    return cell if isinstance(cell, str | int | float) else str(cell)

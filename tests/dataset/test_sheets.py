"""Cells of spreadsheets as they were released."""

from pathlib import Path

import pytest
from dataset.releases import xls, xlsx

from merec_hpc.dataset.sheets import read_cells, read_rows_below
from merec_hpc.errors import MerecError

ROWS = [
    ["notes"],
    [None],
    ["Subject", None, "On-set Frame"],
    [6, "x", 12.0],
    [None],
    ["07", "", "/"],
]


@pytest.mark.parametrize("write", ["xlsx", "xls"])
def test_rows_stand_below_the_header_wherever_it_is(tmp_path: Path, write: str) -> None:
    path = tmp_path / f"sheet.{write}"
    xlsx(path, {"first": ROWS}) if write == "xlsx" else xls(path, ROWS)
    first, second = read_rows_below(path, ("subject", "OnsetFrame"))
    assert (first.number, first.text("Subject"), first.whole("OnsetFrame")) == (4, "6", 12)
    assert (second.text("Subject"), second.whole("Subject")) == ("07", 7)
    assert second.number_or_none("OnsetFrame") is None
    with pytest.raises(MerecError, match=r"row 6: a whole number expected in column .*found '/'"):
        second.whole("OnsetFrame")
    with pytest.raises(MerecError, match="column 'Apex' expected, found Subject"):
        first.text("Apex")


def test_sheets_are_found_by_name(tmp_path: Path) -> None:
    path = tmp_path / "book.xlsx"
    xlsx(path, {"b": [["x"]], "a": [["y", ("=1+1", 2)]]})
    assert read_cells(path) == [["x"]]
    assert read_cells(path, "A") == [["y", 2]]
    with pytest.raises(MerecError, match="a sheet 'c' expected, found b, a"):
        read_cells(path, "c")


@pytest.mark.parametrize("name", ["sheet.xlsx", "sheet.xls"])
def test_what_is_no_spreadsheet_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(MerecError, match="a spreadsheet expected, found no such file"):
        read_cells(tmp_path / name)
    (tmp_path / name).write_text("text")
    with pytest.raises(MerecError, match="a spreadsheet expected, found"):
        read_cells(tmp_path / name)


def test_a_missing_header_says_what_stands_there(tmp_path: Path) -> None:
    path = tmp_path / "sheet.xlsx"
    xlsx(path, {"first": ROWS})
    with pytest.raises(MerecError, match="the headers Subject, Apex expected, found notes"):
        read_rows_below(path, ("Subject", "Apex"))

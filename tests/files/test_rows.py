import csv
from dataclasses import dataclass
from pathlib import Path

import pytest

from merec_hpc.errors import MerecError
from merec_hpc.files.rows import long_cells, read_rows, write_rows


@dataclass(frozen=True)
class Item:
    name: str
    count: int
    weight: float
    number: int | None = None
    share: float | None = None


ITEMS = [Item("first", 3, 0.1), Item("second", -4, 1e-17, 0, 2.5)]


@pytest.mark.parametrize("name", ["items.tsv", "items.csv"])
def test_what_is_written_is_read(tmp_path: Path, name: str) -> None:
    write_rows(tmp_path / name, Item, ITEMS)
    assert read_rows(tmp_path / name, Item) == ITEMS


@pytest.mark.parametrize("name", ["items.tsv", "items.csv"])
def test_delimiters_quotes_and_accents_survive(tmp_path: Path, name: str) -> None:
    items = [Item(text, 1, 1.0) for text in ("a,b", "a\tb", 'a "b"', "a;b", "Łódź", "a  b")]
    write_rows(tmp_path / name, Item, items)
    assert read_rows(tmp_path / name, Item) == items


def test_suffix_decides_the_delimiter_and_none_is_an_empty_cell(tmp_path: Path) -> None:
    write_rows(tmp_path / "items.tsv", Item, ITEMS[:1])
    write_rows(tmp_path / "items.csv", Item, ITEMS[:1])
    header = ["name", "count", "weight", "number", "share"]
    row = ["first", "3", "0.1", "", ""]
    for delimiter, suffix in (("\t", "tsv"), (",", "csv")):
        expected = f"{delimiter.join(header)}\n{delimiter.join(row)}\n"
        assert (tmp_path / f"items.{suffix}").read_bytes() == expected.encode()


def test_table_without_rows_keeps_its_header(tmp_path: Path) -> None:
    path = tmp_path / "items.tsv"
    write_rows(path, Item, [])
    assert path.read_text() == "name\tcount\tweight\tnumber\tshare\n"
    assert read_rows(path, Item) == []


def test_former_table_is_kept_when_a_row_fails(tmp_path: Path) -> None:
    path = tmp_path / "items.tsv"
    write_rows(path, Item, ITEMS)
    with pytest.raises(ZeroDivisionError):
        write_rows(path, Item, (Item("x", 1 // count, 1.0) for count in (1, 0)))
    assert read_rows(path, Item) == ITEMS


def test_columns_may_come_in_any_order_with_others_between(tmp_path: Path) -> None:
    path = _csv(tmp_path, "share,weight,remark,count,name,number", "0.5,1.5,none,2,a,")
    assert read_rows(path, Item) == [Item("a", 2, 1.5, None, 0.5)]


def test_spaces_around_cells_and_a_byte_order_mark_are_ignored(tmp_path: Path) -> None:
    path = tmp_path / "items.csv"
    text = "name,count,weight,number,share\r\n a , 2 , 1.5 , , \r\n"
    path.write_bytes(text.encode("utf-8-sig"))
    assert read_rows(path, Item) == [Item("a", 2, 1.5)]


def test_missing_table_is_named(tmp_path: Path) -> None:
    with pytest.raises(MerecError, match=r"absent\.tsv: expected a table, found no such file"):
        read_rows(tmp_path / "absent.tsv", Item)


def test_folder_is_no_table(tmp_path: Path) -> None:
    with pytest.raises(MerecError, match="expected a table"):
        read_rows(tmp_path, Item)


def test_missing_column_is_named_with_those_found(tmp_path: Path) -> None:
    path = _csv(tmp_path, "name,count,number,share", "a,1,,")
    with pytest.raises(MerecError) as caught:
        read_rows(path, Item)
    expected = f"{path}: column 'weight' expected, found name, count, number, share"
    assert str(caught.value) == expected


def test_empty_file_has_no_columns(tmp_path: Path) -> None:
    path = tmp_path / "items.csv"
    path.touch()
    with pytest.raises(MerecError, match="column 'name' expected, found none"):
        read_rows(path, Item)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("a,two,1.0,,", "a whole number expected in column 'count' of line 3, found 'two'"),
        ("a,2.5,1.0,,", "a whole number expected in column 'count' of line 3, found '2.5'"),
        ("a,,1.0,,", "a whole number expected in column 'count' of line 3, found ''"),
        ("a,2,heavy,,", "a number expected in column 'weight' of line 3, found 'heavy'"),
        ("a,2,1.0,x,", "a whole number expected in column 'number' of line 3, found 'x'"),
        ("a,2,1.0,,x", "a number expected in column 'share' of line 3, found 'x'"),
        (",2,1.0,,", "a text expected in column 'name' of line 3, found ''"),
        ("a,2", "a number expected in column 'weight' of line 3, found ''"),
    ],
)
def test_ill_typed_cell_is_named_by_column_and_line(tmp_path: Path, row: str, message: str) -> None:
    path = _csv(tmp_path, "name,count,weight,number,share", "b,1,1.0,,", row)
    with pytest.raises(MerecError) as caught:
        read_rows(path, Item)
    assert str(caught.value) == f"{path}: {message}"


def _csv(folder: Path, *lines: str) -> Path:
    path = folder / "items.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def test_table_that_is_not_utf8_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "manifest.csv"
    path.write_bytes(b"clip,subject\nc1,s\xe91\n")
    with pytest.raises(MerecError, match=r"manifest\.csv: a table in UTF-8 expected, found byte"):
        read_rows(path, Item)


def test_long_cells_are_read_and_the_limit_is_afterwards_as_it_was() -> None:
    before = csv.field_size_limit()
    lines = ["x" * (before + 1)]
    with long_cells(), long_cells():
        assert [len(cell) for (cell,) in csv.reader(lines)] == [before + 1]
    assert csv.field_size_limit() == before
    with pytest.raises(csv.Error, match="limit"):
        list(csv.reader(lines))

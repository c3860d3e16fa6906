"""Tables of features, labels and groups, as people have them."""

import json
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from numpy.typing import NDArray
from pyarrow import parquet

from merec_hpc.errors import MerecError
from merec_hpc.records import Features
from merec_hpc.store.table import SUFFIXES, read_table, write_table

CSV = "group,width,label,height\np1,1.5,yes,2\np2,-3e2,no,4\np1,0,yes,1\n"


def written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_a_csv_is_read_by_its_header(tmp_path: Path) -> None:
    table = read_table(written(tmp_path / "table.csv", CSV))
    assert table.values.tolist() == [[1.5, 2], [-300, 4], [0, 1]]
    assert table.names.tolist() == ["width", "height"]
    assert table.subjects.tolist() == ["p1", "p2", "p1"]
    assert table.class_names[table.labels].tolist() == ["yes", "no", "yes"]


@pytest.mark.parametrize("names", [("X", "y", "group"), ("features", "labels", "subjects")])
def test_an_npz_is_read_by_its_names(tmp_path: Path, names: tuple[str, str, str]) -> None:
    arrays = np.arange(6).reshape(3, 2), np.array([1, 0, 1]), np.array(["a", "b", "a"])
    np.savez(tmp_path / "table.npz", **dict(zip(names, arrays, strict=True)))
    table = read_table(tmp_path / "table.npz")
    assert table.values.tolist() == [[0, 1], [2, 3], [4, 5]]
    assert table.class_names[table.labels].tolist() == ["1", "0", "1"]
    assert table.subjects.tolist() == ["a", "b", "a"]
    assert table.names.tolist() == ["0", "1"]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (CSV.replace("label", "class"), "one column of label, labels, y expected"),
        (CSV.replace("width", "subject"), "one column of group"),
        (CSV.replace("-3e2", "wide"), "table.csv:3: a number expected in 'width', found 'wide'"),
        (CSV + "p1,1,yes\n", "table.csv:5: 4 cells expected, found 3"),
        ("", "one column of label"),
    ],
)
def test_a_csv_with_a_mistake_is_refused(tmp_path: Path, text: str, complaint: str) -> None:
    with pytest.raises(MerecError, match=complaint):
        read_table(written(tmp_path / "table.csv", text))


def test_other_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(MerecError, match="found no such file"):
        read_table(tmp_path / "table.csv")
    with pytest.raises(MerecError, match="expected, found: File is not a zip file"):
        read_table(written(tmp_path / "table.npz", "no zip"))
    np.savez(tmp_path / "short.npz", X=np.ones((3, 2)), y=np.ones(2), group=np.ones(3))
    with pytest.raises(MerecError, match="one label and one group for each row"):
        read_table(tmp_path / "short.npz")
    np.savez(tmp_path / "words.npz", X=np.array([["a"]]), y=np.ones(1), group=np.ones(1))
    with pytest.raises(MerecError, match="numbers expected in 'X'"):
        read_table(tmp_path / "words.npz")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("label,group\na,b\n", "features beside label and group expected, found none"),
        ("x,x,label,group\n1,2,a,b\n", "each feature once expected, found 'x' again"),
        ("x,label,group\n1,,b\n", "a label in each row expected, found '' in row 1"),
        ("x,label,group\n1,a,b\n1,a,nan\n", "a group in each row expected, found 'nan' in row 2"),
        ("x,label,group\n1,a,b\ninf,a,b\n", "finite numbers expected, found inf in 'x' of row 2"),
        ("x,label,group\nnan,a,b\n", "finite numbers expected, found nan in 'x' of row 1"),
    ],
)
def test_a_table_that_only_looks_right_is_refused(
    tmp_path: Path, text: str, complaint: str
) -> None:
    with pytest.raises(MerecError, match=complaint):
        read_table(written(tmp_path / "table.csv", text))


def test_text_that_is_no_utf8_is_refused(tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_text(CSV, encoding="utf-16")
    with pytest.raises(MerecError, match="a table in UTF-8 expected, found byte 0xff"):
        read_table(tmp_path / "table.csv")


def test_npz_of_objects_or_of_too_few_names_is_refused(tmp_path: Path) -> None:
    others = {"y": np.ones(2), "group": np.ones(2)}
    np.savez(tmp_path / "objects.npz", X=np.array([[1, None]] * 2), **others)
    with pytest.raises(
        MerecError, match=r"a table of numbers and texts .* expected, found: Object arrays"
    ):
        read_table(tmp_path / "objects.npz")
    np.savez(tmp_path / "names.npz", X=np.ones((2, 3)), names=np.array(["a", "b"]), **others)
    with pytest.raises(MerecError, match="a name for each of 3 features expected, found 2"):
        read_table(tmp_path / "names.npz")
    np.savez(tmp_path / "number.npz", X=np.float64(1), **others)
    with pytest.raises(MerecError, match="one label and one group for each row"):
        read_table(tmp_path / "number.npz")


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"y": np.float64(1)}, r"one value each expected in 'y', found shape \(\)"),
        ({"group": np.ones((2, 1))}, r"one value each expected in 'group', found shape \(2, 1\)"),
        ({"names": np.array("a")}, r"one value each expected in 'names', found shape \(\)"),
        ({"names": np.array([["a"]])}, "one value each expected in 'names'"),
        ({"clips": np.array("a")}, "one value each expected in 'clips'"),
        ({"y": np.array([b"\xff", b"a"])}, "texts expected in 'y', found bytes that are none"),
        ({"clips": np.array([b"\xff", b"a"])}, "texts expected in 'clips'"),
        (
            {"X": np.ones((0, 1)), "y": np.array([], str), "group": np.array([], str)},
            "rows of features expected, found none",
        ),
    ],
)
def test_npz_of_other_shapes_and_bytes_is_refused(
    tmp_path: Path, changed: dict[str, NDArray[Any]], said: str
) -> None:
    whole = {"X": np.ones((2, 1)), "y": np.ones(2), "group": np.ones(2)}
    np.savez(tmp_path / "t.npz", **{**whole, **changed})
    with pytest.raises(MerecError, match=said):
        read_table(tmp_path / "t.npz")


@pytest.mark.parametrize("missing", ["X", "y", "names", "clips"])
def test_npz_with_a_member_that_is_no_array_is_refused(tmp_path: Path, missing: str) -> None:
    arrays = {"X": np.ones((2, 1)), "y": np.ones(2), "group": np.ones(2)}
    np.savez(tmp_path / "t.npz", **{name: arrays[name] for name in arrays if name != missing})
    with zipfile.ZipFile(tmp_path / "t.npz", "a") as file:
        file.writestr(missing, "no array")
    with pytest.raises(MerecError, match=f"expected, found: no array in {missing}"):
        read_table(tmp_path / "t.npz")


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_table_that_is_written_is_read_back(
    tmp_path: Path, features: Features, suffix: str
) -> None:
    path = tmp_path / f"table{suffix}"
    write_table(path, features, {"weights_sha256": "abc"})
    found = read_table(path)
    for name in ("values", "subjects", "clips", "names"):
        np.testing.assert_array_equal(getattr(found, name), getattr(features, name))
    classes = features.class_names[features.labels]
    np.testing.assert_array_equal(found.class_names[found.labels], classes)
    told = json.loads((tmp_path / f"table{suffix}.json").read_text(encoding="utf-8"))
    assert told["features"] == features.names.tolist()
    assert told["classes"] == features.class_names.tolist()
    assert told["recorded"] == {"weights_sha256": "abc"}


def test_a_table_of_another_kind_is_not_written(tmp_path: Path, features: Features) -> None:
    with pytest.raises(
        MerecError, match=r"ends in \.csv, \.npz, \.parquet expected, found '\.xlsx'"
    ):
        write_table(tmp_path / "table.xlsx", features, {})
    assert list(tmp_path.iterdir()) == []


def test_names_of_clips_are_read_and_must_differ(tmp_path: Path) -> None:
    named = CSV.replace("group,", "clip,group,").replace("p1,1.5", "a,p1,1.5")
    named = named.replace("\np2", "\nb,p2").replace("\np1,0", "\nc,p1,0")
    assert read_table(written(tmp_path / "table.csv", named)).clips.tolist() == ["a", "b", "c"]
    for wrong in (named.replace("\nc,", "\na,"), named.replace("\nc,", "\n,")):
        with pytest.raises(MerecError, match="a clip's name of its own in each row expected"):
            read_table(written(tmp_path / "table.csv", wrong))


def test_a_parquet_file_with_a_mistake_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "table.parquet"
    with pytest.raises(MerecError, match=r"table\.parquet: a Parquet table of numbers expected"):
        read_table(written(path, "no parquet"))
    columns = {"x": ["a", "b"], "label": [1, 2], "group": ["s", "t"]}
    parquet.write_table(pa.table(columns), path)
    with pytest.raises(MerecError, match=r"table\.parquet: a Parquet table of numbers expected"):
        read_table(path)
    parquet.write_table(pa.table(columns | {"x": [1, 2], "group": ["s", None]}), path)
    with pytest.raises(MerecError, match="a group in each row expected, found '' in row 2"):
        read_table(path)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MerecError, match="pyarrow expected for Parquet"):
        read_table(path)

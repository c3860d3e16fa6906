from pathlib import Path

import pytest

from merec_hpc.dataset.clip import Clip
from merec_hpc.dataset.readers import manifest
from merec_hpc.dataset.sources import Folder, Video
from merec_hpc.errors import MerecError

HEADER = "clip,subject,label,path,onset,apex,offset"


def test_rows_become_clips_in_their_order(tmp_path: Path) -> None:
    _write(tmp_path, HEADER, "c2,s2,happy,films/b.avi,,,", "c1,s1,sad,frames/a,3,5,9")
    assert manifest.list_clips(tmp_path, "manifest.csv") == [
        Clip("c2", "s2", "happy", Video("films/b.avi")),
        Clip("c1", "s1", "sad", Folder("frames/a"), 3, 5, 9),
    ]


def test_names_that_look_like_numbers_keep_their_zeros(tmp_path: Path) -> None:
    _write(tmp_path, HEADER, "001,006,1,a,,,")
    (clip,) = manifest.list_clips(tmp_path, "manifest.csv")
    assert (clip.clip, clip.subject, clip.label) == ("001", "006", "1")


def test_split_may_be_given_for_some_clips_or_none(tmp_path: Path) -> None:
    splits = ("train", "validation", "test", "")
    rows = [f"c{n},s1,sad,a,,,,{split}" for n, split in enumerate(splits)]
    _write(tmp_path, f"{HEADER},split", *rows)
    clips = manifest.list_clips(tmp_path, "manifest.csv")
    assert [clip.split for clip in clips] == ["train", "validation", "test", None]


def test_split_of_another_name_is_refused(tmp_path: Path) -> None:
    _write(tmp_path, f"{HEADER},split", "c1,s1,sad,a,,,,train", "c2,s1,sad,a,,,,Training")
    with pytest.raises(MerecError) as caught:
        manifest.list_clips(tmp_path, "manifest.csv")
    expected = "train, validation, test or nothing expected in column 'split' of clip 'c2'"
    assert str(caught.value) == f"{tmp_path / 'manifest.csv'}: {expected}, found 'Training'"


def test_other_columns_are_ignored(tmp_path: Path) -> None:
    _write(tmp_path, f"age,{HEADER},remark", "30,c1,s1,sad,a,,,,dim")
    assert manifest.list_clips(tmp_path, "manifest.csv") == [Clip("c1", "s1", "sad", Folder("a"))]


def test_manifest_may_lie_below_the_root_and_be_a_tsv(tmp_path: Path) -> None:
    (tmp_path / "lists").mkdir()
    text = f"{HEADER}\nc1,s1,sad,a,1,2,3\n".replace(",", "\t")
    (tmp_path / "lists" / "all.tsv").write_text(text)
    assert manifest.list_clips(tmp_path, "lists/all.tsv")[0].offset == 3


def test_missing_manifest_is_named(tmp_path: Path) -> None:
    with pytest.raises(MerecError, match=r"manifest\.csv: expected a table"):
        manifest.list_clips(tmp_path, "manifest.csv")


@pytest.mark.parametrize("column", HEADER.split(","))
def test_missing_column_is_named(tmp_path: Path, column: str) -> None:
    columns = [name for name in HEADER.split(",") if name != column]
    _write(tmp_path, ",".join(columns), "c1,s1,sad,a,1,2")
    with pytest.raises(MerecError) as caught:
        manifest.list_clips(tmp_path, "manifest.csv")
    assert f"column '{column}' expected, found {', '.join(columns)}" in str(caught.value)


@pytest.mark.parametrize("column", ["clip", "subject", "label", "path"])
def test_needed_cell_must_not_be_empty(tmp_path: Path, column: str) -> None:
    cells = {"clip": "c1", "subject": "s1", "label": "sad", "path": "a"} | {column: " "}
    _write(tmp_path, HEADER, ",".join([*cells.values(), "", "", ""]))
    with pytest.raises(MerecError, match=f"a text expected in column '{column}' of line 2"):
        manifest.list_clips(tmp_path, "manifest.csv")


def test_frame_that_is_no_whole_number_is_refused(tmp_path: Path) -> None:
    _write(tmp_path, HEADER, "c1,s1,sad,a,1,/,3")
    with pytest.raises(MerecError, match=r"column 'apex' of line 2, found '/'"):
        manifest.list_clips(tmp_path, "manifest.csv")


def test_manifest_without_rows_is_refused(tmp_path: Path) -> None:
    _write(tmp_path, HEADER)
    with pytest.raises(MerecError, match="at least one clip expected, found none"):
        manifest.list_clips(tmp_path, "manifest.csv")


def _write(folder: Path, *lines: str) -> None:
    (folder / "manifest.csv").write_text("\n".join(lines) + "\n")

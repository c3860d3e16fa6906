"""Corrections are applied by subject and clip, and recorded."""

from pathlib import Path

import pytest

from merec_hpc.dataset.clip import Clip
from merec_hpc.dataset.corrections import correct
from merec_hpc.dataset.sources import Folder
from merec_hpc.errors import MerecError

CLIPS = [
    Clip("c1", "s1", "happy", Folder("c1"), onset=21, apex=15, offset=30),
    Clip("c1", "s2", "happy", Folder("c2"), onset=1, offset=3),
]
HEADER = "subject,clip,column,value,reason\n"


def table(tmp_path: Path, rows: str) -> Path:
    path = tmp_path / "corrections.csv"
    path.write_text(HEADER + rows)
    return path


def test_what_is_named_is_corrected_and_noted(tmp_path: Path) -> None:
    path = table(tmp_path, "s1,c1,onset,12,digits swapped\ns2,c1,label,sad,wrong row\n")
    clips, noted = correct(path, CLIPS)
    assert [(clip.onset, clip.label) for clip in clips] == [(12, "happy"), (1, "sad")]
    assert [fault.fault for fault in noted] == [
        "corrected: onset 12 instead of 21: digits swapped",
        "corrected: label sad instead of happy: wrong row",
    ]


def test_a_doubled_clip_is_neither_hidden_nor_corrected(tmp_path: Path) -> None:
    doubled = [*CLIPS, CLIPS[0]]
    clips, _ = correct(table(tmp_path, "s2,c1,label,sad,wrong row\n"), doubled)
    assert len(clips) == 3
    with pytest.raises(MerecError, match="clip 'c1' is listed 2 times, expected once"):
        correct(table(tmp_path, "s1,c1,onset,12,digits swapped\n"), doubled)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("s3,c1,onset,12,why", "clip 'c1' of subject 's3' expected, found no such clip"),
        ("s1,c1,frames,12,why", "a column of onset, apex, offset, label expected, found 'frames'"),
        ("s1,c1,onset,twelve,why", "a frame number expected for c1, found 'twelve'"),
        ("s1,c1,onset,12,", "a text expected in column 'reason'"),
    ],
)
def test_a_row_that_makes_no_sense_is_refused(tmp_path: Path, row: str, said: str) -> None:
    with pytest.raises(MerecError, match=said):
        correct(table(tmp_path, row + "\n"), CLIPS)

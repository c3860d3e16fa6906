from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from merec_hpc.dataset.audit import audit, check_audit, usable_clips
from merec_hpc.dataset.clip import Clip
from merec_hpc.dataset.listing import Fault
from merec_hpc.dataset.sources import Folder, Images, Video
from merec_hpc.errors import MerecError

CLASSES = ("happy", "sad")
STOPS, LEFT_OUT, NOTED = "stops the run", "clip left out", "noted"
GOOD = Clip("c01", "s01", "happy", Folder("clip"), onset=3, apex=4, offset=5)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder of frames 3 to 5, one with gaps, and a video of 4 frames."""
    _touch_frames(tmp_path / "clip", [3, 4, 5])
    _touch_frames(tmp_path / "gaps", [1, 2, 5, 9])
    for name in ("a.pgm", "b.pgm"):
        (tmp_path / name).touch()
    codec = cv2.VideoWriter.fourcc(*"MJPG")
    video = cv2.VideoWriter(str(tmp_path / "film.avi"), codec, 25.0, (32, 24))
    for _ in range(4):
        video.write(np.zeros((24, 32, 3), np.uint8))
    video.release()
    (tmp_path / "broken.avi").write_bytes(b"this is no video")
    return tmp_path


@pytest.mark.parametrize(
    "clip",
    [
        GOOD,
        replace(GOOD, onset=None, apex=None, offset=None),
        replace(GOOD, onset=4, apex=4, offset=4),
        replace(GOOD, apex=None),
        replace(GOOD, source=Video("film.avi"), onset=0, apex=None, offset=3),
        replace(GOOD, source=Video("film.avi"), onset=None, apex=None, offset=None),
        replace(GOOD, source=Images(("a.pgm", "b.pgm")), onset=None, apex=None, offset=None),
        replace(GOOD, subject="Sub-01_b.2"),
    ],
)
def test_good_clip_has_no_fault(root: Path, clip: Clip) -> None:
    assert audit(root, [clip], CLASSES) == []


def test_label_outside_the_scheme_stops_the_run(root: Path) -> None:
    (fault,) = audit(root, [replace(GOOD, label="disgust")], CLASSES)
    assert fault == Fault("c01", "s01", STOPS, "label 'disgust', expected one of happy, sad")


def test_label_in_other_letters_stops_the_run(root: Path) -> None:
    assert _consequences(root, replace(GOOD, label="Happy")) == [STOPS]


def test_doubled_clip_stops_the_run_at_every_mention(root: Path) -> None:
    clips = [GOOD, replace(GOOD, clip="c02"), replace(GOOD, subject="s02")]
    faults = audit(root, clips, CLASSES)
    assert [(fault.clip, fault.subject) for fault in faults] == [("c01", "s01"), ("c01", "s02")]
    assert {fault.consequence for fault in faults} == {STOPS}
    assert all("listed 2 times" in fault.fault for fault in faults)


@pytest.mark.parametrize("subject", ["../s01", "s 01", ".s01", "s/1", "ż01", "-1"])
def test_subject_that_cannot_name_a_file_stops_the_run(root: Path, subject: str) -> None:
    assert _consequences(root, replace(GOOD, subject=subject)) == [STOPS]


@pytest.mark.parametrize(
    ("onset", "apex", "offset", "words"),
    [
        (5, 4, 5, "onset 5 comes after apex 4"),
        (3, 5, 4, "apex 5 comes after offset 4"),
        (5, None, 3, "onset 5 comes after offset 3"),
        (5, 4, 3, "onset 5 comes after apex 4"),
        (None, 5, 4, "apex 5 comes after offset 4"),
    ],
)
def test_clip_whose_marks_are_out_of_order_is_left_out(
    root: Path, onset: int | None, apex: int | None, offset: int | None, words: str
) -> None:
    clip = replace(GOOD, onset=onset, apex=apex, offset=offset)
    assert audit(root, [clip], CLASSES) == [Fault("c01", "s01", LEFT_OUT, words)]


@pytest.mark.parametrize(
    ("clip", "words"),
    [
        (replace(GOOD, source=Folder("absent")), "absent: expected a folder of frames"),
        (replace(GOOD, source=Folder("empty")), "empty: expected numbered images, found none"),
        (replace(GOOD, source=Folder("gaps")), "frames 3 to 5 expected, 3, 4 missing"),
        (replace(GOOD, onset=1), "frames 1 to 5 expected, 1, 2 missing"),
        (replace(GOOD, source=Folder("doubled")), "one file per frame expected, 03.png and 3.png"),
        (replace(GOOD, source=Images(("a.pgm", "c.pgm"))), "c.pgm: expected an image"),
        (replace(GOOD, source=Video("absent.avi")), "no video absent.avi"),
        (replace(GOOD, source=Video("broken.avi")), "broken.avi is not a video that can be read"),
        (replace(GOOD, source=Video("film.avi")), "frame 5 expected, film.avi has 4 frames"),
        (
            replace(GOOD, source=Video("film.avi"), onset=4, apex=None, offset=None),
            "frame 4 expected, film.avi has 4 frames",
        ),
    ],
    ids=lambda value: value.source.text if isinstance(value, Clip) else "",
)
def test_clip_whose_frames_are_missing_is_left_out(root: Path, clip: Clip, words: str) -> None:
    (root / "empty").mkdir()
    _touch_frames(root / "doubled", [3, 4, 5])
    (root / "doubled" / "03.png").touch()
    (fault,) = audit(root, [clip], CLASSES)
    assert fault.consequence == LEFT_OUT
    assert words in fault.fault


def test_gaps_without_annotated_frames_are_noted(root: Path) -> None:
    clip = replace(GOOD, source=Folder("gaps"), onset=None, apex=None, offset=None)
    expected = "5 of the frame numbers 1 to 9 are absent"
    assert audit(root, [clip], CLASSES) == [Fault("c01", "s01", NOTED, expected)]
    assert usable_clips([clip], audit(root, [clip], CLASSES)) == [clip]


def test_every_fault_of_a_clip_is_reported(root: Path) -> None:
    clip = replace(GOOD, label="disgust", subject="s 1", source=Folder("absent"))
    assert _consequences(root, clip) == [STOPS, STOPS, LEFT_OUT]


def test_faults_follow_the_order_of_the_clips(root: Path) -> None:
    clips = [
        replace(GOOD, clip="z", source=Folder("absent")),
        replace(GOOD, clip="m"),
        replace(GOOD, clip="a", label="disgust"),
    ]
    assert [fault.clip for fault in audit(root, clips, CLASSES)] == ["z", "a"]


def test_clips_left_out_are_not_usable(root: Path) -> None:
    clips = [replace(GOOD, clip="bad", source=Folder("absent")), GOOD]
    assert usable_clips(clips, audit(root, clips, CLASSES)) == [GOOD]


def test_check_passes_when_nothing_stops_the_run() -> None:
    check_audit([])
    check_audit([Fault("c01", "s01", LEFT_OUT, "x"), Fault("c02", "s01", NOTED, "y")])


@pytest.mark.parametrize(
    ("others", "more"),
    [([], None), ([STOPS], "(and 1 more, in the log)"), ([LEFT_OUT, NOTED], None)],
)
def test_check_names_the_first_fault_that_stops_the_run(
    others: Sequence[str], more: str | None
) -> None:
    faults = [
        Fault("c00", "s01", LEFT_OUT, "no frames"),
        Fault("c01", "s02", STOPS, "label 'x', expected one of happy"),
        *(Fault("c02", "s01", consequence, "z") for consequence in others),
    ]
    with pytest.raises(MerecError) as caught:
        check_audit(faults)
    expected = "clip 'c01' of subject 's02': label 'x', expected one of happy"
    assert str(caught.value) == (f"{expected} {more}" if more else expected)


def _consequences(root: Path, clip: Clip) -> list[str]:
    return [fault.consequence for fault in audit(root, [clip], CLASSES)]


def _touch_frames(folder: Path, numbers: Sequence[int]) -> None:
    folder.mkdir()
    for number in numbers:
        (folder / f"{number}.png").touch()


def test_negative_frame_number_leaves_a_clip_out(tmp_path: Path) -> None:
    clip = Clip("c", "s", "x", Video("video.avi"), onset=-3)
    faults = audit(tmp_path, [clip], ["x"])
    assert [(fault.consequence, fault.fault) for fault in faults] == [
        ("clip left out", "onset -3 is negative")
    ]


def test_apex_outside_the_frames_is_noted(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "1.png").touch()
    faults = audit(tmp_path, [Clip("c", "s", "x", Folder("a"), apex=9)], ["x"])
    assert [(fault.consequence, fault.fault) for fault in faults] == [
        ("noted", "apex 9 is none of the frames 1 to 1")
    ]


@pytest.mark.parametrize(
    ("marks", "said"),
    [
        ({"apex": 1}, ["apex 1 is the onset: another one is found"]),
        ({"onset": 1, "apex": 1, "offset": 3}, ["apex 1 is the onset: another one is found"]),
        ({"onset": 1, "apex": 2, "offset": 3}, []),
        ({"onset": 1, "apex": 3, "offset": 3}, []),
    ],
)
def test_apex_that_is_the_onset_is_noted(
    tmp_path: Path, marks: dict[str, int], said: list[str]
) -> None:
    (tmp_path / "a").mkdir()
    for number in (1, 2, 3):
        (tmp_path / "a" / f"{number}.png").touch()
    faults = audit(tmp_path, [Clip("c", "s", "x", Folder("a"), **marks)], ["x"])
    assert [(fault.consequence, fault.fault) for fault in faults] == [
        ("noted", fault) for fault in said
    ]

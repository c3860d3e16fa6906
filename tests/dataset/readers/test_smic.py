from pathlib import Path

import pytest

from merec_hpc.dataset.clip import Clip
from merec_hpc.dataset.frames import frame_files
from merec_hpc.dataset.listing import WHOLE, Fault
from merec_hpc.dataset.readers import smic
from merec_hpc.dataset.sources import Folder
from merec_hpc.errors import MerecError

CAMERAS = ("HS", "VIS", "NIR")
FRAMES = {"HS": "image{:06d}.bmp", "VIS": "{:05d}.bmp", "NIR": "{:05d}.bmp"}


@pytest.fixture
def release(tmp_path: Path) -> Path:
    """Three cameras, of which HS alone has the subjects 1 and 3."""
    root = tmp_path / "SMIC_all_raw"
    for camera in CAMERAS:
        _make_clip(root, camera, "s20", "surprise", "s20_sur_02")
        _make_clip(root, camera, "s20", "negative", "s20_ne_01")
    _make_clip(root, "HS", "s1", "positive", "s1_po_01")
    _make_clip(root, "HS", "s3", "negative", "s3_ne_10")
    _make_clip(root, "HS", "s3", "negative", "s3_ne_09")
    return root


def test_subjects_and_clips_are_named_with_two_digits(release: Path) -> None:
    clips = smic.list_clips(release, "HS").clips
    assert [clip.clip for clip in clips] == [
        "s01_po_01",
        "s03_ne_09",
        "s03_ne_10",
        "s20_ne_01",
        "s20_sur_02",
    ]
    assert [clip.subject for clip in clips] == ["s01", "s03", "s03", "s20", "s20"]


def test_clip_is_its_whole_folder_without_apex(release: Path) -> None:
    assert smic.list_clips(release, "HS").clips[0] == Clip(
        clip="s01_po_01",
        subject="s01",
        label="positive",
        source=Folder("HS/s1/micro/positive/s1_po_01"),
        frame_rate_hz=100.0,
    )


def test_frames_of_a_clip_are_found_from_the_same_folder(release: Path) -> None:
    for root in (release, release.parent):
        clip = smic.list_clips(root, "HS").clips[0]
        names = [path.name for path in frame_files(root, clip)]
        assert names == ["image000009.bmp", "image000010.bmp"]


def test_label_is_the_folder_of_the_clip(release: Path) -> None:
    clips = smic.list_clips(release, "VIS").clips
    assert [(clip.clip, clip.label) for clip in clips] == [
        ("s20_ne_01", "negative"),
        ("s20_sur_02", "surprise"),
    ]


@pytest.mark.parametrize(
    ("camera", "n_clips", "frame_rate_hz"), [("HS", 5, 100.0), ("VIS", 2, 25.0), ("NIR", 2, 25.0)]
)
def test_camera_chooses_the_folder(
    release: Path, camera: str, n_clips: int, frame_rate_hz: float
) -> None:
    clips = smic.list_clips(release, camera).clips
    assert len(clips) == n_clips
    assert all(clip.source.text.startswith(f"{camera}/") for clip in clips)
    assert {clip.frame_rate_hz for clip in clips} == {frame_rate_hz}


def test_clips_without_expression_are_skipped(release: Path) -> None:
    before = smic.list_clips(release, "HS")
    (release / "HS" / "s1" / "non_micro" / "s1_n_01").mkdir(parents=True)
    (release / "HS" / "s1" / "non_micro" / "negative" / "s1_ne_07").mkdir(parents=True)
    assert smic.list_clips(release, "HS") == before


def test_junk_is_ignored(release: Path) -> None:
    before = smic.list_clips(release, "HS")
    negative = release / "HS" / "s3" / "micro" / "negative"
    (negative / "Thumbs.db").touch()
    (negative / "s3_ne_11").touch()  # a file, no folder
    (release / "HS" / "readme.txt").touch()
    assert smic.list_clips(release, "HS") == before


def test_folders_that_are_no_clips_are_noted(release: Path) -> None:
    before = smic.list_clips(release, "HS")
    assert before.faults == []
    micro = release / "HS" / "s3" / "micro"
    (micro / "negative" / "s3_ne_09 (2)").mkdir()
    (micro / "others" / "s3_ot_01").mkdir(parents=True)
    listing = smic.list_clips(release, "HS")
    assert listing.clips == before.clips
    assert [(fault.clip, fault.consequence, fault.fault) for fault in listing.faults] == [
        (
            WHOLE,
            "noted",
            "HS/s3/micro/negative/s3_ne_09 (2): a folder like s1_ne_01 expected, left unread",
        ),
        (
            WHOLE,
            "noted",
            "HS/s3/micro/others: a folder named negative, positive, surprise expected, left unread",
        ),
    ]


@pytest.mark.parametrize(
    ("folder", "said"),
    [
        (
            "s1/micro/negative/s3_ne_11",
            "the name s3_ne_11 says s3/negative, the folder s1/negative",
        ),
        (
            "s3/micro/positive/s3_ne_11",
            "the name s3_ne_11 says s3/negative, the folder s3/positive",
        ),
        ("s03/micro/negative/s3_ne_11", None),
    ],
)
def test_clip_in_the_folder_of_another_is_noted(
    release: Path, folder: str, said: str | None
) -> None:
    (release / "HS" / folder).mkdir(parents=True)
    faults = smic.list_clips(release, "HS").faults
    assert faults == ([Fault("s03_ne_11", "s03", "noted", said)] if said else [])


def test_folder_above_the_release_may_be_given(release: Path) -> None:
    from_above = smic.list_clips(release.parent, "VIS").clips
    assert [clip.source.text for clip in from_above] == [
        f"SMIC_all_raw/{clip.source.text}" for clip in smic.list_clips(release, "VIS").clips
    ]


def test_folder_of_the_camera_may_be_given(release: Path) -> None:
    clips = smic.list_clips(release / "HS", "HS").clips
    assert clips[0].source.text == "s1/micro/positive/s1_po_01"


def test_cropped_release_is_read_too(tmp_path: Path) -> None:
    _make_clip(tmp_path / "SMIC_all_cropped", "HS", "s1", "negative", "s1_ne_01")
    assert [clip.clip for clip in smic.list_clips(tmp_path, "HS", "cropped").clips] == ["s01_ne_01"]


def test_release_of_long_videos_is_refused(tmp_path: Path) -> None:
    root = tmp_path / "SMIC-E_raw image"
    (root / "HS_long" / "SMIC-HS-E" / "s20" / "s20_ne_01").mkdir(parents=True)
    (root / "VIS_long").mkdir()
    with pytest.raises(MerecError) as caught:
        smic.list_clips(root, "HS")
    message = str(caught.value)
    assert f"{root}: a folder 'HS' of SMIC's clips release expected" in message
    assert "found HS_long, VIS_long" in message


def test_another_camera_than_the_given_one_is_refused(release: Path) -> None:
    with pytest.raises(MerecError, match="folder 'NIR'"):
        smic.list_clips(release / "HS", "NIR")


def test_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MerecError, match=r"folder 'VIS' .* found nothing"):
        smic.list_clips(tmp_path, "VIS")


def test_camera_without_clips_is_refused(tmp_path: Path) -> None:
    (tmp_path / "HS" / "s20" / "s20_ne_01").mkdir(parents=True)  # no 'micro', no class
    with pytest.raises(MerecError, match="clips like s1/micro/negative/s1_ne_01 expected"):
        smic.list_clips(tmp_path, "HS")


def _make_clip(root: Path, camera: str, subject: str, label: str, name: str) -> None:
    folder = root / camera / subject / "micro" / label / name
    folder.mkdir(parents=True)
    for number in (9, 10):
        (folder / FRAMES[camera].format(number)).touch()

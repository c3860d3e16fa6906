"""Every release reads to the expected catalog, and another folder is refused."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pytest
from dataset import releases

from merec_hpc.config.datasets import (
    Casme2Settings,
    Casme3Settings,
    CasmeSettings,
    CasmeSqSettings,
    CkplusSettings,
    Fer2013Settings,
    JaffeSettings,
    Megc2019Settings,
    MmewSettings,
    RafdbSettings,
    SammSettings,
    SfewSettings,
    SmicSettings,
)
from merec_hpc.dataset.audit import audit
from merec_hpc.dataset.catalog import list_clips
from merec_hpc.dataset.clip import Clip
from merec_hpc.dataset.frames import frame_files, read_frames
from merec_hpc.dataset.images import frame_number
from merec_hpc.dataset.listing import WHOLE, Fault
from merec_hpc.dataset.schemes import SCHEMES
from merec_hpc.errors import MerecError
from merec_hpc.files.rows import read_rows, write_rows

WRITERS: dict[str, tuple[Callable[[Path], None], Any]] = {
    "smic": (releases.smic, SmicSettings(camera="HS")),
    "smic_extended": (releases.smic_extended, SmicSettings(camera="HS", release="extended")),
    "casme": (releases.casme, CasmeSettings()),
    "casme2": (releases.casme2, Casme2Settings()),
    "samm": (releases.samm, SammSettings()),
    "casme_sq": (releases.casme_sq, CasmeSqSettings()),
    "casme3": (releases.casme3, Casme3Settings()),
    "casme3_c": (releases.casme3_part_c, Casme3Settings(part="C", scheme="casme3-c-4")),
    "mmew": (releases.mmew, MmewSettings()),
    "ckplus": (releases.ckplus, CkplusSettings()),
    "fer2013": (releases.fer2013, Fer2013Settings()),
    "rafdb": (releases.rafdb, RafdbSettings()),
    "jaffe": (releases.jaffe, JaffeSettings()),
    "sfew": (releases.sfew, SfewSettings()),
}


def read(root: Path, name: str, settings: Any = None) -> list[Clip]:
    """Write a release, and return what is read from it."""
    write, usual = WRITERS[name]
    write(root)
    return list_clips(root, settings or usual).clips


def marks(clip: Clip) -> tuple[int | None, int | None, int | None]:
    return clip.onset, clip.apex, clip.offset


def noted(root: Path, settings: Any) -> list[str]:
    return [fault.fault for fault in list_clips(root, settings).faults]


@pytest.mark.parametrize("name", WRITERS)
def test_every_clip_has_its_frames_in_order(tmp_path: Path, name: str) -> None:
    write, settings = WRITERS[name]
    write(tmp_path)
    listing = list_clips(tmp_path, settings)
    clips = listing.clips
    assert [
        fault for fault in audit(tmp_path, clips, listing.classes) if fault.consequence != "noted"
    ] == []
    for clip in clips:
        frames = read_frames(tmp_path, clip)
        assert len(frames) >= 1
        if clip.onset is not None and clip.offset is not None:
            assert len(frames) == clip.offset - clip.onset + 1
            numbers = [frame_number(path) for path in frame_files(tmp_path, clip)]
            assert numbers == list(range(clip.onset, clip.offset + 1))


@pytest.mark.parametrize("name", WRITERS)
def test_another_folder_is_refused_with_what_was_found(tmp_path: Path, name: str) -> None:
    (tmp_path / "holiday").mkdir()
    with pytest.raises(MerecError, match=r"expected.*found holiday"):
        list_clips(tmp_path, WRITERS[name][1])
    # Another dataset is another folder, too.
    other = tmp_path / "other"
    releases.casme2(other) if name == "jaffe" else releases.jaffe(other)
    with pytest.raises(MerecError, match="expected"):
        list_clips(other, WRITERS[name][1])


@pytest.mark.parametrize("cropped", [False, True])
@pytest.mark.parametrize("camera", ["HS", "VIS", "NIR"])
def test_smic_names_have_two_digits_and_other_folders_are_left(
    tmp_path: Path, camera: Any, cropped: bool
) -> None:
    releases.smic(tmp_path, camera, cropped=cropped)
    other = "raw" if cropped else "cropped"
    (tmp_path / f"SMIC_all_{other}" / camera / "s1").mkdir(parents=True)
    release: Any = "cropped" if cropped else "raw"
    listing = list_clips(tmp_path, SmicSettings(camera=camera, release=release))
    assert [clip.clip for clip in listing.clips] == ["s03_ne_01", "s20_sur_01"]
    numbers = [frame_number(path) for path in frame_files(tmp_path, listing.clips[0])]
    assert numbers == [99_998, 99_999, 100_000, 100_001]


def test_smic_extended_rows_hold_several_expressions(tmp_path: Path) -> None:
    clips = read(tmp_path, "smic_extended")
    assert [(clip.clip, *marks(clip)) for clip in clips] == [
        ("s20_ne_01", 1003, None, 1006),
        ("s03_po_02", 18, None, 20),
        ("s03_po_02b", 22, None, 23),
        ("s03_po_02c", 24, None, 25),
    ]
    assert {clip.subject for clip in clips} == {"s20", "s03"}


def test_formulas_without_their_values_are_refused(tmp_path: Path) -> None:
    releases.smic_extended(tmp_path)
    sheet = tmp_path / "HS_long" / "SMIC-HS-E_annotation.xlsx"
    book = openpyxl.load_workbook(sheet)  # keeps the formulas, and loses their values
    book.save(sheet)
    with pytest.raises(MerecError, match=r"E2, found the formula =VIS!A1003 without its value"):
        list_clips(tmp_path, WRITERS["smic_extended"][1])


@pytest.mark.parametrize("release", ["raw", "cropped"])
def test_casme_frames_are_padded_or_not(tmp_path: Path, release: Any) -> None:
    releases.casme(tmp_path, release)
    settings = CasmeSettings(release=release)
    clips = list_clips(tmp_path, settings).clips
    assert [(clip.clip, clip.label, *marks(clip)) for clip in clips] == [
        ("sub01_EP01_5", "disgust", 9, 10, 11),
        ("sub12_EP13_02", "tense", 8, 9, 10),
    ]
    assert "1 clips of 'fear' are not part of the scheme" in noted(tmp_path, settings)


@pytest.mark.parametrize("release", ["raw", "cropped"])
def test_casme2_reads_its_odd_names_and_apexes(tmp_path: Path, release: Any) -> None:
    releases.casme2(tmp_path, release)
    clips = list_clips(tmp_path, Casme2Settings(release=release)).clips
    assert [(clip.clip, clip.label, *marks(clip)) for clip in clips] == [
        ("sub01_EP02_01f", "happiness", 46, 50, 52),
        ("sub04_EP12_01f", "disgust", 9, None, 11),
        ("sub05_EP09_05f", "repression", 9, 9, 11),
        ("sub26_EP08_1", "others", 9, 10, 11),
    ]
    assert all(clip.frame_rate_hz == 200 for clip in clips)


def test_casme2_counts_are_held_against_the_published_ones(tmp_path: Path) -> None:
    releases.casme2(tmp_path)
    said = noted(tmp_path, Casme2Settings())
    assert "99 clips of class 'others' were published, 1 are here" in said
    assert "26 subjects were published, 4 are here" in said
    assert "1 clips of 'sadness' are not part of the scheme" in said


@pytest.mark.parametrize("sheet", ["CASME2-coding-20190701.xlsx", "CASME2_label_Ver_2.xls"])
def test_casme2_sheets_are_never_mixed(tmp_path: Path, sheet: str) -> None:
    releases.casme2(tmp_path)
    changed = [row.copy() for row in releases.CASME2_ROWS]
    changed[0][4] = 49
    if sheet.endswith("xls"):
        releases.xls(tmp_path / sheet, [releases.CASME2_HEADER, *changed])
    else:
        releases.xlsx(tmp_path / sheet, {"Sheet1": [releases.CASME2_HEADER, *changed]})
    with pytest.raises(MerecError, match=r"one sheet expected, found .*: name one by"):
        list_clips(tmp_path, Casme2Settings())
    listing = list_clips(tmp_path, Casme2Settings(sheet=sheet))
    assert listing.clips[0].apex == 49
    assert listing.source.endswith(sheet)


def test_objective_classes_come_from_their_own_sheet(tmp_path: Path) -> None:
    releases.casme2(tmp_path)
    clips = list_clips(tmp_path, Casme2Settings(scheme="casme2-objective-5")).clips
    assert [clip.label for clip in clips] == ["I", "II", "III", "IV", "V"]
    releases.samm(tmp_path / "samm")
    clips = list_clips(tmp_path / "samm", SammSettings(scheme="megc2018-5")).clips
    assert [(clip.clip, clip.label) for clip in clips] == [("006_1_2", "II")]


def test_a_folder_that_no_row_names_is_noted(tmp_path: Path) -> None:
    releases.casme2(tmp_path)
    (tmp_path / "CASME2_RAW_selected" / "sub09" / "EP99_01").mkdir(parents=True)
    said = noted(tmp_path, Casme2Settings())
    assert "CASME2_RAW_selected/sub09/EP99_01: a folder that the sheet does not name" in said


def test_a_row_without_its_folder_is_left_out(tmp_path: Path) -> None:
    releases.casme2(tmp_path)
    shutil.rmtree(tmp_path / "CASME2_RAW_selected" / "sub26")
    clips = list_clips(tmp_path, Casme2Settings()).clips
    faults = audit(tmp_path, clips, SCHEMES["casme2-5"].classes)
    assert [
        (fault.clip, fault.consequence) for fault in faults if fault.consequence != "noted"
    ] == [("sub26_EP08_1", "clip left out")]


@pytest.mark.parametrize("release", ["raw", "cropped"])
def test_samm_header_stands_below_notes_and_numbers_differ_in_width(
    tmp_path: Path, release: Any
) -> None:
    releases.samm(tmp_path, release)
    clips = list_clips(tmp_path, SammSettings(release=release)).clips
    assert [(clip.clip, clip.subject, clip.label, *marks(clip)) for clip in clips] == [
        ("006_1_2", "006", "Anger", 5562, 5564, 5566),
        ("006_2_4", "006", "Other", 180, 181, 183),
        ("037_3_1", "037", "Happiness", 9, 10, 12),
    ]


def test_casme_sq_names_become_folders_by_two_more_sheets(tmp_path: Path) -> None:
    clips = read(tmp_path, "casme_sq")
    assert [(clip.clip, clip.source.text, *marks(clip)) for clip in clips] == [
        ("s15_disgust1_1_3", "rawpic/s15/15_0101disgustingteeth", 3, 5, 7),
        ("s15_disgust1_2_9", "rawpic/s15/15_0101disgustingteeth", 9, 11, 11),
    ]
    said = noted(tmp_path, CasmeSqSettings())
    assert "participant 2, video 'funny9' is not in the naming rules" in said
    kinds = CasmeSqSettings(kinds=("micro-expression", "macro-expression"))
    clips = list_clips(tmp_path, kinds).clips
    assert [clip.source.text for clip in clips[2:]] == ["rawpic/s16/16_0502jokes"]


@pytest.mark.parametrize("videos", [None, "part_A_split/part_A", "part_A/data/part_A_split/part_A"])
def test_casme3_spells_subjects_in_two_cases(tmp_path: Path, videos: str | None) -> None:
    releases.casme3(tmp_path, videos)
    clips = list_clips(tmp_path, Casme3Settings()).clips
    assert [(clip.clip, clip.subject, clip.label, clip.onset) for clip in clips] == [
        ("spNo.1_a_355", "spNo.1", "disgust", 355),
        ("spNo.1_a_402", "spNo.1", "happy", 402),
        ("spNo.12_b_9", "spNo.12", "others", 9),
    ]
    assert all((tmp_path / clip.source.text).is_dir() for clip in clips)


def test_casme3_part_c_knows_no_apex(tmp_path: Path) -> None:
    clips = read(tmp_path, "casme3_c")
    assert [(clip.subject, clip.label, *marks(clip)) for clip in clips] == [
        ("s1", "negative", 3, None, 6),
        ("s2", "surprise", 4, None, 6),
    ]


def test_mmew_notes_a_folder_of_another_emotion(tmp_path: Path) -> None:
    clips = read(tmp_path, "mmew")
    assert [(clip.clip, clip.subject, clip.label) for clip in clips] == [
        ("S01-07-001", "S01", "anger"),
        ("S02-03-001", "S02", "surprise"),
    ]
    assert "the sheet says 'surprise', the folder 'fear'" in noted(tmp_path, MmewSettings())


def test_ckplus_lists_what_is_labelled_and_its_peak(tmp_path: Path) -> None:
    clips = read(tmp_path, "ckplus")
    assert [(clip.clip, clip.label, clip.apex) for clip in clips] == [
        ("S005_001", "disgust", 11),
        ("S010_002", "surprise", 11),
    ]
    assert len(read_frames(tmp_path, clips[0])) == 11


def test_ckplus_label_that_is_none_is_refused(tmp_path: Path) -> None:
    releases.ckplus(tmp_path)
    label = tmp_path / "Emotion" / "S005" / "001" / "S005_001_00000011_emotion.txt"
    label.write_text("9\n")
    with pytest.raises(MerecError, match=r"emotion.txt: a number from 0 to 7 expected, found '9'"):
        list_clips(tmp_path, CkplusSettings())


@pytest.mark.parametrize("header", ["emotion,pixels,Usage", "emotion, Usage, pixels"])
def test_fer2013_has_official_splits_and_pixels_in_rows(tmp_path: Path, header: str) -> None:
    releases.fer2013(tmp_path, header)
    clips = list_clips(tmp_path, Fer2013Settings()).clips
    assert [(clip.label, clip.split) for clip in clips] == [
        ("angry", "train"),
        ("happy", "validation"),
        ("neutral", "test"),
    ]
    first, _, third = (read_frames(tmp_path, clip) for clip in clips)
    assert first.shape == (1, 48, 48, 3)
    np.testing.assert_array_equal(first, third)


def test_rafdb_images_are_aligned_or_original(tmp_path: Path) -> None:
    clips = read(tmp_path, "rafdb")
    assert [(clip.clip, clip.label, clip.split) for clip in clips] == [
        ("train_00001", "sadness", "train"),
        ("test_0002", "surprise", "test"),
    ]
    assert read_frames(tmp_path, clips[0]).shape == (1, 100, 100, 3)
    original = list_clips(tmp_path, RafdbSettings(image="original")).clips
    assert read_frames(tmp_path, original[0]).shape == (1, 30, 40, 3)


def test_jaffe_names_hold_subject_and_emotion(tmp_path: Path) -> None:
    clips = read(tmp_path, "jaffe")
    assert [(clip.subject, clip.label) for clip in clips] == [
        ("KA", "angry"),
        ("KA", "neutral"),
        ("YM", "surprise"),
    ]


def test_jaffe_images_with_other_names_are_noted(tmp_path: Path) -> None:
    clips = read(tmp_path, "jaffe")
    assert not any("left unread" in said for said in noted(tmp_path, JaffeSettings()))
    for name in ("copy of KA.AN1.39.tiff", "KA.XX1.39.TIFF"):
        releases.image(tmp_path / name)
    listing = list_clips(tmp_path, JaffeSettings())
    assert listing.clips == clips
    expected = "a name like KA.AN1.39.tiff with one of AN, DI, FE, HA, NE, SA, SU expected"
    assert [fault.fault for fault in listing.faults if "left unread" in fault.fault] == [
        f"KA.XX1.39.TIFF: {expected}, left unread",
        f"copy of KA.AN1.39.tiff: {expected}, left unread",
    ]


def test_sfew_films_may_stand_in_both_splits(tmp_path: Path) -> None:
    clips = read(tmp_path, "sfew")
    assert [(clip.subject, clip.label, clip.split) for clip in clips] == [
        ("Airheads", "angry", "train"),
        ("Juno", "happy", "train"),
        ("Juno", "sad", "validation"),
    ]


def test_the_composite_joins_three_datasets(tmp_path: Path) -> None:
    releases.smic(tmp_path / "smic")
    releases.casme2(tmp_path / "casme2")
    releases.samm(tmp_path / "samm")
    listing = list_clips(tmp_path, Megc2019Settings())
    assert listing.classes == ("negative", "positive", "surprise")
    assert [(clip.clip, clip.subject, clip.label) for clip in listing.clips] == [
        ("smic_s03_ne_01", "smic_s03", "negative"),
        ("smic_s20_sur_01", "smic_s20", "surprise"),
        ("casme2_sub01_EP02_01f", "casme2_sub01", "positive"),
        ("samm_006_1_2", "samm_006", "negative"),
        ("samm_037_3_1", "samm_037", "positive"),
    ]
    said = [f"{fault.clip}: {fault.fault}" for fault in listing.faults]
    assert "casme2_sub04_EP12_01f: not of the composite: its apex is '/'" in said
    assert "casme2_sub05_EP09_05f: not of the composite: its apex is its onset" in said
    assert "(all): 250 clips of class 'negative' were published, 2 are here" in said
    assert all(len(read_frames(tmp_path, clip)) > 1 for clip in listing.clips)


def test_the_composite_keeps_what_its_readers_noted(tmp_path: Path) -> None:
    releases.smic(tmp_path / "smic")
    releases.casme2(tmp_path / "casme2")
    releases.samm(tmp_path / "samm")
    folder = tmp_path / "smic" / "SMIC_all_raw" / "HS" / "s3" / "micro" / "negative" / "s20_ne_02"
    releases.frames(folder, ["image000001.bmp", "image000002.bmp"])
    (folder.parent / "copy").mkdir()
    faults = list_clips(tmp_path, Megc2019Settings()).faults
    assert any(fault.clip == WHOLE and "negative/copy: " in fault.fault for fault in faults)
    said = "the name s20_ne_02 says s20/negative, the folder s3/negative"
    assert Fault("smic_s20_ne_02", "smic_s20", "noted", said) in faults


def test_smic_extended_columns_may_name_the_camera(tmp_path: Path) -> None:
    rows = [
        ["Subject", "Filename", "OnsetF NIR", "ApexF NIR", "OffsetF"],
        [11, "s11_ne_01", 3, 4, 6],
        [12, "s12_po_01", 3, 4, None],
    ]
    releases.xlsx(
        tmp_path / "NIR_long" / "SMIC-NIR-E" / "SMIC-NIR-E_annotation.xlsx", {"NIR": rows}
    )
    folder = tmp_path / "NIR_long" / "SMIC-NIR-E" / "NIR" / "s11" / "s11_ne_01"
    releases.frames(folder, [f"{n:05d}.jpg" for n in range(1, 8)])
    listing = list_clips(tmp_path, SmicSettings(camera="NIR", release="extended"))
    assert [(clip.clip, *marks(clip)) for clip in listing.clips] == [("s11_ne_01", 3, None, 6)]
    left_out = [fault for fault in listing.faults if fault.consequence == "clip left out"]
    assert [fault.clip for fault in left_out] == ["s12_po_01"]


def test_casme2_inside_its_folder_of_frames_notes_nothing_false(tmp_path: Path) -> None:
    releases.casme2(tmp_path)
    listing = list_clips(tmp_path / "CASME2_RAW_selected", Casme2Settings())
    assert [clip.source.text for clip in listing.clips][:1] == ["sub01/EP02_01f"]
    assert not any("does not name" in fault.fault for fault in listing.faults)


def test_raw_samm_is_not_taken_for_the_cropped_one(tmp_path: Path) -> None:
    releases.samm(tmp_path)
    with pytest.raises(MerecError, match="a folder 'SAMM_CROP'"):
        list_clips(tmp_path / "SAMM", SammSettings(release="cropped"))


def test_a_row_without_an_offset_is_left_out_and_an_unknown_apex_noted(tmp_path: Path) -> None:
    releases.casme2(tmp_path)
    changed = [row.copy() for row in releases.CASME2_ROWS]
    changed[0][5] = None
    sheet = tmp_path / "CASME2-coding-20140508.xlsx"
    releases.xlsx(sheet, {"Sheet1": [releases.CASME2_HEADER, *changed]})
    faults = list_clips(tmp_path, Casme2Settings()).faults
    said = {(fault.clip, fault.consequence): fault.fault for fault in faults}
    assert said["sub01_EP02_01f", "clip left out"] == "the sheet has no offset"
    assert said["sub04_EP12_01f", "noted"] == "the sheet has no apex"


def test_the_composite_names_its_sheets_and_leaves_the_newer_clip_out(tmp_path: Path) -> None:
    releases.smic(tmp_path / "smic")
    releases.samm(tmp_path / "samm")
    releases.casme2(tmp_path / "casme2")
    newer = "CASME2-coding-20190701.xlsx"
    row = ["24", "EP02_07", None, 9, 10, 11, None, "4", "disgust"]
    rows = [releases.CASME2_HEADER, *releases.CASME2_ROWS, row]
    releases.xlsx(tmp_path / "casme2" / newer, {"Sheet1": rows})
    with pytest.raises(MerecError, match="one sheet expected"):
        list_clips(tmp_path, Megc2019Settings())
    listing = list_clips(tmp_path, Megc2019Settings(casme2_sheet=newer))
    assert "casme2_sub24_EP02_07" not in {clip.clip for clip in listing.clips}
    said = [fault.fault for fault in listing.faults]
    assert "1 clips of 'others of casme2' are not part of the scheme" in said


def test_notes_on_the_whole_dataset_read_back_from_the_table(tmp_path: Path) -> None:
    releases.casme2(tmp_path)
    faults = list_clips(tmp_path, Casme2Settings()).faults
    write_rows(tmp_path / "audit.tsv", Fault, faults)
    assert read_rows(tmp_path / "audit.tsv", Fault) == faults

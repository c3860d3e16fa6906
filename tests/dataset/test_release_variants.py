"""What differs between copies of a release, and what is taken for none of it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

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
from merec_hpc.dataset.catalog import list_clips
from merec_hpc.dataset.clip import Clip
from merec_hpc.dataset.frames import frame_files
from merec_hpc.dataset.images import frame_number
from merec_hpc.dataset.listing import Fault
from merec_hpc.errors import MerecError

EXTENDED = SmicSettings(camera="HS", release="extended")


def marks(clips: list[Clip]) -> list[tuple[Any, ...]]:
    return [(clip.clip, clip.onset, clip.apex, clip.offset) for clip in clips]


@pytest.mark.parametrize(
    ("videos", "subjects", "sheet"),
    [
        ("HS_long/SMIC-HS-E/HS", ("s20", "s3"), "HS_long/SMIC-HS-E_annotation.xlsx"),
        ("HS_long/SMIC-HS-E", ("s20", "s3"), "HS_long/SMIC-HS-E_annotation_2019.xlsx"),
        ("HS_long/SMIC_HS_E", ("s20", "s03"), "HS_long/SMIC-HS-E_annotation.xlsx"),
    ],
)
def test_smic_extended_folders_and_sheets_have_several_names(
    tmp_path: Path, videos: str, subjects: tuple[str, str], sheet: str
) -> None:
    releases.smic_extended(tmp_path, videos, subjects, sheet)
    listing = list_clips(tmp_path, EXTENDED)
    assert listing.source == str(tmp_path / sheet)
    assert {clip.source.text for clip in listing.clips} == {
        f"{videos}/{subjects[0]}/s20_ne_01",
        f"{videos}/{subjects[1]}/s3_po_02",
    }
    assert all(frame_files(tmp_path, clip) for clip in listing.clips)


@pytest.mark.parametrize("camera", ["VIS", "NIR"])
def test_smic_extended_sheets_of_slow_cameras_have_formulas_and_a_tail(
    tmp_path: Path, camera: Any
) -> None:
    releases.smic_extended_slow(tmp_path, camera)
    listing = list_clips(tmp_path, SmicSettings(camera=camera, release="extended"))
    assert marks(listing.clips) == [("s11_ne_01", 3, None, 6), ("s20_sur_02", 4, None, 5)]
    assert {clip.frame_rate_hz for clip in listing.clips} == {25.0}
    assert listing.faults == []
    numbers = [frame_number(path) for path in frame_files(tmp_path, listing.clips[0])]
    assert numbers == [3, 4, 5, 6]


def test_a_row_of_smic_extended_whose_name_is_none_is_noted(tmp_path: Path) -> None:
    rows = [["Subject", "Filename", "OnsetF", "OffsetF"]]
    rows += [[3, "s3_ne_01", 3, 4], [3, "s3ne02", 5, 6]]  # type: ignore[list-item]
    releases.smic_extended(tmp_path)
    releases.xlsx(tmp_path / "HS_long" / "SMIC-HS-E_annotation.xlsx", {"HS": rows})
    listing = list_clips(tmp_path, EXTENDED)
    assert [clip.clip for clip in listing.clips] == ["s03_ne_01"]
    said = "row 3 of the sheet: a name like s20_ne_01 expected, found 's3ne02'"
    assert [fault.fault for fault in listing.faults] == [said]


@pytest.mark.parametrize(
    ("release", "folder"),
    [
        ("raw", "CASME2-RAW"),
        ("raw", "CASME2_RAW"),
        ("cropped", "Cropped-updated/Cropped"),
        ("cropped", "Cropped_original"),
    ],
)
def test_casme2_folders_have_several_names(tmp_path: Path, release: Any, folder: str) -> None:
    releases.casme2(tmp_path, release, folder=folder)
    # Clips that were not trimmed go on before the onset and after the offset.
    for number in (1, 2, 99):
        releases.image(tmp_path / folder / "sub01" / "EP02_01f" / f"img{number}.jpg")
    clip = list_clips(tmp_path, Casme2Settings(release=release)).clips[0]
    assert clip.source.text == f"{folder}/sub01/EP02_01f"
    numbers = [frame_number(path) for path in frame_files(tmp_path, clip)]
    assert numbers == list(range(46, 53))


def test_casme2_subjects_may_be_numbers_and_apexes_blank(tmp_path: Path) -> None:
    releases.casme2(tmp_path)
    (tmp_path / "CASME2-coding-20140508.xlsx").unlink()
    rows = [[int(row[0]), *row[1:]] for row in releases.CASME2_ROWS]
    rows[0][4] = None
    cells = [releases.CASME2_HEADER, *rows]
    releases.xlsx(tmp_path / "CASME2-coding-updated.xlsx", {"Sheet1": cells})
    listing = list_clips(tmp_path, Casme2Settings())
    assert [clip.subject for clip in listing.clips] == ["sub01", "sub04", "sub05", "sub26"]
    assert marks(listing.clips)[0] == ("sub01_EP02_01f", 46, None, 52)
    said = Fault("sub01_EP02_01f", "sub01", "noted", "the sheet has no apex")
    assert said in listing.faults
    assert all(frame_files(tmp_path, clip) for clip in listing.clips)
    objective = list_clips(tmp_path, Casme2Settings(scheme="casme2-objective-5"))
    assert [clip.label for clip in objective.clips] == ["I", "II", "III", "IV", "V"]


def test_a_clip_without_an_objective_class_is_not_part_of_the_scheme(tmp_path: Path) -> None:
    # The newer coding sheets have a clip more than the sheet of objective classes.
    releases.casme2(tmp_path)
    row = ["24", "EP02_07", None, 9, 10, 11, None, "4", "disgust"]
    cells = [releases.CASME2_HEADER, *releases.CASME2_ROWS, row]
    releases.xlsx(tmp_path / "CASME2-coding-20190701.xlsx", {"Sheet1": cells})
    settings = Casme2Settings(sheet="CASME2-coding-20190701.xlsx", scheme="casme2-objective-5")
    listing = list_clips(tmp_path, settings)
    assert len(listing.clips) == 5
    assert "1 clips of 'none' are not part of the scheme" in [f.fault for f in listing.faults]


@pytest.mark.parametrize(
    ("sheet", "n_notes"),
    [("SAMM_Micro_FACS_Codes_v2.xlsx", 12), ("SAMM_20181215_Micro_FACS_Codes_v2.xlsx", 0)],
)
def test_samm_header_stands_in_another_row(tmp_path: Path, sheet: str, n_notes: int) -> None:
    releases.samm(tmp_path, sheet=sheet, n_notes=n_notes)
    listing = list_clips(tmp_path, SammSettings())
    assert listing.source == str(tmp_path / sheet)
    assert [clip.subject for clip in listing.clips] == ["006", "006", "037"]


@pytest.mark.parametrize(
    ("release", "folder", "sheet"),
    [
        ("raw", "rawpic", "CAS(ME)^2code_final(Updated).xlsx"),
        ("cropped", "cropped", "CAS(ME)^2code_final.xlsx"),
        ("selected", "selectedpic", "CAS(ME)^2code_final.xlsx"),
    ],
)
def test_casme_sq_folders_and_sheets_have_several_names(
    tmp_path: Path, release: Any, folder: str, sheet: str
) -> None:
    releases.casme_sq(tmp_path, folder, sheet)
    listing = list_clips(tmp_path, CasmeSqSettings(release=release))
    assert {clip.source.text for clip in listing.clips} == {f"{folder}/s15/15_0101disgustingteeth"}
    assert listing.source == str(tmp_path / sheet)


@pytest.mark.parametrize("folder", ["Val_Aligned_Faces", "Val_Aligned_Faces_new"])
def test_sfew_validation_has_two_names(tmp_path: Path, folder: str) -> None:
    releases.sfew(tmp_path, folder)
    clips = list_clips(tmp_path, SfewSettings()).clips
    assert [clip.split for clip in clips] == ["train", "train", "validation"]


def test_every_code_of_ckplus_is_an_emotion(tmp_path: Path) -> None:
    releases.ckplus(tmp_path)
    label = tmp_path / "Emotion" / "S005" / "001" / "S005_001_00000011_emotion.txt"
    found = {}
    for code in range(1, 8):
        label.write_text(f"   {code:.7e}\n")
        found[code] = list_clips(tmp_path, CkplusSettings()).clips[0].label
    names = ["anger", "contempt", "disgust", "fear", "happy", "sadness", "surprise"]
    assert found == dict(enumerate(names, start=1))
    label.write_text("   0.0000000e+00\n")  # neutral
    assert [clip.clip for clip in list_clips(tmp_path, CkplusSettings()).clips] == ["S010_002"]


def test_every_code_of_fer2013_is_an_emotion(tmp_path: Path) -> None:
    rows = [f"{code},0 0 0 0,Training\n" for code in range(7)]
    (tmp_path / "fer2013.csv").write_text("emotion,pixels,Usage\n" + "".join(rows))
    labels = [clip.label for clip in list_clips(tmp_path, Fer2013Settings()).clips]
    assert labels == ["angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"]


def test_every_code_of_rafdb_is_an_emotion(tmp_path: Path) -> None:
    releases.rafdb(tmp_path)
    lines = [f"train_{code:05d}.jpg {code}\n" for code in range(1, 8)]
    (tmp_path / "basic" / "EmoLabel" / "list_patition_label.txt").write_text("".join(lines))
    labels = [clip.label for clip in list_clips(tmp_path, RafdbSettings()).clips]
    assert labels == ["surprise", "fear", "disgust", "happiness", "sadness", "anger", "neutral"]


def test_every_code_of_jaffe_is_an_emotion(tmp_path: Path) -> None:
    for code in ("AN", "DI", "FE", "HA", "NE", "SA", "SU"):
        releases.image(tmp_path / f"KA.{code}1.39.tiff")
    labels = [clip.label for clip in list_clips(tmp_path, JaffeSettings()).clips]
    assert labels == ["angry", "disgust", "fear", "happy", "neutral", "sad", "surprise"]


def test_the_composite_leaves_out_what_has_no_offset(tmp_path: Path) -> None:
    releases.smic(tmp_path / "smic")
    releases.samm(tmp_path / "samm")
    releases.casme2(tmp_path / "casme2")
    rows = [row.copy() for row in releases.CASME2_ROWS]
    rows[0][5] = None
    sheet = tmp_path / "casme2" / "CASME2-coding-20140508.xlsx"
    releases.xlsx(sheet, {"Sheet1": [releases.CASME2_HEADER, *rows]})
    left_out = [
        fault
        for fault in list_clips(tmp_path, Megc2019Settings()).faults
        if fault.consequence == "clip left out"
    ]
    said = "the sheet has no offset"
    assert left_out == [Fault("casme2_sub01_EP02_01f", "casme2_sub01", "clip left out", said)]


def samm_long_videos(root: Path) -> None:
    releases.frames(root / "SAMM_longvideos" / "006_1", ["006_1_0001.jpg"])
    releases.xlsx(root / "SAMM_LongVideos_V2_Release.xlsx", {"Sheet1": [["Subject", "Filename"]]})


def files(*names: str) -> Callable[[Path], None]:
    """Return what writes an image of each name."""

    def write(root: Path) -> None:
        for name in names:
            releases.image(root / name)

    return write


CASME_CROPPED, CASME2_CROPPED = CasmeSettings(release="cropped"), Casme2Settings(release="cropped")
WRONG: dict[str, tuple[Callable[[Path], None], Any, str]] = {
    "smic clips as extended": (releases.smic, EXTENDED, "SMIC_all_raw"),
    "smic extended as clips": (releases.smic_extended, SmicSettings(camera="HS"), "HS_long"),
    "raw smic as cropped": (
        releases.smic,
        SmicSettings(camera="HS", release="cropped"),
        "SMIC_all_raw",
    ),
    "smic of another camera": (releases.smic, SmicSettings(camera="NIR"), "SMIC_all_raw"),
    "raw casme as cropped": (releases.casme, CASME_CROPPED, "CASME_raw_selected"),
    "casme2 as casme": (releases.casme2, CasmeSettings(), "CASME2_RAW_selected"),
    "cropped casme2 as cropped casme": (
        lambda root: releases.casme2(root, "cropped"),
        CASME_CROPPED,
        "CASME2-ObjectiveClasses.xlsx",
    ),
    "cropped casme as cropped casme2": (
        lambda root: releases.casme(root, "cropped"),
        CASME2_CROPPED,
        "CASME-code.xlsx",
    ),
    "raw casme2 as cropped": (releases.casme2, CASME2_CROPPED, "CASME2_RAW_selected"),
    "cropped casme2 as raw": (
        lambda root: releases.casme2(root, "cropped"),
        Casme2Settings(),
        "Cropped",
    ),
    "raw samm as cropped": (releases.samm, SammSettings(release="cropped"), "SAMM"),
    "long videos of samm": (samm_long_videos, SammSettings(), "SAMM_longvideos"),
    "raw casme_sq as cropped": (releases.casme_sq, CasmeSqSettings(release="cropped"), "rawpic"),
    "part A of casme3 as C": (
        releases.casme3,
        Casme3Settings(part="C"),
        "cas(me)3_part_A_ME_label_JpgIndex_v2.xlsx",
    ),
    "part C of casme3 as A": (releases.casme3_part_c, Casme3Settings(), "CAS(ME)3_part_C_ME.xlsx"),
    "macro-expressions of mmew": (
        files("MMEW_Final/Macro_Expression/S01/anger/S01-07-001.jpg"),
        MmewSettings(),
        "MMEW_Final",
    ),
    "small images of ckplus": (files("anger/S010_004_00000017.png"), CkplusSettings(), "anger"),
    "fer2013 as images": (files("train/angry/1.jpg"), Fer2013Settings(), "train"),
    "compound rafdb": (
        files("compound/Image/aligned/train_0001_aligned.jpg"),
        RafdbSettings(),
        "compound",
    ),
    "sfew repacked": (files("sfew2.0_images/1.png"), SfewSettings(), "sfew2.0_images"),
}


@pytest.mark.parametrize("name", WRONG)
def test_another_release_is_refused_with_what_was_found(tmp_path: Path, name: str) -> None:
    write, settings, found = WRONG[name]
    write(tmp_path)
    with pytest.raises(MerecError, match="expected") as caught:
        list_clips(tmp_path, settings)
    message = str(caught.value)
    assert found in message.split("found", 1)[1]
    assert "\n" not in message


@pytest.mark.parametrize("release", ["raw", "cropped"])
@pytest.mark.parametrize("dataset", ["smic", "samm"])
def test_a_folder_named_as_another_release_is_not_taken_for_this_one(
    tmp_path: Path, dataset: str, release: str
) -> None:
    other: Any = "raw" if release == "cropped" else "cropped"
    if dataset == "smic":
        releases.smic(tmp_path, cropped=release == "cropped")
        top = tmp_path / f"SMIC_all_{release}"
        places, settings = [top, top / "HS"], SmicSettings(camera="HS", release=other)
    else:
        releases.samm(tmp_path, release)
        places = [tmp_path / ("SAMM" if release == "raw" else "SAMM_CROP")]
        settings = SammSettings(release=other)  # type: ignore[assignment]
    for place in places:
        with pytest.raises(MerecError, match=r"expected, found"):
            list_clips(place, settings)

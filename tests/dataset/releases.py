"""Writes datasets as they were released: folders, names, headers and quirks, made-up content."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import xlsxwriter
import xlwt

JUNK = ("Thumbs.db", "shortcut.lnk", "notes1.txt", "data2.mat")


def image(path: Path, level: int = 0, size: tuple[int, int] = (12, 16)) -> None:
    """Write a small image whose brightness tells which one it is."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.full((*size, 3), level % 256, np.uint8)
    encoded = cv2.imencode(path.suffix, pixels)[1]
    path.write_bytes(encoded.tobytes())


def frames(folder: Path, names: Iterable[str]) -> None:
    """Write frames, and junk beside them."""
    for level, name in enumerate(names):
        image(folder / name, level)
    for name in JUNK:
        (folder / name).touch()


def xlsx(path: Path, sheets: dict[str, Sequence[Sequence[Any]]]) -> None:
    """Write a spreadsheet; a pair (formula, value) is a formula with the value it had."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with xlsxwriter.Workbook(path) as book:
        for name, rows in sheets.items():
            sheet = book.add_worksheet(name)
            for row, cells in enumerate(rows):
                for column, cell in enumerate(cells):
                    if isinstance(cell, tuple):
                        sheet.write_formula(row, column, cell[0], None, cell[1])
                    elif cell is not None:
                        sheet.write(row, column, cell)


def xls(path: Path, rows: Sequence[Sequence[Any]]) -> None:
    """Write a spreadsheet of the old kind."""
    book = xlwt.Workbook()
    sheet = book.add_sheet("Sheet1")
    for row, cells in enumerate(rows):
        for column, cell in enumerate(cells):
            if cell is not None:
                sheet.write(row, column, cell)
    path.parent.mkdir(parents=True, exist_ok=True)
    book.save(str(path))


def smic_extended(
    root: Path,
    videos: str = "HS_long/SMIC-HS-E",
    subjects: tuple[str, str] = ("s20", "s3"),
    sheet: str = "HS_long/SMIC-HS-E_annotation.xlsx",
) -> None:
    """Long videos of HS: two rows, one of them with three expressions; remarks at the end."""
    header = ["Subject", "Filename", None, "OnsetF", "OffsetF", "Onset2F", "Offset2F"]
    header += ["Onset3F", "Offset3F", None, "FirstF", "LastF", "TotalMF1", "TotalVL", "Emotion"]
    rows: list[list[Any]] = [header]
    for subject, name, first, others in (
        (20, "s20_ne_01", (1003, 1006), [None] * 4),
        (3, "s3_po_02", (18, 20), [22, 23, 24, 25]),
    ):
        marks = [first[0], (f"=VIS!A{first[0]}", first[1]), *others]
        rows.append([subject, name, None, *marks, None, 1, 40, 4, 40, "x"])
    rows += [[None], ["remark", None, None], [None, "made up"]]
    xlsx(root / sheet, {"HS": rows, "VIS": [["x"]]})
    ne, po = (root / videos / subject for subject in subjects)
    frames(ne / "s20_ne_01", [f"image{n:07d}.jpg" for n in range(1001, 1009)])
    frames(po / "s3_po_02", [f"image{n:06d}.jpg" for n in range(16, 26)])


def smic_extended_slow(root: Path, camera: str) -> None:
    """Long videos of VIS or NIR: formulas, blank rows and a total; NIR's columns name the camera."""
    onset = ["OnsetF"] if camera == "VIS" else ["OnsetF NIR", "ApexF NIR"]
    apex = [None] if camera == "NIR" else []
    rows: list[list[Any]] = [["Subject", "Filename", None, *onset, "OffsetF", "Emotion"]]
    rows += [
        [11, "s11_ne_01", None, 3, *apex, ("=VIS!E2", 6), "negative"],
        [20, "s20_sur_02", None, 4, *apex, ("=VIS!E3", 5), "surprise"],
    ]
    rows += [[None] * 6] * 4 + [["total", 2], [None, "made up"]]
    top = root / f"{camera}_long"
    xlsx(top / f"SMIC-{camera}-E_annotation.xlsx", {camera: rows})
    for subject, clip in (("s11", "s11_ne_01"), ("s20", "s20_sur_02")):
        folder = top / f"SMIC-{camera}-E" / camera / subject / clip
        frames(folder, [f"{n:05d}.jpg" for n in range(1, 8)])


def casme(root: Path, release: str = "raw") -> None:
    """Two clips: one with plain frame numbers, one with padded ones."""
    header = ["Emotion", "Subject", None, "Filename", "OnsetF", "ApexF1", "ApexF2", "OffsetF"]
    rows = [
        [*header, None, "AU"],
        ["disgust", 1, None, "EP01_5", 9, 10, 0, 11, None, "4+7"],
        ["tense", 12, None, "EP13_02", 8, 9, 9, 10, None, 14],
        ["fear", 12, None, "EP13_09", 8, 9, 9, 10, None, 1],
    ]
    xlsx(root / "CASME-code.xlsx", {"Sheet1": rows})
    top, before = ("CASME_raw_selected", "") if release == "raw" else ("Cropped", "reg_")
    frames(root / top / "sub01" / "EP01_5", [f"{before}EP01_5-{n}.jpg" for n in range(9, 12)])
    for clip in ("EP13_02", "EP13_09"):
        names = [f"{before}{clip}-{n:03d}.jpg" for n in range(8, 11)]
        frames(root / top / "sub12" / clip, names)


CASME2_HEADER = ["Subject", "Filename", None, "OnsetFrame", "ApexFrame", "OffsetFrame", None]
CASME2_HEADER += ["Action Units", "Estimated Emotion"]
CASME2_ROWS: list[list[Any]] = [
    ["01", "EP02_01f", None, 46, 50, 52, None, "4+7", "happiness"],
    ["04", "EP12_01f", None, 9, "/", 11, None, "R6+R12", "disgust"],
    ["05", "EP09_05f", None, 9, 9, 11, None, 14, "repression"],
    ["05", "EP06_02_01", None, 9, 10, 11, None, "?", "sadness"],
    ["26", "EP08_1", None, 9, 10, 11, None, "L1+L2", "others"],
]


def casme2(
    root: Path,
    release: str = "raw",
    sheet: str = "CASME2-coding-20140508.xlsx",
    folder: str | None = None,
) -> None:
    """Five clips, a subject written as text, an apex that is none, blank columns and sheets."""
    xlsx(root / sheet, {"Sheet1": [CASME2_HEADER, *CASME2_ROWS], "Sheet2": [], "Sheet3": []})
    objective = [["Subject", "Filename", "Objective Class"]]
    objective += [[row[0], row[1], number] for number, row in enumerate(CASME2_ROWS, start=1)]
    xlsx(root / "CASME2-ObjectiveClasses.xlsx", {"Sheet1": objective})
    top, before = ("CASME2_RAW_selected", "") if release == "raw" else ("Cropped", "reg_")
    top = folder or top
    for subject, clip, _, onset, _, offset, *_ in CASME2_ROWS:
        # img9 comes before img10, which no sorting of names says.
        names = [f"{before}img{n}.jpg" for n in range(onset, offset + 1)]
        frames(root / top / f"sub{subject}" / clip, names)


def samm(
    root: Path,
    release: str = "raw",
    sheet: str = "SAMM_Micro_FACS_Codes_v2.xlsx",
    n_notes: int = 13,
) -> None:
    """Three clips below rows of notes; frames of four and of five digits."""
    header = ["Subject", "Filename", "Inducement Code", "Onset Frame", "Apex Frame"]
    header += ["Offset Frame", "Duration", "Micro", "Action Units", "Estimated Emotion"]
    notes: list[list[Any]] = [["Made-up notes about the codes"], *[[None]] * 12][:n_notes]
    rows = [
        [
            6,
            "006_1_2",
            1,
            5562,
            5564,
            5566,
            ("=SUM(F15-D15)+1", 5),
            "Micro - 1/2",
            "4+7",
            "Anger",
            2,
        ],
        [6, "006_2_4", 2, 180, 181, 183, ("=SUM(F16-D16)+1", 4), "Micro", "A1B+A2C", "Other", 7],
        [37, "037_3_1", 3, 9, 10, 12, ("=SUM(F17-D17)+1", 4), "Micro", "12A", "Happiness", 6],
    ]
    cells = [*notes, [*header, "Objective Classes", "Notes"], *rows]
    xlsx(root / sheet, {"MICRO_ONLY": cells})
    top = root / ("SAMM" if release == "raw" else "SAMM_CROP")
    frames(top / "006" / "006_1_2", [f"006_{n:05d}.jpg" for n in range(5562, 5567)])
    frames(top / "006" / "006_2_4", [f"006_{n:04d}.jpg" for n in range(180, 184)])
    frames(top / "037" / "037_3_1", [f"037_{n:04d}.jpg" for n in range(9, 13)])


def casme_sq(root: Path, folder: str = "rawpic", sheet: str = "CAS(ME)^2code_final.xlsx") -> None:
    """A sheet without header, behind another one; an unknown offset; a macro-expression."""
    coded = [
        [1, "disgust1_1", 3, 5, 7, "4", "negative", "micro-expression", "disgust"],
        [1, "disgust1_2", 9, 11, 0, "4", "negative", "micro-expression", "disgust"],
        [2, "happy1_1", 3, 5, 7, "12", "positive", "macro-expression", "happy"],
        [2, "funny9_1", 3, 5, 7, "12", "positive", "micro-expression", "happy"],
    ]
    xlsx(
        root / sheet,
        {
            "naming rule2": [[101, "disgust1"], ["502", "happy1"]],
            "naming rule1": [[15, "s15", 1], [16, "s16", 2]],
            "CASMEcode_final": coded,
        },
    )
    top = root / folder
    frames(top / "s15" / "15_0101disgustingteeth", [f"img{n}.jpg" for n in range(1, 13)])
    frames(top / "s16" / "16_0502jokes", [f"img{n}.jpg" for n in range(1, 9)])


def casme3(root: Path, videos: str | None = None) -> None:
    """Folders and sheet spell the subject in different cases; a video with two expressions."""
    header = ["Subject", "Filename", "Onset", "Apex", "Offset", "AU", "Objective class", "emotion"]
    rows = [
        ["spNO.1", "a", 355, 356, 358, "4", "IV", "disgust"],
        ["spNO.1", "a", 402, 403, 404, "12", "I", "happy"],
        ["spNO.12", "b", 9, 10, 11, "1", "II", "Others"],
    ]
    sheet = root / "cas(me)3_part_A_ME_label_JpgIndex_v2.xlsx"
    xlsx(sheet, {"label": [header, *rows]})
    for subject, video, onset, _, offset, *_ in rows:
        names = [f"{n}.jpg" for n in range(onset, offset + 1)]
        if videos is not None:
            frames(root / videos / subject / video / "color", names)
        else:
            clip = f"{subject.replace('NO', 'No')}_{video}_{onset}"
            frames(root / "Part_A_ME_clip" / "frame" / clip, names)


def casme3_part_c(root: Path) -> None:
    """Part C: no apex, and a comma that is none."""
    rows = [["sub", "count", "onset", "offset", "au", "emotion"]]
    rows += [["s1", 1, 3, 6, "4\uff0c7", "neg"], ["s2", 2, 4, 6, "1", "sur"]]  # type: ignore[list-item]
    xlsx(root / "CAS(ME)3_part_C_ME.xlsx", {"other": [["x"]], "mockCrimeME": rows})
    frames(root / "part_C" / "s1" / "1" / "color", [f"{n}.jpg" for n in range(3, 7)])
    frames(root / "part_C" / "s2" / "2" / "color", [f"{n}.jpg" for n in range(4, 7)])


def mmew(root: Path) -> None:
    """Two clips, one of them in the folder of another emotion than the sheet's."""
    header = ["Subject", "Filename", "OnsetFrame", "ApexFrame", "OffsetFrame", "Action Units"]
    rows = [
        [*header, "Estimated Emotion", "remarks"],
        [1, "S01-07-001", 1, 2, 4, "4", "anger", None],
        [2, "S02-03-001", 9, 10, 11, "1", "surprise", "made up"],
    ]
    xlsx(root / "MMEW_Micro_Exp.xlsx", {"Sheet1": rows})
    top = root / "MMEW_Final" / "Micro_Expression"
    frames(top / "anger" / "S01-07-001", [f"{n}.jpg" for n in range(1, 5)])
    frames(top / "fear" / "S02-03-001", [f"{n}.jpg" for n in range(9, 12)])


def ckplus(root: Path) -> None:
    """Three sequences, of which one has an empty folder in place of a label."""
    for subject, number, code in (("S005", "001", 3), ("S010", "002", 7), ("S010", "003", None)):
        stem = f"{subject}_{number}"
        names = [f"{stem}_{n:08d}.png" for n in range(1, 12)]
        frames(root / "cohn-kanade-images" / subject / number, names)
        folder = root / "Emotion" / subject / number
        folder.mkdir(parents=True)
        if code is not None:
            text = f"   {code:.7e}\n"
            (folder / f"{stem}_00000011_emotion.txt").write_text(text)


def fer2013(root: Path, header: str = "emotion,pixels,Usage") -> None:
    """Three rows; the second of training comes again in the test."""
    root.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    first, second = (rng.integers(256, size=48 * 48) for _ in range(2))
    order = [name.strip().lower() for name in header.split(",")]
    lines = [header]
    for emotion, pixels, usage in (
        (0, first, "Training"),
        (3, second, "PublicTest"),
        (6, first, "PrivateTest"),
    ):
        text = " ".join(map(str, pixels))
        values = {"emotion": str(emotion), "pixels": text, "usage": usage}
        lines.append(",".join(values[name] for name in order))
    (root / "fer2013.csv").write_text("\n".join(lines) + "\n")


def rafdb(root: Path) -> None:
    """Two lines, with the release's misspelt file name."""
    labels = root / "basic" / "EmoLabel" / "list_patition_label.txt"
    labels.parent.mkdir(parents=True)
    labels.write_text("train_00001.jpg 5\ntest_0002.jpg 1\n")
    for name in ("train_00001", "test_0002"):
        image(root / "basic" / "Image" / "aligned" / f"{name}_aligned.jpg", size=(100, 100))
        image(root / "basic" / "Image" / "original" / f"{name}.jpg", size=(30, 40))


def jaffe(root: Path) -> None:
    """Images of two subjects, and files that are none."""
    for name in ("KA.AN1.39.tiff", "KA.NE2.27.tiff", "YM.SU3.60.tif"):
        image(root / name)
    for name in (*JUNK, "README_FIRST.txt", "._KA.AN1.39.tiff"):
        (root / name).touch()


def sfew(root: Path, validation: str = "Val_Aligned_Faces_new") -> None:
    """A film in both splits; test images without labels."""
    image(root / "Train" / "Train_Aligned_Faces" / "Angry" / "Airheads_000519240_00000005.png")
    image(root / "Train" / "Train_Aligned_Faces" / "Happy" / "Juno_000519240_00000005.png")
    image(root / "Val" / validation / "Sad" / "Juno_000519240_00000009.png")
    image(root / "Test" / "Test_Aligned_Faces" / "Juno_1_2.png")


def smic(root: Path, camera: str = "HS", *, cropped: bool = False) -> None:
    """Clips of two subjects, unpadded folders, and a folder that holds no micro-expression."""
    top = root / ("SMIC_all_cropped" if cropped else "SMIC_all_raw") / camera
    before = "reg_" if cropped else ""
    pattern = f"{before}image{{:06d}}.bmp" if camera == "HS" else f"{before}{{:05d}}.bmp"
    for subject, label, kind in (("s3", "negative", "ne"), ("s20", "surprise", "sur")):
        folder = top / subject / "micro" / label / f"{subject}_{kind}_01"
        frames(folder, [pattern.format(n) for n in range(99_998, 100_002)])
    frames(top / "s3" / "non_micro" / "s3_non_01", [pattern.format(1)])

"""Lists the micro-expressions of CAS(ME)^3, parts A and C.

Part A: ``Part_A_ME_clip/frame/spNo.1_a_355/355.jpg``, or the long videos
``part_A_split/part_A/spNO.1/a/color/166.jpg``; folders and sheet spell ``spNo`` in different cases.

Li et al.: CAS(ME)^3, IEEE TPAMI 2023, doi:10.1109/TPAMI.2022.3174895.
"""

from pathlib import Path

from merec_hpc.config.datasets import Casme3Settings
from merec_hpc.dataset.clip import Clip
from merec_hpc.dataset.listing import (
    Listing,
    Reader,
    entry_named,
    find_sheet,
    folder_below,
    names_in,
    with_marks_checked,
)
from merec_hpc.dataset.sheets import read_rows_below
from merec_hpc.dataset.sources import Folder
from merec_hpc.errors import MerecError

FRAME_RATE_HZ = 30.0
CLIPS = ("Part_A_ME_clip/frame", "part_A/Part_A_ME_clip/frame", "frame")
VIDEOS = ("part_A_split/part_A", "part_A/data/part_A_split/part_A", "data/part_A_split/part_A")
SHEETS_A = ("cas(me)3_part_A_ME_label*.xls*",)
SHEETS_C = ("CAS(ME)3_part_C_ME*.xls*",)
COLUMNS_A = ("Subject", "Filename", "Onset", "Apex", "Offset", "emotion")
COLUMNS_C = ("sub", "count", "onset", "offset", "emotion")


def list_part_a(root: Path, sheet: str | None) -> Listing:
    """List the rows of part A's sheet; a video holds several, told apart by their onsets.

    Raises
    ------
    MerecError
        If neither clips nor long videos are there, or the sheet is missing or of another kind.
    """
    clips_folder, videos = folder_below(root, CLIPS), folder_below(root, VIDEOS)
    if clips_folder is None and videos is None:
        msg = (
            f"{root}: a folder '{CLIPS[0]}' or '{VIDEOS[0]}' of CAS(ME)^3 expected, "
            f"found {names_in(root)}"
        )
        raise MerecError(msg)
    path = find_sheet(root, SHEETS_A, sheet)
    clips = []
    for row in read_rows_below(path, COLUMNS_A):
        subject, video = row.text("Subject"), row.text("Filename")
        onset = row.whole("Onset")
        name = f"{subject}_{video}_{onset}"
        if clips_folder is not None:
            folder = entry_named(clips_folder, name) or clips_folder / name
        else:
            assert videos is not None
            owner = entry_named(videos, subject) or videos / subject
            folder = owner / video / "color"
        clips.append(
            Clip(
                clip=_plain_name(name),
                subject=_plain_name(subject),
                label=row.text("emotion").lower(),
                source=Folder(folder.relative_to(root).as_posix()),
                onset=onset,
                apex=row.number_or_none("Apex"),
                offset=row.number_or_none("Offset"),
                frame_rate_hz=FRAME_RATE_HZ,
            )
        )
    return Listing(clips, str(path))


def list_part_c(root: Path, sheet: str | None) -> Listing:
    """List the rows of part C's sheet, which names no apex.

    Where its frames lie is not confirmed: ``part_C/{sub}/{count}/color`` is looked for.
    """
    path = find_sheet(root, SHEETS_C, sheet)
    frames = folder_below(root, ("part_C", "Part_C")) or root / "part_C"
    clips = []
    for row in read_rows_below(path, COLUMNS_C, "mockCrimeME"):
        subject, count = row.text("sub"), row.text("count")
        onset = row.whole("onset")
        folder = frames / subject / count / "color"
        clips.append(
            Clip(
                clip=_plain_name(f"{subject}_{count}_{onset}"),
                subject=_plain_name(subject),
                label={"neg": "negative", "pos": "positive", "sur": "surprise"}.get(
                    row.text("emotion").lower(), row.text("emotion").lower()
                ),
                source=Folder(folder.relative_to(root).as_posix()),
                onset=onset,
                offset=row.number_or_none("offset"),
                frame_rate_hz=FRAME_RATE_HZ,
            )
        )
    return Listing(clips, str(path))


def _plain_name(name: str) -> str:
    """Return ``spNO.1`` and ``spNo.1`` alike."""
    return name.lower().replace("spno", "spNo")


def _read(root: Path, settings: Casme3Settings) -> Listing:
    if settings.part == "C":  # whose sheet names no apex
        return list_part_c(root, settings.sheet)
    return with_marks_checked(list_part_a(root, settings.sheet))


def _scheme(settings: Casme3Settings) -> str:
    return settings.scheme or ("casme3-c-4" if settings.part == "C" else "casme3-7")


READER = Reader(_read, _scheme)

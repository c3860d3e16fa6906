"""Lists the clips of CASME II: ``CASME2_RAW_selected/sub01/EP02_01f/img46.jpg`` and a sheet.

The sheets of 2014, of 2019 and others disagree on the frames of some twenty clips and on one
clip: the sheet that is read is named in the log, and two are never mixed.

Yan et al.: CASME II, PLoS ONE 2014, doi:10.1371/journal.pone.0086041.
"""

from pathlib import Path

from merec_hpc.config.datasets import Casme2Settings
from merec_hpc.dataset.clip import Clip
from merec_hpc.dataset.listing import (
    Listing,
    Reader,
    chosen_scheme,
    entry_named,
    find_sheet,
    is_objective,
    needed_folder,
    unlisted_folders,
)
from merec_hpc.dataset.sheets import SheetRow, read_rows_below
from merec_hpc.dataset.sources import Folder

FRAME_RATE_HZ = 200.0
FOLDERS = {
    "raw": ("CASME2_RAW_selected", "CASME2-RAW", "CASME2_RAW"),
    "cropped": ("Cropped", "Cropped-updated/Cropped", "Cropped-updated", "Cropped_original"),
}
CODING_SHEETS = ("CASME2-coding*.xls*", "CASME2_label*.xls*")
OBJECTIVE_SHEET = "CASME2-ObjectiveClasses.xlsx"
COLUMNS = ("Subject", "Filename", "OnsetFrame", "ApexFrame", "OffsetFrame", "Estimated Emotion")
ROMAN = ("I", "II", "III", "IV", "V", "VI", "VII")


def list_clips(root: Path, release: str, sheet: str | None, *, objective: bool = False) -> Listing:
    """List the rows of a coding sheet, with their estimated emotions or objective classes.

    An apex that is no number (``/``, or blank in one of the sheets) is unknown.

    Raises
    ------
    MerecError
        If the folder of this release or a sheet is missing or of another kind.
    """
    frames = needed_folder(root, FOLDERS[release], "CASME II")
    path = find_sheet(root, CODING_SHEETS, sheet)
    objectives = _objective_classes(path.parent / OBJECTIVE_SHEET) if objective else {}
    clips = []
    for row in read_rows_below(path, COLUMNS):
        subject, name = _subject(row), row.text("Filename")
        label = row.text("Estimated Emotion").lower()
        if objective:
            label = objectives.get((subject, name), "")
        folder = entry_named(frames / subject, name) or frames / subject / name
        clips.append(
            Clip(
                clip=f"{subject}_{name}",
                subject=subject,
                label=label,
                source=Folder(folder.relative_to(root).as_posix()),
                onset=row.number_or_none("OnsetFrame"),
                apex=row.number_or_none("ApexFrame"),
                offset=row.number_or_none("OffsetFrame"),
                frame_rate_hz=FRAME_RATE_HZ,
            )
        )
    return Listing(clips, str(path), unlisted_folders(root, frames, "sub*/*", clips))


def _subject(row: SheetRow) -> str:
    """Subjects are text, ``01``, or numbers, depending on the sheet."""
    return f"sub{row.whole('Subject'):02d}"


def _objective_classes(path: Path) -> dict[tuple[str, str], str]:
    rows = read_rows_below(path, ("Subject", "Filename", "Objective Class"))
    return {
        (_subject(row), row.text("Filename")): ROMAN[row.whole("Objective Class") - 1]
        for row in rows
    }


def _read(root: Path, settings: Casme2Settings) -> Listing:
    return list_clips(
        root, settings.release, settings.sheet, objective=is_objective(settings.scheme)
    )


READER = Reader(_read, chosen_scheme, has_marks=True)

"""Lists the clips of CASME: ``CASME_raw_selected/sub01/EP01_5/EP01_5-1.jpg`` and a sheet.

Yan et al.: CASME database, FG 2013, doi:10.1109/FG.2013.6553799.
"""

from pathlib import Path

from merec_hpc.config.datasets import CasmeSettings
from merec_hpc.dataset.clip import Clip
from merec_hpc.dataset.listing import (
    Listing,
    Reader,
    chosen_scheme,
    entry_named,
    find_sheet,
    needed_folder,
    unlisted_folders,
)
from merec_hpc.dataset.sheets import read_rows_below
from merec_hpc.dataset.sources import Folder

FRAME_RATE_HZ = 60.0
FOLDERS = {"raw": ("CASME_raw_selected", "Raw_selected"), "cropped": ("Cropped",)}
COLUMNS = ("Subject", "Filename", "OnsetF", "ApexF1", "OffsetF", "Emotion")


def list_clips(root: Path, release: str, sheet: str | None) -> Listing:
    """List the rows of the sheet; the first of the two apexes counts.

    Raises
    ------
    MerecError
        If the folder of this release or the sheet is missing or of another kind.
    """
    frames = needed_folder(root, FOLDERS[release], "CASME")
    path = find_sheet(root, ("*CASME*.xls*", "*.xls*"), sheet)
    clips = []
    for row in read_rows_below(path, COLUMNS):
        subject = f"sub{row.whole('Subject'):02d}"
        name = row.text("Filename")
        folder = entry_named(frames / subject, name) or frames / subject / name
        clips.append(
            Clip(
                clip=f"{subject}_{name}",
                subject=subject,
                label=row.text("Emotion").lower(),
                source=Folder(folder.relative_to(root).as_posix()),
                onset=row.whole("OnsetF"),
                apex=row.number_or_none("ApexF1"),
                offset=row.whole("OffsetF"),
                frame_rate_hz=FRAME_RATE_HZ,
            )
        )
    return Listing(clips, str(path), unlisted_folders(root, frames, "sub*/*", clips))


def _read(root: Path, settings: CasmeSettings) -> Listing:
    return list_clips(root, settings.release, settings.sheet)


READER = Reader(_read, chosen_scheme, has_marks=True)

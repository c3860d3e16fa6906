"""Lists the micro-expressions of SAMM: ``SAMM/006/006_1_2/006_05562.jpg`` and a sheet.

Frame numbers have four or five digits; the sheet's header stands below notes.

Davison et al.: SAMM, IEEE Transactions on Affective Computing 2018,
doi:10.1109/TAFFC.2016.2573832.
"""

from pathlib import Path

from merec_hpc.config.datasets import SammSettings
from merec_hpc.dataset.clip import Clip
from merec_hpc.dataset.listing import (
    Listing,
    Reader,
    chosen_scheme,
    find_sheet,
    is_objective,
    needed_folder,
    unlisted_folders,
)
from merec_hpc.dataset.readers.casme2 import ROMAN
from merec_hpc.dataset.sheets import read_rows_below
from merec_hpc.dataset.sources import Folder

FRAME_RATE_HZ = 200.0
FOLDERS = {"raw": ("SAMM",), "cropped": ("SAMM_CROP", "SAMM_Crop")}
SHEETS = ("SAMM*FACS*.xls*", "SAMM_20*.xls*", "SAMM*Micro*.xls*")
COLUMNS = (
    "Subject",
    "Filename",
    "Onset Frame",
    "Apex Frame",
    "Offset Frame",
    "Estimated Emotion",
    "Objective Classes",
)


def list_clips(root: Path, release: str, sheet: str | None, *, objective: bool = False) -> Listing:
    """List the rows of the sheet, with their estimated emotions or objective classes.

    Raises
    ------
    MerecError
        If the folder of this release or the sheet is missing or of another kind.
    """
    frames = _bare_release(root) if release == "raw" else None
    frames = frames or needed_folder(root, FOLDERS[release], "SAMM")
    path = find_sheet(root, SHEETS, sheet)
    clips = []
    for row in read_rows_below(path, COLUMNS):
        subject, name = f"{row.whole('Subject'):03d}", row.text("Filename")
        label = row.text("Estimated Emotion")
        if objective:
            label = ROMAN[row.whole("Objective Classes") - 1]
        clips.append(
            Clip(
                clip=name,
                subject=subject,
                label=label,
                source=Folder((frames / subject / name).relative_to(root).as_posix()),
                onset=row.number_or_none("Onset Frame"),
                apex=row.number_or_none("Apex Frame"),
                offset=row.number_or_none("Offset Frame"),
                frame_rate_hz=FRAME_RATE_HZ,
            )
        )
    return Listing(clips, str(path), unlisted_folders(root, frames, "[0-9]*/*", clips))


def _bare_release(root: Path) -> Path | None:
    """Return the root if subjects lie in it without a folder of their own."""
    if root.name in FOLDERS["cropped"]:
        return None
    return root if any(root.glob("[0-9][0-9][0-9]/[0-9][0-9][0-9]_*")) else None


def _read(root: Path, settings: SammSettings) -> Listing:
    return list_clips(
        root, settings.release, settings.sheet, objective=is_objective(settings.scheme)
    )


READER = Reader(_read, chosen_scheme, has_marks=True)

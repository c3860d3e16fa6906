"""Lists the micro-expressions of MMEW: ``Micro_Expression/anger/S01-07-001/1.jpg`` and a sheet.

A clip is named person-emotion-sample; the folder repeats the emotion.

Ben et al.: MMEW, IEEE TPAMI 2022, doi:10.1109/TPAMI.2021.3067464.
"""

import re
from pathlib import Path

from merec_hpc.config.datasets import MmewSettings
from merec_hpc.dataset.clip import Clip
from merec_hpc.dataset.listing import (
    Fault,
    Listing,
    Reader,
    chosen_scheme,
    find_sheet,
    needed_folder,
)
from merec_hpc.dataset.sheets import read_rows_below
from merec_hpc.dataset.sources import Folder
from merec_hpc.errors import MerecError

FRAME_RATE_HZ = 90.0
FOLDERS = ("MMEW_Final/Micro_Expression", "Micro_Expression")
SHEETS = ("MMEW_Micro_Exp*.xls*", "*MMEW*.xls*")
COLUMNS = ("Filename", "OnsetFrame", "ApexFrame", "OffsetFrame", "Estimated Emotion")
_NAME = re.compile(r"^S(\d+)-(\d+)-(\d+)$", re.IGNORECASE)


def list_clips(root: Path, sheet: str | None) -> Listing:
    """List the rows of the sheet; a folder of another emotion than the row's is noted.

    Raises
    ------
    MerecError
        If the folder or the sheet is missing or of another kind.
    """
    frames = needed_folder(root, FOLDERS, "MMEW")
    path = find_sheet(root, SHEETS, sheet)
    places = {folder.name.upper(): folder for folder in frames.glob("*/*") if folder.is_dir()}
    clips, faults = [], []
    for row in read_rows_below(path, COLUMNS):
        name, label = row.text("Filename"), row.text("Estimated Emotion").lower()
        matched = _NAME.match(name)
        if matched is None:
            msg = f"{path}, row {row.number}: a name like S01-07-001 expected, found '{name}'"
            raise MerecError(msg)
        subject = f"S{int(matched[1]):02d}"
        folder = places.get(name.upper(), frames / label / name)
        if folder.parent.name.lower() != label:
            said = f"the sheet says '{label}', the folder '{folder.parent.name}'"
            faults.append(Fault(name, subject, "noted", said))
        clips.append(
            Clip(
                clip=name,
                subject=subject,
                label=label,
                source=Folder(folder.relative_to(root).as_posix()),
                onset=row.number_or_none("OnsetFrame"),
                apex=row.number_or_none("ApexFrame"),
                offset=row.number_or_none("OffsetFrame"),
                frame_rate_hz=FRAME_RATE_HZ,
            )
        )
    return Listing(clips, str(path), faults)


def _read(root: Path, settings: MmewSettings) -> Listing:
    return list_clips(root, settings.sheet)


READER = Reader(_read, chosen_scheme, has_marks=True)

"""Lists the clips of SMIC-E, the extended release: long videos and a sheet for each camera.

A row holds up to three expressions (``OnsetF``, ``Onset2F``, ``Onset3F``); offsets are formulas
that refer to another sheet, so that the values saved with them are read.

Li et al.: A spontaneous micro-expression database, FG 2013, doi:10.1109/FG.2013.6553717.
"""

import re
from pathlib import Path

from merec_hpc.dataset.clip import Clip
from merec_hpc.dataset.listing import (
    WHOLE,
    Fault,
    Listing,
    entry_named,
    find_sheet,
    needed_folder,
)
from merec_hpc.dataset.readers.smic_names import EMOTIONS, FRAME_RATES_HZ, plain_name
from merec_hpc.dataset.sheets import SheetRow, read_rows_below
from merec_hpc.dataset.sources import Folder

FOLDERS = {
    "HS": (
        "HS_long/SMIC-HS-E/HS",
        "SMIC-HS-E/HS",
        "HS_long/SMIC-HS-E",
        "HS_long/SMIC_HS_E",
        "SMIC-HS-E",
        "SMIC_HS_E",
    ),
    "VIS": ("VIS_long/SMIC-VIS-E/VIS", "SMIC-VIS-E/VIS", "VIS_long/SMIC_VIS_E"),
    "NIR": ("NIR_long/SMIC-NIR-E/NIR", "SMIC-NIR-E/NIR", "NIR_long/SMIC_NIR_E"),
}
_NAME = re.compile(r"^s0*(\d+)_(ne|po|sur)_(\d+)$")


def list_clips(root: Path, camera: str, sheet: str | None) -> Listing:
    """List the expressions of all rows; the second and third of a row get ``b`` and ``c``.

    Raises
    ------
    MerecError
        If the folder of this camera or its sheet is missing or of another kind, or a formula
        was saved without its value.
    """
    videos = needed_folder(root, FOLDERS[camera], "SMIC-E")
    holders = [f for f in videos.parents if any(f.glob(f"SMIC-{camera}-E_annotation*"))]
    place = root if sheet or not holders else holders[0]
    path = find_sheet(place, (f"SMIC-{camera}-E_annotation*.xls*",), sheet)
    clips, faults = [], []
    for row in read_rows_below(path, ("Subject", "Filename")):
        matched = _NAME.match(row.text("Filename"))
        if matched is None:
            faults += _unnamed(row)
            continue
        subject, kind, number = matched.groups()
        owner = entry_named(videos, f"s{int(subject)}") or entry_named(
            videos, f"s{int(subject):02d}"
        )
        folder = (owner or videos / f"s{int(subject)}") / row.text("Filename")
        for letter, onset, offset in _expressions(row, camera):
            name = plain_name(subject, kind, number) + letter
            if onset is None or offset is None:
                said = f"row {row.number} of the sheet has onset {onset} and offset {offset}"
                faults.append(Fault(name, f"s{int(subject):02d}", "clip left out", said))
                continue
            clips.append(
                Clip(
                    clip=name,
                    subject=f"s{int(subject):02d}",
                    label=EMOTIONS[kind],
                    source=Folder(folder.relative_to(root).as_posix()),
                    onset=onset,
                    offset=offset,
                    frame_rate_hz=FRAME_RATES_HZ[camera],
                )
            )
    return Listing(clips, str(path), faults)


def _unnamed(row: SheetRow) -> list[Fault]:
    """Note a row of a subject whose clip has no name; remarks and totals have no subject."""
    if row.number_or_none("Subject") is None:
        return []
    name = row.text("Filename")
    said = f"row {row.number} of the sheet: a name like s20_ne_01 expected, found '{name}'"
    return [Fault(WHOLE, WHOLE, "noted", said)]


def _expressions(row: SheetRow, camera: str) -> list[tuple[str, int | None, int | None]]:
    """Return letter, onset and offset of the first expression of a row, and of others it has."""
    found = []
    for letter, number in (("", ""), ("b", "2"), ("c", "3")):
        onset, offset = (_number(row, f"{name}{number}F", camera) for name in ("Onset", "Offset"))
        if onset is not None or offset is not None or not letter:
            found.append((letter, onset, offset))
    return found


def _number(row: SheetRow, column: str, camera: str) -> int | None:
    """Return a cell of a column that one of the sheets names with the camera behind it."""
    for name in (column, f"{column} {camera}"):
        if row.has(name):
            return row.number_or_none(name)
    return None

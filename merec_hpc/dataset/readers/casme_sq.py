"""Lists the expressions of CAS(ME)^2: ``rawpic/s15/15_0101disgustingteeth/img1.jpg`` and a sheet.

The sheet has no header; two more sheets of the same file say how its names become folders.

Qu et al.: CAS(ME)^2, IEEE Transactions on Affective Computing 2018,
doi:10.1109/TAFFC.2017.2654440.
"""

import glob
import re
from pathlib import Path

from merec_hpc.config.datasets import CasmeSqSettings
from merec_hpc.dataset.clip import Clip
from merec_hpc.dataset.listing import (
    Fault,
    Listing,
    Reader,
    chosen_scheme,
    find_sheet,
    needed_folder,
)
from merec_hpc.dataset.sheets import Cell, read_cells
from merec_hpc.dataset.sources import Folder
from merec_hpc.errors import MerecError

FRAME_RATE_HZ = 30.0
FOLDERS = {"raw": ("rawpic",), "cropped": ("cropped",), "selected": ("selectedpic",)}
SHEETS = ("CAS(ME)*2*code*final*.xls*",)


def list_clips(root: Path, release: str, sheet: str | None, kinds: tuple[str, ...]) -> Listing:
    """List the rows of the sheet that are of the wanted kinds, micro- or macro-expression.

    Where the offset is 0, which is how the sheet writes an unknown one, the apex ends the clip.

    Raises
    ------
    MerecError
        If the folder of this release or the sheet is missing or of another kind.
    """
    frames = needed_folder(root, FOLDERS[release], "CAS(ME)^2")
    path = find_sheet(root, SHEETS, sheet)
    subjects = {_whole(path, row, 2): _text(row[1]) for row in read_cells(path, "naming rule1")}
    codes = {_text(row[1]): _code(row[0]) for row in read_cells(path, "naming rule2")}
    clips, faults = [], []
    for row in _coded(path):
        if not any(cell is not None for cell in row):
            continue
        participant, name, kind = _whole(path, row, 0), _text(row[1]), _text(row[7]).lower()
        if not kind.startswith(tuple(wanted.split("-")[0] for wanted in kinds)):
            continue
        subject = subjects.get(participant)
        video = re.sub(r"_\d+$", "", name)
        if subject is None or video not in codes:
            said = f"participant {participant}, video '{video}' is not in the naming rules"
            faults.append(Fault(name, str(participant), "clip left out", said))
            continue
        onset, apex, offset = (_whole(path, row, column) for column in (2, 3, 4))
        # The words behind the code are not those of the sheet: 15_0101disgustingteeth.
        start = f"{subject.lstrip('s')}_{codes[video]}"
        found = sorted(frames.glob(f"{glob.escape(subject)}/{glob.escape(start)}*"))
        folder = found[0] if found else frames / subject / start
        clips.append(
            Clip(
                clip=f"{subject}_{name}_{onset}",
                subject=subject,
                label=_text(row[6]).lower(),
                source=Folder(folder.relative_to(root).as_posix()),
                onset=onset,
                apex=apex or None,
                offset=offset or apex,
                frame_rate_hz=FRAME_RATE_HZ,
            )
        )
    return Listing(clips, str(path), faults)


def _coded(path: Path) -> list[list[Cell]]:
    """Return the sheet of expressions; copies differ in how they spell its name."""
    try:
        return read_cells(path, "CASMEcode_final")
    except MerecError:
        return read_cells(path, "CASFEcode_final")


def _text(cell: Cell) -> str:
    return "" if cell is None else str(cell).strip()


def _code(cell: Cell) -> str:
    """Codes have four digits; a spreadsheet may have made numbers of them."""
    return f"{int(cell):04d}" if isinstance(cell, int | float) else _text(cell).zfill(4)


def _whole(path: Path, row: list[Cell], column: int) -> int:
    cell = row[column] if column < len(row) else None
    try:
        return int(float(cell if cell is not None else 0))
    except ValueError:
        msg = f"{path}: a whole number expected in column {column + 1}, found '{cell}'"
        raise MerecError(msg) from None


def _read(root: Path, settings: CasmeSqSettings) -> Listing:
    return list_clips(root, settings.release, settings.sheet, settings.kinds)


READER = Reader(_read, chosen_scheme, has_marks=True)

"""Applies a table of corrections to what a dataset's sheet says, on request and on record."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from merec_hpc.dataset.clip import Clip
from merec_hpc.dataset.listing import Fault
from merec_hpc.errors import MerecError
from merec_hpc.files.rows import read_rows

COLUMNS = ("onset", "apex", "offset", "label")


@dataclass(frozen=True)
class Correction:
    """One cell of a catalog that should read otherwise."""

    subject: str
    clip: str
    column: str
    """One of onset, apex, offset, label."""
    value: str
    reason: str


def correct(path: Path, clips: Sequence[Clip]) -> tuple[list[Clip], list[Fault]]:
    """Return the clips with a table's corrections, and a note on each.

    Raises
    ------
    MerecError
        If the table is not as it should be, or names a clip that is not listed.
    """
    corrected = list(clips)
    places = {(clip.subject, clip.clip): place for place, clip in enumerate(clips)}
    counts = Counter((clip.subject, clip.clip) for clip in clips)
    noted = []
    for row in read_rows(path, Correction):
        key = (row.subject, row.clip)
        if row.column not in COLUMNS:
            msg = f"{path}: a column of {', '.join(COLUMNS)} expected, found '{row.column}'"
            raise MerecError(msg)
        if counts[key] > 1:
            msg = f"{path}: clip '{row.clip}' is listed {counts[key]} times, expected once"
            raise MerecError(msg)
        if key not in places:
            msg = (
                f"{path}: clip '{row.clip}' of subject '{row.subject}' expected, found no such clip"
            )
            raise MerecError(msg)
        if row.column != "label" and not row.value.isdigit():
            msg = f"{path}: a frame number expected for {row.clip}, found '{row.value}'"
            raise MerecError(msg)
        value: Any = row.value if row.column == "label" else int(row.value)
        clip = corrected[places[key]]
        former = getattr(clip, row.column)
        corrected[places[key]] = replace(clip, **{row.column: value})
        said = f"corrected: {row.column} {value} instead of {former}: {row.reason}"
        noted.append(Fault(row.clip, row.subject, "noted", said))
    return corrected, noted

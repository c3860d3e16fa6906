"""Turns a dataset's folder into its catalog: one row a clip."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from merec_hpc.config.datasets import (
    DATASET_SETTINGS,
)
from merec_hpc.dataset.clip import Clip
from merec_hpc.dataset.listing import WHOLE, Fault, Listing, with_marks_checked
from merec_hpc.dataset.readers import find_reader
from merec_hpc.dataset.schemes import Scheme, apply_scheme, differences, find_scheme
from merec_hpc.dataset.sources import SOURCES, Source, find_source
from merec_hpc.errors import MerecError
from merec_hpc.files.rows import read_rows, write_rows


def list_clips(root: Path, settings: object) -> Listing:
    """List the clips of a dataset with their classes.

    What the scheme leaves out, and how counts differ from those that were published, is
    noted among the listing's faults.

    Raises
    ------
    MerecError
        If the folder is missing or is not a release of that dataset.
    """
    if not root.is_dir():
        msg = f"{root}: expected the dataset's folder, found no such folder"
        raise MerecError(msg)
    names = {kind: name for name, kind in DATASET_SETTINGS.items()}
    if type(settings) not in names:
        msg = f"no reader for {type(settings).__name__}"
        raise TypeError(msg)
    reader = find_reader(names[type(settings)])
    listing = reader.read(root, settings)
    if reader.has_marks:
        listing = with_marks_checked(listing)
    listing = replace(listing, clips=[_with_source(clip) for clip in listing.clips])
    if reader.scheme is None:
        return listing
    scheme = find_scheme(reader.scheme(settings))
    clips, others = apply_scheme(listing.clips, scheme)
    if not clips:
        msg = f"{root}: clips of the classes {', '.join(scheme.classes)} expected, found none"
        raise MerecError(msg)
    noted = [*listing.faults, *_left_out(others), *_differing(clips, scheme)]
    return Listing(clips, listing.source, noted, scheme.classes)


def _with_source(clip: Clip) -> Clip:
    """Return a clip that says so if its apex is the sheet's."""
    return clip if clip.apex is None else replace(clip, apex_source="sheet")


def _left_out(clips: list[Clip]) -> list[Fault]:
    """Note how many clips of which emotions are not part of the scheme."""
    counts = Counter(clip.label or "none" for clip in clips)
    return [
        Fault(WHOLE, WHOLE, "noted", f"{count} clips of '{label}' are not part of the scheme")
        for label, count in sorted(counts.items())
    ]


def _differing(clips: list[Clip], scheme: Scheme) -> list[Fault]:
    return [Fault(WHOLE, WHOLE, "noted", said) for said in differences(clips, scheme)]


@dataclass(frozen=True)
class CatalogRow:
    """The columns of a catalog; those with a default may be missing."""

    clip: str
    subject: str
    label: str
    path: str
    """A path relative to the dataset's root; images joined by ``;``; ``file.csv#row``."""
    kind: str | None = None
    """What the path is: folder, images, video or table_row."""
    onset: int | None = None
    apex: int | None = None
    offset: int | None = None
    frame_rate_hz: float | None = None
    split: str | None = None
    apex_source: str | None = None
    """Where the apex is from: sheet, pair, single, or the method by which it was found."""


def write_catalog(path: Path, clips: Sequence[Clip]) -> None:
    """Write one row a clip; the order is that of every later file."""
    rows = [
        CatalogRow(path=clip.source.text, kind=clip.source.kind, **_common(clip)) for clip in clips
    ]
    write_rows(path, CatalogRow, rows)


def read_catalog(path: Path, root: Path | None = None) -> list[Clip]:
    """Read a catalog.

    Parameters
    ----------
    root
        Folder of the dataset: what lies there decides about the paths of a catalog without
        kinds, of an earlier version. Not needed where no frames are read.

    Raises
    ------
    MerecError
        If the file, a column or a needed cell is missing, a kind or path is none, or a clip is
        listed twice.
    """
    rows = read_rows(path, CatalogRow)
    counts = Counter(row.clip for row in rows)
    twice = [clip for clip, count in counts.items() if count > 1]
    if twice:
        msg = f"{path}: each clip once expected, found '{twice[0]}' {counts[twice[0]]} times"
        raise MerecError(msg)
    return [Clip(source=_source(path, row, root), **_common(row)) for row in rows]


def apexes_of(clips: Iterable[Clip]) -> dict[str, int]:
    """Return the number of each clip's apex, by its name; of those that have one."""
    return {clip.clip: clip.apex for clip in clips if clip.apex is not None}


def _common(row: Clip | CatalogRow) -> dict[str, Any]:
    """Return what a clip and its row have alike."""
    return {name: value for name, value in vars(row).items() if name in _COMMON}


_COMMON = {field.name for field in fields(Clip)} & {field.name for field in fields(CatalogRow)}


def _source(path: Path, row: CatalogRow, root: Path | None) -> Source:
    if row.kind is None:
        return find_source(row.path, root)
    if row.kind not in SOURCES:
        msg = f"{path}: kind {', '.join(SOURCES)} expected of clip '{row.clip}', found '{row.kind}'"
        raise MerecError(msg)
    try:
        return SOURCES[row.kind].parse(row.path)
    except ValueError:
        msg = f"{path}: a path like file.csv#7 expected of clip '{row.clip}', found '{row.path}'"
        raise MerecError(msg) from None

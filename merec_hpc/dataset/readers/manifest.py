"""Lists the clips of any labelled frame folders or videos from one CSV."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from merec_hpc.config.datasets import ManifestSettings
from merec_hpc.dataset.clip import Clip
from merec_hpc.dataset.listing import Listing, Reader
from merec_hpc.dataset.sources import find_source
from merec_hpc.errors import MerecError
from merec_hpc.files.rows import read_rows

SPLITS = ("train", "validation", "test")


@dataclass(frozen=True)
class ManifestRow:
    """The columns of a manifest; the last one may be missing."""

    clip: str
    subject: str
    label: str
    path: str
    onset: int | None
    apex: int | None
    offset: int | None
    split: str | None = None
    """Official split: train, validation or test."""


def list_clips(root: Path, file: str) -> list[Clip]:
    """List the rows of a manifest, in its order.

    Paths are relative to ``root`` and lead to a folder of numbered images, to an image or to
    a video, whose frames count from 0. An empty onset or offset means the first or last frame, an
    empty or missing split none.

    Raises
    ------
    MerecError
        If the manifest, a column or a needed cell is missing, a split is of another name, or
        the manifest has no rows.
    """
    rows = read_rows(root / file, ManifestRow)
    if not rows:
        msg = f"{root / file}: at least one clip expected, found none"
        raise MerecError(msg)
    for row in rows:
        if row.split not in (None, *SPLITS):
            msg = (
                f"{root / file}: {', '.join(SPLITS)} or nothing expected in column 'split' of "
                f"clip '{row.clip}', found '{row.split}'"
            )
            raise MerecError(msg)
    return [_clip(root, **asdict(row)) for row in rows]


def _clip(root: Path, path: str, **columns: Any) -> Clip:
    """Return the clip of a row; what its path leads to decides how it is read."""
    return Clip(source=find_source(path, root), **columns)


def _read(root: Path, settings: ManifestSettings) -> Listing:
    clips = list_clips(root, settings.file)
    found = tuple(sorted({clip.label for clip in clips}))
    return Listing(clips, classes=settings.labels or found)


READER = Reader(_read, has_splits=True)

"""Turns a dataset's folder into its catalog: one row a clip."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from merec_hpc.config.datasets import (
    Casme2Settings,
    Casme3Settings,
    CasmeSettings,
    CasmeSqSettings,
    CkplusSettings,
    CmuFacesSettings,
    Fer2013Settings,
    JaffeSettings,
    ManifestSettings,
    Megc2019Settings,
    MmewSettings,
    RafdbSettings,
    SammSettings,
    SfewSettings,
    SimulatedSettings,
    SmicSettings,
)
from merec_hpc.dataset.clip import Clip
from merec_hpc.dataset.listing import WHOLE, Fault, Listing, with_marks_checked
from merec_hpc.dataset.readers import (
    casme,
    casme2,
    casme3,
    casme_sq,
    ckplus,
    cmu_faces,
    fer2013,
    jaffe,
    manifest,
    megc2019,
    mmew,
    rafdb,
    samm,
    sfew,
    smic,
    smic_extended,
)
from merec_hpc.dataset.schemes import Scheme, apply_scheme, differences, find_scheme
from merec_hpc.dataset.simulated import PRESETS
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
    listing = _read(root, settings)
    if isinstance(settings, _WITH_SHEETS):
        listing = with_marks_checked(listing)
    if isinstance(settings, ManifestSettings):
        found = tuple(sorted({clip.label for clip in listing.clips}))
        return replace(listing, classes=settings.labels or found)
    scheme = find_scheme(_scheme_name(settings))
    clips, others = apply_scheme(listing.clips, scheme)
    if not clips:
        msg = f"{root}: clips of the classes {', '.join(scheme.classes)} expected, found none"
        raise MerecError(msg)
    noted = [*listing.faults, *_left_out(others), *_differing(clips, scheme)]
    return Listing(clips, listing.source, noted, scheme.classes)


# Whose sheets give onset, apex and offset of every clip.
_WITH_SHEETS = (CasmeSettings, Casme2Settings, SammSettings, CasmeSqSettings, MmewSettings)


def _scheme_name(settings: object) -> str:
    match settings:
        case SimulatedSettings():
            return "casme2-5" if settings.preset == "casme2" else "smic-3"
        case CmuFacesSettings():
            return "cmu-faces-3"
        case SmicSettings(scheme=None, release="extended"):
            return "smic-3"  # rows were merged and dropped: other counts than the clips'
        case SmicSettings(scheme=None):
            return f"smic-{settings.camera.lower()}-3"
        case Casme3Settings(scheme=None):
            return "casme3-c-4" if settings.part == "C" else "casme3-7"
        case _:
            return str(getattr(settings, "scheme"))  # noqa: B009  # every other section has one


def _is_objective(scheme: str) -> bool:
    """Return whether a scheme is of objective classes instead of estimated emotions."""
    return "objective" in scheme or scheme.startswith("megc2018")


def _read(root: Path, settings: object) -> Listing:  # noqa: C901, PLR0911, PLR0912  # a table
    match settings:
        case SimulatedSettings(preset="casme2"):
            return casme2.list_clips(root, "raw", None)
        case SimulatedSettings():
            return smic.list_clips(root, PRESETS[settings.preset].camera)
        case SmicSettings(release="extended"):
            return smic_extended.list_clips(root, settings.camera, settings.sheet)
        case SmicSettings():
            return smic.list_clips(root, settings.camera, settings.release)
        case CasmeSettings():
            return casme.list_clips(root, settings.release, settings.sheet)
        case Casme2Settings():
            objective = _is_objective(settings.scheme)
            return casme2.list_clips(root, settings.release, settings.sheet, objective=objective)
        case SammSettings():
            objective = _is_objective(settings.scheme)
            return samm.list_clips(root, settings.release, settings.sheet, objective=objective)
        case CasmeSqSettings():
            return casme_sq.list_clips(root, settings.release, settings.sheet, settings.kinds)
        case Casme3Settings(part="C"):
            return casme3.list_part_c(root, settings.sheet)
        case Casme3Settings():
            return with_marks_checked(casme3.list_part_a(root, settings.sheet))
        case MmewSettings():
            return mmew.list_clips(root, settings.sheet)
        case CkplusSettings():
            return ckplus.list_clips(root)
        case Fer2013Settings():
            return fer2013.list_clips(root)
        case RafdbSettings():
            return rafdb.list_clips(root, settings.image)
        case JaffeSettings():
            return jaffe.list_clips(root)
        case SfewSettings():
            return sfew.list_clips(root)
        case CmuFacesSettings():
            return Listing(cmu_faces.list_clips(root, settings.poses, settings.eyes))
        case Megc2019Settings():
            folders = {"smic": settings.smic, "casme2": settings.casme2, "samm": settings.samm}
            sheets = {"casme2": settings.casme2_sheet, "samm": settings.samm_sheet}
            return megc2019.list_clips(root, folders, settings.release, sheets)
        case ManifestSettings():
            return Listing(manifest.list_clips(root, settings.file))
        case _:
            msg = f"no reader for {type(settings).__name__}"
            raise TypeError(msg)


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
        If the file, a column or a needed cell is missing, or a kind or path is none.
    """
    return [
        Clip(source=_source(path, row, root), **_common(row)) for row in read_rows(path, CatalogRow)
    ]


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

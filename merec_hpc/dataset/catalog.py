"""Turns a dataset's folder into its catalog: one row a clip."""

from dataclasses import dataclass
from pathlib import Path

from merec_hpc.arrays import Clip
from merec_hpc.config import (
    CmuFacesSettings,
    ManifestSettings,
    SimulatedSettings,
    SmicSettings,
)
from merec_hpc.dataset import cmu_faces, manifest, schemes, simulated, smic
from merec_hpc.errors import MerecError
from merec_hpc.tables import read_rows, write_rows


@dataclass(frozen=True)
class Listing:
    """The clips that a dataset lists, before anything is known of their frames."""

    clips: list[Clip]
    classes: tuple[str, ...]


def list_clips(root: Path, settings: object) -> Listing:
    """List the clips of the dataset whose settings are given.

    Raises
    ------
    MerecError
        If the folder is missing or is not a release of that dataset.
    """
    if not root.is_dir():
        msg = f"{root}: expected the dataset's folder, found no such folder"
        raise MerecError(msg)
    match settings:
        case SimulatedSettings():
            camera = simulated.PRESETS[settings.preset].camera
            return Listing(smic.list_clips(root, camera), schemes.SMIC_3)
        case SmicSettings():
            return Listing(smic.list_clips(root, settings.camera), schemes.SMIC_3)
        case CmuFacesSettings():
            clips = cmu_faces.list_clips(root, settings.poses, settings.eyes)
            return Listing(clips, schemes.CMU_FACES_3)
        case ManifestSettings():
            clips = manifest.list_clips(root, settings.file)
            found = tuple(sorted({clip.label for clip in clips}))
            return Listing(clips, settings.labels or found)
        case _:
            msg = f"no reader for {type(settings).__name__}"
            raise TypeError(msg)


def write_catalog(path: Path, clips: list[Clip]) -> None:
    """Write one row a clip; the order is that of every later file."""
    write_rows(path, Clip, clips)


def read_catalog(path: Path) -> list[Clip]:
    """Read what ``write_catalog`` wrote."""
    return read_rows(path, Clip)

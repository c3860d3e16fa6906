"""Turns a dataset's folder into its catalog: one row a clip."""

from collections import Counter
from pathlib import Path

from merec_hpc.config.datasets import DATASET_SETTINGS
from merec_hpc.dataset.listing import WHOLE, Fault, Listing, with_marks_checked
from merec_hpc.dataset.readers import find_reader
from merec_hpc.dataset.schemes import Scheme, apply_scheme, differences, find_scheme
from merec_hpc.errors import MerecError
from merec_hpc.files.rows import read_rows, write_rows
from merec_hpc.records import Clip


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
    if reader.scheme is None:
        return listing
    scheme = find_scheme(reader.scheme(settings))
    clips, others = apply_scheme(listing.clips, scheme)
    if not clips:
        msg = f"{root}: clips of the classes {', '.join(scheme.classes)} expected, found none"
        raise MerecError(msg)
    noted = [*listing.faults, *_left_out(others), *_differing(clips, scheme)]
    return Listing(clips, listing.source, noted, scheme.classes)


def _left_out(clips: list[Clip]) -> list[Fault]:
    """Note how many clips of which emotions are not part of the scheme."""
    counts = Counter(clip.label or "none" for clip in clips)
    return [
        Fault(WHOLE, WHOLE, "noted", f"{count} clips of '{label}' are not part of the scheme")
        for label, count in sorted(counts.items())
    ]


def _differing(clips: list[Clip], scheme: Scheme) -> list[Fault]:
    return [Fault(WHOLE, WHOLE, "noted", said) for said in differences(clips, scheme)]


def write_catalog(path: Path, clips: list[Clip]) -> None:
    """Write one row a clip; the order is that of every later file."""
    write_rows(path, Clip, clips)


def read_catalog(path: Path) -> list[Clip]:
    """Read a catalog.

    Raises
    ------
    MerecError
        If the file, a column or a needed cell is missing.
    """
    return read_rows(path, Clip)

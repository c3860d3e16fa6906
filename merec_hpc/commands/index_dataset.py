"""List and audit a dataset's clips."""

import logging
from pathlib import Path
from typing import Annotated

import typer

from merec_hpc.commands.options import Root
from merec_hpc.config.base import from_json
from merec_hpc.config.datasets import DATASET_SETTINGS
from merec_hpc.dataset.audit import audit, check_audit, usable_clips
from merec_hpc.dataset.catalog import list_clips, write_catalog
from merec_hpc.dataset.corrections import correct
from merec_hpc.dataset.listing import Fault
from merec_hpc.errors import MerecError
from merec_hpc.files.rows import write_rows

log = logging.getLogger(__name__)


def run(
    dataset: Annotated[str, typer.Option(help=f"One of {', '.join(DATASET_SETTINGS)}.")],
    root: Root,
    catalog: Annotated[Path, typer.Option(help="Table of the usable clips to write.")],
    audit_output: Annotated[
        Path, typer.Option("--audit", help="Table of the faults found to write.")
    ],
    settings: Annotated[str, typer.Option(help="Section of the dataset, as JSON.")] = "{}",
    corrections: Annotated[
        Path | None, typer.Option(help="Table of corrections to apply: see docs/datasets.md.")
    ] = None,
) -> None:
    """List a dataset's clips and find every fault, before anything heavy runs."""
    if dataset not in DATASET_SETTINGS:
        msg = f"dataset expected: one of {', '.join(DATASET_SETTINGS)}; found '{dataset}'"
        raise MerecError(msg)
    listing = list_clips(root, from_json(DATASET_SETTINGS[dataset], settings))
    log.info("%s: %d clips listed by %s", dataset, len(listing.clips), listing.source or root)
    listed, corrected = listing.clips, list[Fault]()
    if corrections is not None:
        listed, corrected = correct(corrections, listed)
    faults = [*listing.faults, *corrected, *audit(root, listed, listing.classes)]
    write_rows(audit_output, Fault, faults)
    for fault in faults:
        log.warning("%s: %s (%s)", fault.clip, fault.fault, fault.consequence)
    check_audit(faults)
    clips = usable_clips(listed, faults)
    subjects = {clip.subject for clip in clips}
    if len(subjects) < 2:
        msg = f"{root}: clips of at least two subjects expected, found {len(subjects)} with frames"
        raise MerecError(msg)
    write_catalog(catalog, clips)
    log.info("%d clips of %d subjects, %d faults", len(clips), len(subjects), len(faults))

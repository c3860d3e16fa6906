"""Describe a dataset as it lies on disk, with every fault found."""

import logging
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from merec_hpc.commands.options import Root
from merec_hpc.config.base import from_json
from merec_hpc.config.datasets import DATASET_SETTINGS
from merec_hpc.dataset.audit import audit, audit_images
from merec_hpc.dataset.catalog import list_clips
from merec_hpc.dataset.corrections import correct
from merec_hpc.dataset.duplicates import doubled_across_splits
from merec_hpc.dataset.listing import WHOLE, Fault
from merec_hpc.dataset.summary import DatasetRow, summarise
from merec_hpc.errors import MerecError
from merec_hpc.files.rows import write_rows

log = logging.getLogger(__name__)
SHOWN = 40
"""Faults that are printed; the file has them all."""


def run(
    dataset: Annotated[str, typer.Option(help=f"One of {', '.join(DATASET_SETTINGS)}.")],
    root: Root,
    settings: Annotated[str, typer.Option(help="Section of the dataset, as JSON.")] = "{}",
    corrections: Annotated[Path | None, typer.Option(help="Table of corrections to apply.")] = None,
    output: Annotated[Path | None, typer.Option(help="Table of the faults to write.")] = None,
    images: Annotated[
        bool, typer.Option("--images", help="Decode every image; compare official splits.")
    ] = False,
) -> None:
    """Print paper 1's Table I of what is on disk, and every fault found."""
    if dataset not in DATASET_SETTINGS:
        msg = f"dataset expected: one of {', '.join(DATASET_SETTINGS)}; found '{dataset}'"
        raise MerecError(msg)
    listing = list_clips(root, from_json(DATASET_SETTINGS[dataset], settings))
    clips, corrected = listing.clips, list[Fault]()
    if corrections is not None:
        clips, corrected = correct(corrections, clips)
    faults = [*listing.faults, *corrected, *audit(root, clips, listing.classes)]
    if images:
        whole = {fault.clip for fault in faults if fault.consequence == "clip left out"}
        readable = [clip for clip in clips if clip.clip not in whole]
        broken = audit_images(root, readable)
        unbroken = {fault.clip for fault in broken}
        faults += broken
        faults += doubled_across_splits(
            root, [clip for clip in readable if clip.clip not in unbroken]
        )
    if output is not None:
        write_rows(output, Fault, faults)
    console = Console(soft_wrap=True)
    row = summarise(dataset, root, clips, listing.classes)
    table = Table(*(name.replace("_", " ") for name in DatasetRow.__dataclass_fields__))
    table.add_row(*(str(value) for value in vars(row).values()))
    console.print(table)
    if listing.source:
        console.print(f"listed by {listing.source}", markup=False, highlight=False)
    for fault in faults[:SHOWN]:
        named = f"{fault.clip}: " if fault.clip != WHOLE else ""
        console.print(f"{named}{fault.fault} ({fault.consequence})", markup=False, highlight=False)
    if len(faults) > SHOWN and output is None:
        console.print(f"{len(faults) - SHOWN} more: --output writes them all")

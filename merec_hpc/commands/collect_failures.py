"""Collect the clips that were left out, and list the folds that remain."""

import logging
from pathlib import Path
from typing import Annotated

import typer

from merec_hpc.commands.options import Catalog, Output
from merec_hpc.config.base import from_json
from merec_hpc.config.evaluation import EvaluationSettings
from merec_hpc.dataset.catalog import read_catalog
from merec_hpc.dataset.folds import FoldMember, FoldSize, count_folds, fold_members
from merec_hpc.dataset.listing import Fault
from merec_hpc.errors import MerecError
from merec_hpc.files.rows import read_rows, write_rows
from merec_hpc.records import Failure

log = logging.getLogger(__name__)


def run(
    catalog: Catalog,
    audit: Annotated[Path, typer.Option(help="Faults that the audit found.")],
    failures: Annotated[list[Path], typer.Option(help="Failures of a subject; repeat it.")],
    max_failed_fraction: Annotated[
        float, typer.Option(min=0, max=1, help="More than this fraction stops the run.")
    ],
    output: Output,
    folds: Annotated[Path, typer.Option(help="Table of folds to write.")],
    fold_table: Annotated[Path, typer.Option(help="Table of each fold's subjects to write.")],
    settings: Annotated[str, typer.Option(help="Section 'evaluation', as JSON.")] = "{}",
) -> None:
    """Collect the clips that were left out; too many stop the run."""
    clips = read_catalog(catalog)
    left_out = [
        Failure(fault.clip, fault.subject, "index_dataset", fault.fault)
        for fault in read_rows(audit, Fault)
        if fault.consequence == "clip left out"
    ]
    n_clips = len(clips) + len({failure.clip for failure in left_out})
    for path in failures:
        left_out += read_rows(path, Failure)
    for failure in left_out:
        log.warning("%s left out by %s: %s", failure.clip, failure.stage, failure.reason)
    lost = {failure.clip for failure in left_out}
    if len(lost) > max_failed_fraction * n_clips:
        msg = (
            f"at most {max_failed_fraction:.0%} of {n_clips} clips may be left out "
            f"(max_failed_fraction), found {len(lost)}; the first is {left_out[0].clip}: "
            f"{left_out[0].reason}"
        )
        raise MerecError(msg)
    log.info("%d of %d clips left out", len(lost), n_clips)
    write_rows(output, Failure, left_out)
    kept = [clip for clip in clips if clip.clip not in lost]
    members = fold_members(kept, from_json(EvaluationSettings, settings))
    counts = count_folds(kept, members)
    write_rows(fold_table, FoldMember, members)
    write_rows(folds, FoldSize, counts)

"""Write what a search chose, and how it got there, as tables."""

from pathlib import Path
from typing import Annotated

import typer

from merec_hpc.commands.options import FoldTable, StoreOrTable
from merec_hpc.config.scaling import parse_scaling
from merec_hpc.errors import MerecError
from merec_hpc.evaluation.curves import (
    FeatureRow,
    FrontRow,
    GenerationRow,
    describe_features,
    describe_front,
    describe_generations,
)
from merec_hpc.files.rows import write_rows
from merec_hpc.parallel.communicator import SerialCommunicator
from merec_hpc.parallel.threads import limit_library_threads
from merec_hpc.selection.training_folds import check_fold, read_clips
from merec_hpc.store.selection import read_selection


def run(
    store: StoreOrTable,
    selection: Annotated[Path, typer.Option(help="Selection of a fold.")],
    features: Annotated[Path, typer.Option(help="Table of features to write (.csv, .tsv).")],
    generations: Annotated[Path, typer.Option(help="Table of generations to write.")],
    fold_table: FoldTable = None,
    front: Annotated[
        Path | None,
        typer.Option(help="Table of the front to write, of a search for fitness and few features."),
    ] = None,
) -> None:
    """Write what a search chose and how it got there: what pandas.read_csv reads back.

    The column "selected" of the table of features is 1 for those of the mask, "share" the part of the
    hall of fame that has the feature. A mask of an early generation need not be in the hall of fame:
    its features may have a share of 0. "weight" is what the scaled feature is multiplied by: 1 for
    those of the mask unless the search weighs them.

    The table of the front has a row for each of its masks, the fewest features first; "chosen" is 1
    for the champion. "test_accuracy" is of the held-out clips, for figures only: to choose by it
    would be to choose on held-out labels.
    """
    limit_library_threads()
    clips = read_clips(store, SerialCommunicator(), fold_table)
    chosen, origin = read_selection(selection)
    if origin.fold is not None:
        check_fold(clips, origin.fold, store)
    if len(chosen.mask) != len(clips.names):
        msg = f"{selection}: {len(clips.names)} features expected, found {len(chosen.mask)}"
        raise MerecError(msg)
    if front is not None and chosen.front is None:
        msg = f"{selection}: a front expected for --front, found none: the search had one objective"
        raise MerecError(msg)
    write_rows(features, FeatureRow, describe_features(chosen, clips.names))
    scaling = parse_scaling(origin.scaling, str(selection))
    rows = describe_generations(chosen, clips, origin.fold, scaling)
    write_rows(generations, GenerationRow, rows)
    if front is not None:
        write_rows(front, FrontRow, describe_front(chosen, clips, origin.fold, scaling))

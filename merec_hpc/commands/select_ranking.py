"""Keep the features that a criterion ranks first."""

from typing import Annotated

import typer

from merec_hpc.commands.folds import training_folds
from merec_hpc.commands.options import (
    AnyHeldOut,
    FoldTable,
    Outputs,
    ScalingOption,
    Settings,
    StoreOrTable,
)
from merec_hpc.config import RANKING_NAMES, RankingSettings, from_json
from merec_hpc.errors import MerecError
from merec_hpc.parallel.threads import limit_library_threads
from merec_hpc.selection.filters import select_by_rank
from merec_hpc.selection.ranking import RANKINGS
from merec_hpc.store.selection import SelectionOrigin, write_selection


def run(
    store: StoreOrTable,
    ranking: Annotated[str, typer.Option(help=f"One of {', '.join(RANKING_NAMES)}.")],
    outputs: Outputs,
    settings: Settings = "{}",
    scaling: ScalingOption = "standard",
    held_out: AnyHeldOut = None,
    fold_table: FoldTable = None,
) -> None:
    """Keep the features that rank first on the training subjects; how many, the inner folds say."""
    if ranking not in RANKINGS:
        msg = f"--ranking: one of {', '.join(RANKING_NAMES)} expected, found '{ranking}'"
        raise MerecError(msg)
    limit_library_threads()
    parsed = from_json(RankingSettings, settings)
    for training in training_folds(
        store, held_out or [], outputs, scaling, parsed.n_inner_folds, fold_table=fold_table
    ):
        selection = select_by_rank(training.fitness, parsed, RANKINGS[ranking])
        origin = SelectionOrigin(ranking, training.fold, 0, settings, scaling)
        write_selection(training.output, selection, origin)

"""Keep the features that a criterion ranks first."""

from typing import Annotated

import typer

from merec_hpc.commands.options import (
    AnyHeldOut,
    FoldTable,
    Outputs,
    ScalingOption,
    Settings,
    StoreOrTable,
)
from merec_hpc.config.selection import RANKING_NAMES
from merec_hpc.errors import MerecError
from merec_hpc.selection.training_folds import write_selections


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
    if ranking not in RANKING_NAMES:
        msg = f"--ranking: one of {', '.join(RANKING_NAMES)} expected, found '{ranking}'"
        raise MerecError(msg)
    write_selections(ranking, store, held_out or [], outputs, settings, scaling, fold_table)

"""Search features one at a time."""

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
from merec_hpc.config.selection import RANKING_NAMES, SEARCHES
from merec_hpc.errors import MerecError
from merec_hpc.selection.training_folds import write_selections

_RANKED = "ranked_forward_"


def run(
    store: StoreOrTable,
    search: Annotated[
        str,
        typer.Option(help=f"One of {', '.join(SEARCHES)}, or {_RANKED} and a ranking's name."),
    ],
    outputs: Outputs,
    settings: Settings = "{}",
    scaling: ScalingOption = "standard",
    held_out: AnyHeldOut = None,
    fold_table: FoldTable = None,
) -> None:
    """Add or remove one feature at a time, on the training subjects of each fold.

    forward and backward take what the settings' criterion says is best; stable_sfs is forward by
    mean minus deviation of the inner folds, local_greedy by the worst of them; ranked_forward_NAME
    goes through a ranking and keeps what improves.
    """
    names = [*SEARCHES, *(_RANKED + name for name in RANKING_NAMES)]
    if search not in names:
        msg = f"--search: one of {', '.join(names)} expected, found '{search}'"
        raise MerecError(msg)
    write_selections(search, store, held_out or [], outputs, settings, scaling, fold_table)

"""Search features by an ant colony."""

from merec_hpc.commands.options import (
    AnyHeldOut,
    FoldTable,
    Outputs,
    ScalingOption,
    Settings,
    StoreOrTable,
)
from merec_hpc.selection.training_folds import write_selections


def run(
    store: StoreOrTable,
    outputs: Outputs,
    settings: Settings = "{}",
    scaling: ScalingOption = "standard",
    held_out: AnyHeldOut = None,
    fold_table: FoldTable = None,
) -> None:
    """Search features by the ant colony of paper 5 on the training subjects of each fold."""
    write_selections("ant_colony", store, held_out or [], outputs, settings, scaling, fold_table)

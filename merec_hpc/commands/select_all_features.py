"""Keep every feature and choose C."""

from merec_hpc.commands.options import (
    FoldTable,
    HeldOut,
    Outputs,
    ScalingOption,
    Settings,
    StoreOrTable,
)
from merec_hpc.selection.training_folds import write_selections


def run(
    store: StoreOrTable,
    held_out: HeldOut,
    outputs: Outputs,
    settings: Settings,
    scaling: ScalingOption,
    fold_table: FoldTable = None,
) -> None:
    """Keep every feature and choose C on the training subjects of each fold."""
    write_selections("all_features", store, held_out, outputs, settings, scaling, fold_table)

"""Search features by an ant colony."""

from merec_hpc.commands.folds import training_folds
from merec_hpc.commands.options import (
    AnyHeldOut,
    FoldTable,
    Outputs,
    ScalingOption,
    Settings,
    StoreOrTable,
)
from merec_hpc.config import AntColonySettings, from_json
from merec_hpc.parallel.threads import limit_library_threads
from merec_hpc.selection.selectors import select
from merec_hpc.store.selection import SelectionOrigin, write_selection


def run(
    store: StoreOrTable,
    outputs: Outputs,
    settings: Settings = "{}",
    scaling: ScalingOption = "standard",
    held_out: AnyHeldOut = None,
    fold_table: FoldTable = None,
) -> None:
    """Search features by the ant colony of paper 5 on the training subjects of each fold."""
    limit_library_threads()
    parsed = from_json(AntColonySettings, settings)
    for training in training_folds(
        store, held_out or [], outputs, scaling, parsed.n_inner_folds, fold_table=fold_table
    ):
        selection = select(training.fitness, "ant_colony", parsed)
        origin = SelectionOrigin("ant_colony", training.fold, parsed.seed, settings, scaling)
        write_selection(training.output, selection, origin)

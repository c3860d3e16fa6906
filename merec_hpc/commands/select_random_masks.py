"""Keep the best of random masks."""

from merec_hpc.commands.folds import training_folds
from merec_hpc.commands.options import (
    AnyHeldOut,
    FoldTable,
    Outputs,
    ScalingOption,
    Settings,
    StoreOrTable,
)
from merec_hpc.config import RandomMasksSettings, from_json
from merec_hpc.parallel.threads import limit_library_threads
from merec_hpc.selection.random_masks import select_random_masks
from merec_hpc.store.selection import SelectionOrigin, write_selection


def run(
    store: StoreOrTable,
    outputs: Outputs,
    settings: Settings = "{}",
    scaling: ScalingOption = "standard",
    held_out: AnyHeldOut = None,
    fold_table: FoldTable = None,
) -> None:
    """Draw masks at random and keep the best, on the training subjects of each fold."""
    limit_library_threads()
    parsed = from_json(RandomMasksSettings, settings)
    for training in training_folds(
        store, held_out or [], outputs, scaling, parsed.n_inner_folds, fold_table=fold_table
    ):
        origin = SelectionOrigin("random_masks", training.fold, parsed.seed, settings, scaling)
        write_selection(training.output, select_random_masks(training.fitness, parsed), origin)

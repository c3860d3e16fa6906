"""Keep every feature and choose C."""

from merec_hpc.commands.folds import training_folds
from merec_hpc.commands.options import FoldTable, HeldOut, Outputs, ScalingOption, Settings, Store
from merec_hpc.config import AllFeaturesSettings, from_json
from merec_hpc.parallel.threads import limit_library_threads
from merec_hpc.selection.all_features import select_all_features
from merec_hpc.store.selection import SelectionOrigin, write_selection


def run(
    store: Store,
    held_out: HeldOut,
    outputs: Outputs,
    settings: Settings,
    scaling: ScalingOption,
    fold_table: FoldTable = None,
) -> None:
    """Keep every feature and choose C on the training subjects of each fold."""
    limit_library_threads()
    parsed = from_json(AllFeaturesSettings, settings)
    for training in training_folds(
        store, held_out, outputs, scaling, parsed.n_inner_folds, fold_table=fold_table
    ):
        origin = SelectionOrigin("all_features", training.fold, 0, settings, scaling)
        write_selection(training.output, select_all_features(training.fitness, parsed), origin)

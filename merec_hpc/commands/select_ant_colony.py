"""Search features by an ant colony."""

from dataclasses import replace

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
from merec_hpc.selection.ant_colony import MaskFitness, search_with_ants
from merec_hpc.selection.classifier_fitness import ClassifierFitness
from merec_hpc.selection.ranking import anova_f, fisher_score
from merec_hpc.store.selection import SelectionOrigin, write_selection

_HEURISTICS = {"fisher": fisher_score, "anova_f": anova_f}


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
    is_plain = parsed.classifier == "linear_svm" and parsed.oversampling == "none"
    if parsed.classifier == "random_forest":  # which has no C
        parsed = replace(parsed, C_values=parsed.C_values[:1])
    for training in training_folds(
        store, held_out or [], outputs, scaling, parsed.n_inner_folds, fold_table=fold_table
    ):
        fitness: MaskFitness = training.fitness
        if not is_plain:
            fitness = ClassifierFitness(
                training.fitness, parsed.classifier, parsed.oversampling, parsed.seed
            )
        heuristic = _HEURISTICS[parsed.heuristic](
            training.fitness.features, training.fitness.folds.labels
        )
        selection = search_with_ants(fitness, heuristic, parsed, shows_progress=True)
        origin = SelectionOrigin("ant_colony", training.fold, parsed.seed, settings, scaling)
        write_selection(training.output, selection, origin)

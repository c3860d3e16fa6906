"""Turns the files of a sweep into a table of its variants, and of seeds that decide together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np

from merec_hpc.config.evaluation import Decider
from merec_hpc.config.whole import Config
from merec_hpc.evaluation.predictions import read_predictions
from merec_hpc.files.rows import Columns
from merec_hpc.report.scores import as_columns, score_columns, score_methods
from merec_hpc.runs.variants import Variant, ensembles_of, variants_of
from merec_hpc.selection.deciders import deciding
from merec_hpc.store.selection import read_selection


@dataclass(frozen=True)
class VariantRow:
    """One variant, scored over all folds, with 95 % intervals over subjects."""

    method: str
    network: str
    layer: str
    statistics: str
    criterion: str
    seed: str
    """Those of an ensemble are joined by ``+``."""
    decider: Decider
    n_clips: int
    scores: Annotated[Mapping[str, float], Columns(score_columns)]
    """Each metric, and the ends of its interval."""
    inner_fitness: float | None
    """Mean over folds, of training subjects; not known of an ensemble."""
    n_selected: float
    """Mean over folds; of an ensemble the features of any of its masks."""


def sweep_table(folder: Path, config: Config) -> list[VariantRow]:
    """Return one row for each variant, and one wherever seeds decide together.

    Parameters
    ----------
    folder
        Of the sweep, with ``predictions`` and ``selection``.
    """
    rows = [_row(folder, [variant], config) for variant in variants_of(config)]
    return rows + [_row(folder, variants, config) for variants in ensembles_of(config)]


def _row(folder: Path, variants: Sequence[Variant], config: Config) -> VariantRow:
    first = variants[0]
    decider: Decider = "champion" if len(variants) == 1 else "ensemble"
    name = first.path if decider == "champion" else first.ensemble_path
    predictions = read_predictions(folder / "predictions" / f"{name}.csv")
    (scored,) = score_methods(predictions, config.evaluation)
    n_selected, fitness = [], []
    for fold in dict.fromkeys(row.fold for row in predictions):
        chosen = [
            read_selection(folder / "selection" / variant.path / f"{fold}.h5")[0]
            for variant in variants
        ]
        n_selected.append(deciding(chosen, decider).masks.any(axis=0).sum())
        fitness.append(chosen[0].fitness)
    return VariantRow(
        method=scored.method,
        network=first.network,
        layer=first.layer,
        statistics=first.statistics,
        criterion=first.criterion,
        seed="+".join(str(variant.seed) for variant in variants),
        decider=decider,
        n_clips=len(predictions),
        scores=as_columns(scored.scores),
        inner_fitness=float(np.mean(fitness)) if decider == "champion" else None,
        n_selected=float(np.mean(n_selected)),
    )

"""Collect the scores of a sweep's variants in one table."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from merec_hpc.commands.options import Output
from merec_hpc.config import Config, from_json
from merec_hpc.evaluation.protocol import Prediction
from merec_hpc.report.scores import score_methods
from merec_hpc.store.selection import read_selection
from merec_hpc.sweep import variants_of
from merec_hpc.tables import read_rows, write_rows


@dataclass(frozen=True)
class VariantRow:
    """One variant, scored over all folds, with the 95 % interval of its UAR over subjects."""

    network: str
    layer: str
    statistics: str
    criterion: str
    seed: int
    n_clips: int
    accuracy: float
    UF1: float
    UAR: float
    UAR_low: float
    UAR_high: float
    inner_fitness: float
    """Mean over folds, of training subjects."""
    n_selected: float
    """Mean over folds."""


def run(
    folder: Annotated[Path, typer.Option(help="Folder of the sweep.")],
    settings: Annotated[str, typer.Option(help="The whole configuration, as JSON.")],
    output: Output,
) -> None:
    """Write one row for each variant."""
    config = from_json(Config, settings)
    rows = []
    for variant in variants_of(config):
        predictions = read_rows(folder / "predictions" / f"{variant.path}.csv", Prediction)
        (scored,) = score_methods(predictions, config.evaluation)
        chosen = [
            read_selection(folder / "selection" / variant.path / f"{fold}.h5")[0]
            for fold in dict.fromkeys(row.fold for row in predictions)
        ]
        UAR = scored.scores["UAR"]
        rows.append(
            VariantRow(
                **vars(variant),
                n_clips=len(predictions),
                accuracy=scored.scores["accuracy"].value,
                UF1=scored.scores["UF1"].value,
                UAR=UAR.value,
                UAR_low=UAR.interval.low,
                UAR_high=UAR.interval.high,
                inner_fitness=float(np.mean([selection.fitness for selection in chosen])),
                n_selected=float(np.mean([selection.mask.sum() for selection in chosen])),
            )
        )
    write_rows(output, VariantRow, rows)

"""Collect the predictions of all methods and folds, and the features they chose."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from merec_hpc.commands.options import Output, Store
from merec_hpc.config.evaluation import Method
from merec_hpc.config.scaling import parse_scaling
from merec_hpc.evaluation.predictions import Prediction, read_predictions
from merec_hpc.files.rows import write_rows
from merec_hpc.store.features import read_features
from merec_hpc.store.selection import read_selection


@dataclass(frozen=True)
class ChosenFeature:
    """One feature that a method chose in a fold."""

    method: str
    seed: int
    fold: str | None
    feature: str


def run(
    store: Store,
    evaluation: Annotated[list[Path], typer.Option(help="Predictions of a method; repeat it.")],
    selection: Annotated[list[Path], typer.Option(help="Selection of a fold; repeat it.")],
    output: Output,
    chosen_features: Annotated[Path, typer.Option(help="Table of chosen features to write.")],
) -> None:
    """Write one row per clip and method, and one per chosen feature.

    A method that keeps every feature, or weighs them by a rule, has no rows in the second table.
    """
    write_rows(output, Prediction, [row for path in evaluation for row in read_predictions(path)])
    features = read_features(store)
    names = features.names
    chosen: list[ChosenFeature] = []
    for path in selection:
        selected, origin = read_selection(path)
        if not selected.mask.all() and selected.rules is None:
            scaling = parse_scaling(origin.scaling, str(path))
            is_transductive = scaling.is_transductive or features.is_transductive
            method = str(Method(origin.method, is_transductive=is_transductive))
            chosen += [
                ChosenFeature(method, origin.seed, origin.fold, str(name))
                for name in names[selected.mask]
            ]
    write_rows(chosen_features, ChosenFeature, chosen)

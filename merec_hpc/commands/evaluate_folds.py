"""Predict the clips of held-out subjects."""

from pathlib import Path
from typing import Annotated

import typer

from merec_hpc.commands.folds import check_fold, check_scaling
from merec_hpc.commands.options import Output, Store
from merec_hpc.errors import MerecError
from merec_hpc.evaluation.protocol import CLASSIFIERS, Prediction, predict_held_out
from merec_hpc.parallel.threads import limit_library_threads
from merec_hpc.store.features import read_features
from merec_hpc.store.selection import read_selection
from merec_hpc.tables import write_rows


def run(
    store: Store,
    selection: Annotated[list[Path], typer.Option(help="Selection of a fold; repeat it.")],
    classifier: Annotated[str, typer.Option(help="Name of the classifier.")],
    output: Output,
) -> None:
    """Predict the clips of each fold's held-out subject, with what was selected without it."""
    if classifier not in CLASSIFIERS:
        msg = f"--classifier: one of {', '.join(CLASSIFIERS)} expected, found '{classifier}'"
        raise MerecError(msg)
    limit_library_threads()
    features = read_features(store)
    predictions: list[Prediction] = []
    for path in selection:
        chosen, origin = read_selection(path)
        check_fold(features, origin.fold, store)
        if len(chosen.mask) != len(features.names):
            msg = f"{path}: {len(features.names)} features expected, found {len(chosen.mask)}"
            raise MerecError(msg)
        scaling = check_scaling(origin.scaling)
        predicted = predict_held_out(features, origin.fold, chosen.mask, chosen.C, scaling)
        held_out = features.only(origin.fold)
        predictions += [
            Prediction(
                method=origin.method,
                classifier=classifier,
                seed=origin.seed,
                fold=origin.fold,
                subject=origin.fold,
                clip=str(clip),
                label=str(features.class_names[label]),
                predicted=str(features.class_names[found]),
            )
            for clip, label, found in zip(held_out.clips, held_out.labels, predicted, strict=True)
        ]
    write_rows(output, Prediction, predictions)

"""Predict the classes of clips."""

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from merec_hpc.commands.options import FoldTable, Output, StoreOrTable
from merec_hpc.config.evaluation import DECIDERS
from merec_hpc.config.scaling import parse_scaling
from merec_hpc.errors import MerecError
from merec_hpc.evaluation.predictor import Machines, decisions_of, fit_machines
from merec_hpc.evaluation.rule_machines import RuleMachines
from merec_hpc.files.rows import write_rows
from merec_hpc.parallel.communicator import SerialCommunicator
from merec_hpc.parallel.threads import limit_library_threads
from merec_hpc.records import Features
from merec_hpc.selection.training_folds import check_fold, check_together, read_clips
from merec_hpc.store.predictors import read_predictor, write_predictor
from merec_hpc.store.selection import read_selection

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class PredictedClip:
    """One clip, and what speaks for the class that it is given."""

    clip: str
    predicted: str
    decision: float
    """Decision value of that class, or its share of the votes."""


def run(
    store: StoreOrTable,
    output: Output,
    selection: Annotated[
        list[Path] | None,
        typer.Option(help="Selection made on these features; repeat it for an ensemble of seeds."),
    ] = None,
    decider: Annotated[str, typer.Option(help=f"One of {', '.join(DECIDERS)}.")] = "champion",
    save_predictor: Annotated[
        Path | None, typer.Option(help="Keep the trained predictor here, for other clips.")
    ] = None,
    predictor: Annotated[
        Path | None, typer.Option(help="A kept predictor, in place of selections.")
    ] = None,
    fold_table: FoldTable = None,
) -> None:
    """Predict clips with what a selector has chosen.

    With selections: they are trained on the store's clips, without the subject that they held
    out, and this subject's clips are predicted, or all if nobody was held out. With a kept
    predictor: all clips of the store, which may be of other people. Under a transductive scaling
    each subject's predicted clips are calibrated by themselves, and no predictor can be kept. Of
    transductive features one can: a store of other people's has read all of their clips as well.
    """
    limit_library_threads()
    features = read_clips(store, SerialCommunicator(), fold_table)
    if features.is_transductive:
        log.warning("%s: transductive features: each has read all clips of its subject", store)
    if (predictor is None) == (not selection):
        msg = "either --selection or --predictor expected, found both or none"
        raise MerecError(msg)
    if predictor is not None:
        wanted, kept = features, read_predictor(predictor)
        if wanted.names.tolist() != kept.feature_names.tolist():
            msg = f"{store}: the {len(kept.feature_names)} features of the predictor expected, found others"
            raise MerecError(msg)
        decisions, class_names = decisions_of(kept, wanted.values), kept.class_names
    else:
        fitted, wanted = _fit(features, selection or [], decider, store, save_predictor)
        if save_predictor is not None:
            write_predictor(save_predictor, fitted.as_predictor(), decider)
        decisions, class_names = fitted.decisions(wanted), fitted.class_names
    best = decisions.argmax(axis=1)
    rows = [
        PredictedClip(str(clip), str(class_names[place]), float(row[place]))
        for clip, place, row in zip(wanted.clips, best, decisions, strict=True)
    ]
    write_rows(output, PredictedClip, rows)


def _fit(
    features: Features, paths: list[Path], decider: str, store: Path, kept: Path | None
) -> tuple[Machines | RuleMachines, Features]:
    """Return the machines of some selections, and the clips that they have not seen."""
    if decider not in DECIDERS:
        msg = f"--decider: one of {', '.join(DECIDERS)} expected, found '{decider}'"
        raise MerecError(msg)
    read = [read_selection(path) for path in paths]
    check_together([(path, origin) for path, (_, origin) in zip(paths, read, strict=True)])
    origin = read[0][1]
    scaling = parse_scaling(origin.scaling, str(paths[0]))
    if kept is not None and scaling.is_transductive:
        msg = f"--save-predictor {kept}: selections of scaling none or standard expected, found "
        msg += f"{scaling.text}, which a predictor without the training clips cannot apply"
        raise MerecError(msg)
    training, unseen = features, features
    if origin.fold is not None:
        check_fold(features, origin.fold, store)
        training, unseen = features.without(origin.fold), features.only(origin.fold)
    try:
        fitted = fit_machines(training, [chosen for chosen, _ in read], decider, scaling)
    except ValueError as error:
        msg = f"{store}: {error}"
        raise MerecError(msg) from None
    if kept is not None and isinstance(fitted, RuleMachines) and fitted.fitted.is_transductive:
        msg = f"--save-predictor {kept}: rules of kappa 0 expected, as of rule_inductive, found "
        msg += "some that are transductive: a kept predictor knows nobody's other clips"
        raise MerecError(msg)
    return fitted, unseen

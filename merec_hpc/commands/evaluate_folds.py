"""Predict the clips of held-out subjects."""

import logging
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, cast, get_args

import typer

from merec_hpc.commands.options import FoldTable, Output, StoreOrTable
from merec_hpc.config.base import ClassifierName, Oversampling
from merec_hpc.config.evaluation import DECIDERS, Decider, Method
from merec_hpc.config.scaling import ScalingSettings, parse_scaling
from merec_hpc.errors import MerecError
from merec_hpc.evaluation.held_out import decider_decisions, held_out_decisions
from merec_hpc.evaluation.predictions import Prediction, predictions_of
from merec_hpc.files.rows import write_rows
from merec_hpc.parallel.communicator import SerialCommunicator
from merec_hpc.parallel.threads import limit_library_threads
from merec_hpc.records import DecidingRules, Features, Selection
from merec_hpc.selection.deciders import deciding_rules
from merec_hpc.selection.training_folds import check_fold, check_together, read_clips
from merec_hpc.store.selection import SelectionOrigin, read_selection

log = logging.getLogger(__name__)


def run(
    store: StoreOrTable,
    selection: Annotated[list[Path], typer.Option(help="Selection of a fold; repeat it.")],
    output: Output,
    classifier: Annotated[str, typer.Option(help="linear_svm or random_forest.")] = "linear_svm",
    oversampling: Annotated[str, typer.Option(help="none or smote.")] = "none",
    decider: Annotated[str, typer.Option(help=f"One of {', '.join(DECIDERS)}.")] = "champion",
    fold_table: FoldTable = None,
) -> None:
    """Predict the clips of each fold's held-out subject, with what was selected without it.

    A decider other than the champion mask is part of the method's name, as in genetic+ensemble; and
    so are transductive features, or a transductive scaling or rule, as in "genetic (transductive)":
    they read all of a held-out subject's clips, without their labels.
    Several selections of a fold, of different seeds, make one ensemble, of the first one's seed.
    """
    for option, found, known in (
        ("--classifier", classifier, get_args(ClassifierName)),
        ("--oversampling", oversampling, get_args(Oversampling)),
        ("--decider", decider, DECIDERS),
    ):
        if found not in known:
            msg = f"{option}: one of {', '.join(known)} expected, found '{found}'"
            raise MerecError(msg)
    if decider != "champion" and (classifier, oversampling) != ("linear_svm", "none"):
        msg = f"--decider {decider}: linear_svm without oversampling expected, found another"
        raise MerecError(msg)
    kind = cast("Decider", decider)
    limit_library_threads()
    features = read_clips(store, SerialCommunicator(), fold_table)
    predictions: list[Prediction] = []
    for fold, origin, scaling, together in _by_fold(selection, features, store, decider):
        chosen, rules = together[0], _rules(together, kind, selection[0])
        if rules is not None and (classifier, oversampling) != ("linear_svm", "none"):
            msg = f"{selection[0]}: linear_svm without oversampling expected, since rules decide"
            raise MerecError(msg)
        if decider == "champion" and rules is None:
            decisions = held_out_decisions(
                features,
                fold,
                chosen.mask,
                chosen.C,
                scaling,
                cast("ClassifierName", classifier),
                cast("Oversampling", oversampling),
                origin.seed,
                bias=chosen.bias,
                weights=chosen.weights,
            )
        else:
            decisions = decider_decisions(features, fold, together, kind, scaling)
        if scaling.is_transductive:
            _warn_of_few(features, fold, scaling.min_clips)
        if rules is not None and rules.is_transductive:
            _warn_of_few(features, fold, rules.min_clips)
        is_transductive = (
            features.is_transductive
            or scaling.is_transductive
            or (rules is not None and rules.is_transductive)
        )
        method = str(Method(origin.method, kind, is_transductive))
        predictions += predictions_of(features, fold, decisions, method, classifier, origin.seed)
    write_rows(output, Prediction, predictions)


def _rules(selections: list[Selection], decider: Decider, path: Path) -> DecidingRules | None:
    try:
        return deciding_rules(selections, decider)
    except ValueError as error:
        msg = f"{path}: {error}"
        raise MerecError(msg) from None


def _warn_of_few(features: Features, fold: str, min_clips: int) -> None:
    """Say of whom a transductive scaling sees too few clips."""
    for subject, count in Counter(features.only(fold).subjects.tolist()).items():
        if count < min_clips:
            log.warning(
                "%s is not calibrated: %d clips, at least %d expected", subject, count, min_clips
            )


def _by_fold(
    paths: list[Path], features: Features, store: Path, decider: str
) -> Iterator[tuple[str, SelectionOrigin, ScalingSettings, list[Selection]]]:
    """Yield each fold, where the first of its selections is from, its scaling, and them all."""
    folds: dict[str, list[tuple[Path, SelectionOrigin]]] = {}
    for path in paths:
        chosen, origin = read_selection(path)
        fold = check_fold(features, origin.fold, store)
        if len(chosen.mask) != len(features.names):
            msg = f"{path}: {len(features.names)} features expected, found {len(chosen.mask)}"
            raise MerecError(msg)
        folds.setdefault(fold, []).append((path, origin))
    for fold, found in folds.items():
        if decider != "ensemble" and len(found) > 1:
            msg = f"{found[1][0]}: one selection of fold '{fold}' expected for {decider}, "
            msg += f"found {len(found)}"
            raise MerecError(msg)
        check_together(found)
    # Read again, fold by fold: hundreds of masks each need not all be in memory.
    for fold, found in folds.items():
        first, origin = found[0]
        scaling = parse_scaling(origin.scaling, str(first))
        yield fold, origin, scaling, [read_selection(path)[0] for path, _ in found]

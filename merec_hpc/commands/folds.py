"""Hands each fold's training clips, and nothing else, to a selector."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal, cast

from merec_hpc.arrays import Features
from merec_hpc.errors import MerecError
from merec_hpc.learning.scaling import Scaling
from merec_hpc.publishing import make_folder
from merec_hpc.selection.fitness import SubjectFoldFitness
from merec_hpc.store.features import read_features

ScalingKind = Literal["none", "standard"]


def check_scaling(scaling: str) -> ScalingKind:
    """Return the kind of scaling, or raise a ``MerecError``."""
    if scaling not in {"none", "standard"}:
        msg = f"--scaling: 'none' or 'standard' expected, found '{scaling}'"
        raise MerecError(msg)
    return cast("ScalingKind", scaling)


def check_fold(features: Features, fold: str, store: Path) -> None:
    """Raise a ``MerecError`` if there is no subject to hold out."""
    if fold not in features.subjects:
        known = ", ".join(dict.fromkeys(features.subjects.tolist()))
        msg = f"{store}: subject '{fold}' expected, found {known}"
        raise MerecError(msg)


def training_folds(
    store: Path, folds: Sequence[str], outputs: Sequence[Path], scaling: str
) -> Iterator[tuple[str, SubjectFoldFitness, Path]]:
    """Yield each fold's name, the fitness of its training clips, and its output.

    Raises
    ------
    MerecError
        If there is not one output per fold, or a fold's training clips cannot be scored.
    """
    kind = check_scaling(scaling)
    if len(folds) != len(outputs):
        msg = f"one --output per --held-out expected, found {len(outputs)} for {len(folds)}"
        raise MerecError(msg)
    for output in outputs:  # now rather than after the search
        make_folder(output.parent)
    features = read_features(store)
    for fold, output in zip(folds, outputs, strict=True):
        check_fold(features, fold, store)
        training = features.without(fold)
        scaled = Scaling.fit(training.values, kind).apply(training.values)
        try:
            fitness = SubjectFoldFitness(scaled, training.labels, training.subjects)
        except ValueError as error:
            msg = f"{store}: without subject '{fold}': {error}"
            raise MerecError(msg) from None
        yield fold, fitness, output

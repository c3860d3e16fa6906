"""Hands each fold's training clips, and nothing else, to a selector."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import cast

import numpy as np
from numpy.typing import NDArray

from merec_hpc import config
from merec_hpc.arrays import Features
from merec_hpc.errors import MerecError
from merec_hpc.learning.scaling import Scaling
from merec_hpc.parallel.communicator import Communicator, SerialCommunicator
from merec_hpc.publishing import make_folder
from merec_hpc.selection.fitness import SubjectFoldFitness
from merec_hpc.store.features import read_features
from merec_hpc.store.table import SUFFIXES, read_table


def check_scaling(scaling: str) -> config.Scaling:
    """Return the kind of scaling, or raise a ``MerecError``."""
    if scaling not in {"none", "standard"}:
        msg = f"--scaling: 'none' or 'standard' expected, found '{scaling}'"
        raise MerecError(msg)
    return cast("config.Scaling", scaling)


def check_fold(features: Features, fold: str, store: Path) -> None:
    """Raise a ``MerecError`` if there is no subject to hold out."""
    if fold not in features.subjects:
        known = ", ".join(dict.fromkeys(features.subjects.tolist()))
        msg = f"{store}: subject '{fold}' expected, found {known}"
        raise MerecError(msg)


def read_clips(store: Path, comm: Communicator) -> Features:
    """Read a feature store, or a table of features, labels and groups."""
    if store.suffix in SUFFIXES:
        table = read_table(store)
        return replace(table, values=comm.shared(lambda: table.values))
    return read_features(store, comm.shared)


@dataclass(frozen=True)
class TrainingFold:
    """What a selector gets to see of one fold."""

    fold: str
    """The subject that is held out; empty if nobody is."""
    fitness: SubjectFoldFitness
    output: Path
    digest: str
    """SHA-256 of the training clips."""


def training_folds(
    store: Path,
    folds: Sequence[str],
    outputs: Sequence[Path],
    scaling: str,
    n_inner_folds: int | None = None,
    comm: Communicator | None = None,
) -> Iterator[TrainingFold]:
    """Yield each fold's training clips; without folds, all clips at once.

    Raises
    ------
    MerecError
        If there is not one output per fold, or a fold's training clips cannot be scored.
    """
    group = comm or SerialCommunicator()
    kind = check_scaling(scaling)
    wanted = list(folds) or [""]
    if len(wanted) != len(outputs):
        msg = f"one --output per --held-out expected, found {len(outputs)} for {len(folds)}"
        raise MerecError(msg)
    for output in outputs:  # now rather than after the search
        make_folder(output.parent)
    features = read_clips(store, group)
    for fold, output in zip(wanted, outputs, strict=True):
        if folds:
            check_fold(features, fold, store)
        training = features.subjects != fold if folds else np.ones(len(features.labels), np.bool_)
        labels, subjects = features.labels[training], features.subjects[training]
        scaled = group.shared(partial(_scale, features, training, kind))
        digest = hashlib.sha256(repr(scaled.shape).encode())
        for array in (scaled, labels, subjects):
            digest.update(np.ascontiguousarray(array).tobytes())
        try:
            fitness = SubjectFoldFitness(
                scaled, labels, subjects, n_folds=n_inner_folds, share=group.shared
            )
        except ValueError as error:
            without = f"without subject '{fold}': " if fold else ""
            msg = f"{store}: {without}{error}"
            raise MerecError(msg) from None
        yield TrainingFold(fold, fitness, output, digest.hexdigest())
        del fitness, scaled
        group.release(n_kept=1)  # the features
    group.release()


def _scale(
    features: Features, training: NDArray[np.bool_], kind: config.Scaling
) -> NDArray[np.float64]:
    values = features.values[training]
    return Scaling.fit(values, kind).apply(values)

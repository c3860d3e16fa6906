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
from merec_hpc.config import from_json
from merec_hpc.errors import MerecError
from merec_hpc.evaluation.folds import FoldSubject
from merec_hpc.learning.scaling import Scaling
from merec_hpc.parallel.communicator import Communicator, SerialCommunicator
from merec_hpc.parallel.threads import limit_library_threads
from merec_hpc.publishing import make_folder
from merec_hpc.selection.fitness import SubjectFoldFitness
from merec_hpc.selection.selectors import select, settings_kind
from merec_hpc.store.features import read_features
from merec_hpc.store.selection import SelectionOrigin, write_selection
from merec_hpc.store.table import SUFFIXES, read_table
from merec_hpc.tables import read_rows


def check_scaling(scaling: str) -> config.Scaling:
    """Return the kind of scaling, or raise a ``MerecError``."""
    if scaling not in {"none", "standard"}:
        msg = f"--scaling: 'none' or 'standard' expected, found '{scaling}'"
        raise MerecError(msg)
    return cast("config.Scaling", scaling)


def check_fold(features: Features, fold: str, store: Path) -> None:
    """Raise a ``MerecError`` if there is nothing to hold out."""
    if not fold or fold not in features.held_out_by:
        known = ", ".join(filter(None, dict.fromkeys(features.held_out_by.tolist())))
        what = "subject" if features.folds is None else "fold"
        msg = f"{store}: {what} '{fold}' expected, found {known}"
        raise MerecError(msg)


def check_together(selections: Sequence[tuple[Path, SelectionOrigin]]) -> None:
    """Raise a ``MerecError`` unless selections differ in their seed, and in nothing else."""
    first = selections[0][1]
    seeds: set[int] = set()
    for path, origin in selections:
        expected = (first.method, first.fold, first.scaling)
        found = (origin.method, origin.fold, origin.scaling)
        if found != expected:
            by, fold, scaling = expected
            msg = f"{path}: a selection by {by} without '{fold}', scaling {scaling}, expected, "
            msg += f"found {found[0]}, '{found[1]}', {found[2]}"
            raise MerecError(msg)
        if origin.seed in seeds:
            msg = f"{path}: a selection of another seed expected, found {origin.seed} again"
            raise MerecError(msg)
        seeds.add(origin.seed)


def read_clips(store: Path, comm: Communicator, fold_table: Path | None = None) -> Features:
    """Read a feature store, or a table of features, labels and groups; and who is held out when."""
    if store.suffix in SUFFIXES:
        table = read_table(store)
        features = replace(table, values=comm.shared(lambda: table.values))
    else:
        features = read_features(store, comm.shared)
    if fold_table is None:
        return features
    fold_of = {row.subject: row.fold for row in read_rows(fold_table, FoldSubject)}
    folds = [fold_of.get(str(subject), "") for subject in features.subjects]
    return replace(features, folds=np.array(folds, np.str_))


@dataclass(frozen=True)
class TrainingFold:
    """What a selector gets to see of one fold."""

    fold: str
    """The subject or fold that is held out; empty if nobody is."""
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
    fold_table: Path | None = None,
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
    features = read_clips(store, group, fold_table)
    for fold, output in zip(wanted, outputs, strict=True):
        if folds:
            check_fold(features, fold, store)
        training = (
            features.held_out_by != fold if folds else np.ones(len(features.labels), np.bool_)
        )
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
            what = "subject" if features.folds is None else "fold"
            without = f"without {what} '{fold}': " if fold else ""
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


def write_selections(
    selector: str,
    store: Path,
    folds: Sequence[str],
    outputs: Sequence[Path],
    settings: str,
    scaling: str,
    fold_table: Path | None,
) -> None:
    """Select by the selector of a name on the training clips of each fold, in this process.

    Raises
    ------
    MerecError
        As ``training_folds``, or if the settings are not that selector's.
    """
    limit_library_threads()
    parsed = from_json(settings_kind(selector), settings)
    seed = int(getattr(parsed, "seed", 0))
    for training in training_folds(
        store, folds, outputs, scaling, parsed.n_inner_folds, fold_table=fold_table
    ):
        selection = select(training.fitness, selector, parsed, shows_progress=True)
        origin = SelectionOrigin(selector, training.fold, seed, settings, scaling)
        write_selection(training.output, selection, origin)

"""Hands each fold's training clips, and nothing else, to a selector."""

import hashlib
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from operator import call
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from merec_hpc.config.base import from_json
from merec_hpc.config.scaling import ScalingSettings, parse_scaling
from merec_hpc.config.selection import AnySettings, InnerSettings, RuleSettings
from merec_hpc.dataset.folds import FoldMember
from merec_hpc.errors import MerecError
from merec_hpc.files.atomic import check_file, make_folder
from merec_hpc.files.rows import read_rows
from merec_hpc.learning.ranges import wild_range
from merec_hpc.learning.scaling import Scaling
from merec_hpc.parallel.communicator import Communicator, SerialCommunicator
from merec_hpc.parallel.threads import limit_library_threads
from merec_hpc.records import Features
from merec_hpc.selection.fitness.grouped import grouped
from merec_hpc.selection.fitness.inner_fitness import InnerFitness
from merec_hpc.selection.fitness.inner_problem import Share
from merec_hpc.selection.fitness.unit_fitness import find_genome, fitness_of
from merec_hpc.selection.selectors import check_unit, find_selector, select
from merec_hpc.store.features import read_features
from merec_hpc.store.selection import SelectionOrigin, write_selection
from merec_hpc.store.table import SUFFIXES, read_table

log = logging.getLogger(__name__)


def check_fold(features: Features, fold: str | None, store: Path) -> str:
    """Return the fold, or raise a ``MerecError`` if it holds nobody out."""
    if not fold or fold not in features.held_out_by:
        known = ", ".join(filter(None, dict.fromkeys(features.held_out_by.tolist())))
        what = "subject" if features.folds is None else "fold"
        msg = f"{store}: {what} '{fold or ''}' expected, found {known}"
        raise MerecError(msg)
    return fold


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
    fold_of = {row.subject: row.fold for row in read_rows(fold_table, FoldMember)}
    folds = [fold_of.get(str(subject), "") for subject in features.subjects]
    return replace(features, folds=np.array(folds, np.str_))


@dataclass(frozen=True)
class TrainingFold:
    """What a selector gets to see of one fold."""

    fold: str | None
    """The subject or fold that is held out; ``None`` if nobody is."""
    fitness: InnerFitness
    output: Path
    digest: str
    """SHA-256 of the training clips."""


def training_folds(
    store: Path,
    folds: Sequence[str],
    outputs: Sequence[Path],
    scaling: ScalingSettings,
    inner: AnySettings | None = None,
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
    wanted: list[str | None] = [*folds] or [None]
    if len(wanted) != len(outputs):
        msg = f"one --output per --held-out expected, found {len(outputs)} for {len(folds)}"
        raise MerecError(msg)
    for what, named in (("--output", [*map(str, outputs)]), ("--held-out", [*folds])):
        twice = [name for name in named if named.count(name) > 1]
        if twice:
            msg = f"{what}: each once expected, found {twice[0]} again"
            raise MerecError(msg)
    for output in outputs:  # now rather than after the search
        make_folder(output.parent)
        check_file(output)
    features = read_clips(store, group, fold_table)
    for fold, output in zip(wanted, outputs, strict=True):
        if fold is not None:
            check_fold(features, fold, store)
        try:
            fitness, digest = fold_fitness(features, fold, scaling, inner, group.shared)
        except ValueError as error:
            what = "subject" if features.folds is None else "fold"
            without = "" if fold is None else f"without {what} '{fold}': "
            msg = f"{store}: {without}{error}"
            raise MerecError(msg) from None
        if scaling.kind == "none" and group.rank == 0 and output == outputs[0]:  # once a run
            note = wild_range(fitness.features, "--scaling standard")
            if note is not None:
                log.warning("%s: %s", store, note)
        yield TrainingFold(fold, fitness, output, digest)
        del fitness
        group.release(n_kept=1)  # the features
    group.release()


def fold_fitness(
    features: Features,
    fold: str | None,
    scaling: ScalingSettings,
    inner: AnySettings | None = None,
    share: Share = call,
) -> tuple[InnerFitness, str]:
    """Return what scores masks on the clips that a fold does not hold out, and their SHA-256.

    The only way from clips to a selector: whatever it sees comes from ``Features.without``.

    Parameters
    ----------
    fold
        ``None`` holds nobody out.
    scaling
        Learnt on these clips, and no others; on all of them, those of every inner fold too.
    inner
        Which inner folds there are, and the penalty; without it, and for rules, which have their
        own, as ``InnerSettings`` has them.
    share
        Returns what its argument makes, once for all processes of a node.

    Raises
    ------
    ValueError
        If these clips cannot be scored.
    MerecError
        If the features have no such groups as ``inner`` asks for.
    """

    def seen(clips: Features) -> Features:
        return clips if fold is None else clips.without(fold)

    def scaled() -> NDArray[np.float64]:
        clips = seen(features)
        return Scaling.learn(clips, scaling).apply(clips)

    known = seen(replace(features, values=features.values[:, :0]))  # without a copy of the values
    values = share(scaled)
    digest = hashlib.sha256(repr(values.shape).encode())
    asked = inner if isinstance(inner, InnerSettings) else InnerSettings()
    genome = find_genome(known, asked)
    arrays = [values, known.labels, known.subjects]
    for array in arrays if genome is None else [*arrays, genome.group_of]:
        digest.update(np.ascontiguousarray(array).tobytes())
    clips = values, known.labels, known.subjects
    fitness = fitness_of(clips, genome, asked, share, features.weights)
    return grouped(fitness, asked), digest.hexdigest()


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
        As ``training_folds``, or if there is no such selector, or the settings are not its.
    """
    limit_library_threads()
    parsed = from_json(find_selector(selector).settings, settings)
    check_unit(selector, parsed)
    learnt = parse_scaling(scaling)
    if isinstance(parsed, RuleSettings) and learnt.is_transductive:
        msg = f"--scaling: none or standard expected for {selector}, which calibrates by itself, "
        msg += f"found {learnt.text}"
        raise MerecError(msg)
    seed = int(getattr(parsed, "seed", 0))
    for training in training_folds(store, folds, outputs, learnt, parsed, fold_table=fold_table):
        selection = select(training.fitness, selector, parsed, shows_progress=True)
        origin = SelectionOrigin(selector, training.fold, seed, settings, learnt.text)
        write_selection(training.output, selection, origin)

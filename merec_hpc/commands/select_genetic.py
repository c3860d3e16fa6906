"""Search features by the genetic algorithm."""

import hashlib
import logging
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated

import typer

import merec_hpc
from merec_hpc import __version__
from merec_hpc.commands.options import (
    AnyHeldOut,
    FoldTable,
    Outputs,
    ScalingOption,
    Settings,
    StoreOrTable,
)
from merec_hpc.config.base import from_json
from merec_hpc.config.scaling import parse_scaling
from merec_hpc.config.selection import GeneticSettings, bias_text
from merec_hpc.files.running import marked_running
from merec_hpc.parallel.memory import peak_memory_mb
from merec_hpc.parallel.mpi import connect
from merec_hpc.parallel.signals import noted_signals
from merec_hpc.parallel.threads import limit_library_threads
from merec_hpc.selection.fitness.genome import in_features
from merec_hpc.selection.fitness.inner_fitness import Fitness
from merec_hpc.selection.fitness.subject_folds import compile_kernels
from merec_hpc.selection.genetic.archipelago import evolve
from merec_hpc.selection.training_folds import training_folds
from merec_hpc.store.checkpoint import Checkpoints, search_key
from merec_hpc.store.selection import SelectionOrigin, write_selection

log = logging.getLogger(__name__)


def run(
    store: StoreOrTable,
    outputs: Outputs,
    settings: Settings = "{}",
    scaling: ScalingOption = "standard",
    held_out: AnyHeldOut = None,
    fold_table: FoldTable = None,
    ranks: Annotated[int, typer.Option(min=1, help="Number of MPI ranks that must be there.")] = 1,
    checkpoint_every: Annotated[
        int, typer.Option(min=1, help="Generations between two checkpoints.")
    ] = 5,
    keep_checkpoint: Annotated[
        bool,
        typer.Option(
            "--keep-checkpoint",
            help="Keep the last checkpoint, so that a lost output is written again in seconds.",
        ),
    ] = False,
    device: Annotated[
        str | None,
        typer.Option(
            help="Score masks on a device of torch: cuda, cuda:1 or cpu; the same result."
        ),
    ] = None,
) -> None:
    """Search features by the genetic algorithm on the training subjects of each fold.

    Several ranks: mpiexec -n N python -m mpi4py -m merec_hpc select-genetic ... --ranks N.

    SIGTERM and SIGUSR1 end the search after the present generation, with status 75; started
    again it goes on from there, as it does after any other end from the last checkpoint.
    """
    comm = connect(ranks)
    limit_library_threads()
    parsed = from_json(GeneticSettings, settings)
    learnt = parse_scaling(scaling)
    if comm.rank == 0:
        log.info("merec_hpc %s, %d ranks, %s", __version__, comm.size, parsed)
    compile_kernels(comm.rank)
    comm.allgather(None)
    program = f"{__version__} {_digest_of_sources()}"
    done: list[Checkpoints] = []
    folds = training_folds(store, held_out or [], outputs, learnt, parsed, comm, fold_table)
    with noted_signals() as stop:
        for training in folds:
            key = search_key(program, parsed, training.digest)
            scored: Fitness = training.fitness
            if device is not None:
                from merec_hpc.selection.fitness.on_device import moved  # noqa: PLC0415  # torch

                scored = moved(training.fitness, device)
            path = training.output.with_name(training.output.name + ".checkpoint")
            checkpoints = Checkpoints(path, key, checkpoint_every)
            # Rank 0 speaks for all: without it nobody goes on.
            with marked_running(training.output) if comm.rank == 0 else nullcontext():
                selection = in_features(
                    training.fitness.genome, evolve(scored, parsed, comm, checkpoints, stop)
                )
            if comm.rank == 0:
                log.info(
                    "fold %s: %d of %d features, C = %g, bias %s, fitness %.4f of generation %d",
                    training.fold,
                    selection.mask.sum(),
                    len(selection.mask),
                    selection.C,
                    bias_text(selection.bias),
                    selection.fitness,
                    selection.generation,
                )
                origin = SelectionOrigin(
                    "genetic", training.fold, parsed.seed, settings, learnt.text
                )
                write_selection(training.output, selection, origin)
            done.append(checkpoints)
    peaks = comm.allgather(peak_memory_mb())
    if comm.rank == 0:
        log.info("peak memory of a rank: %.0f to %.0f MB", min(peaks), max(peaks))
    if comm.rank == 0 and not keep_checkpoint:
        for checkpoints in done:  # not before: the folds of an interrupted launch are kept
            checkpoints.remove()


def _digest_of_sources() -> str:
    """Return a digest of the code of the search: another code starts afresh."""
    digest = hashlib.sha256()
    for package in ("kernels", "selection"):
        for source in sorted(Path(merec_hpc.__file__).parent.joinpath(package).rglob("*.py")):
            digest.update(source.read_bytes())
    return digest.hexdigest()

"""Search features by the genetic algorithm."""

import logging
from typing import Annotated

import typer

from merec_hpc import __version__
from merec_hpc.commands.folds import training_folds
from merec_hpc.commands.options import HeldOut, Outputs, ScalingOption, Settings, Store
from merec_hpc.config import GeneticSettings, from_json
from merec_hpc.parallel.mpi import connect
from merec_hpc.parallel.threads import limit_library_threads
from merec_hpc.selection.genetic.archipelago import evolve
from merec_hpc.store.selection import SelectionOrigin, write_selection

log = logging.getLogger(__name__)


def run(
    store: Store,
    held_out: HeldOut,
    outputs: Outputs,
    settings: Settings,
    scaling: ScalingOption,
    ranks: Annotated[int, typer.Option(min=1, help="Number of MPI ranks that must be there.")] = 1,
) -> None:
    """Search features by the genetic algorithm on the training subjects of each fold.

    Several ranks: mpiexec -n N python -m mpi4py -m merec_hpc select-genetic ... --ranks N.
    """
    comm = connect(ranks)
    limit_library_threads()
    parsed = from_json(GeneticSettings, settings)
    if comm.rank == 0:
        log.info("merec_hpc %s, %d ranks, %s", __version__, comm.size, parsed)
    for fold, fitness, output in training_folds(store, held_out, outputs, scaling):
        selection = evolve(fitness, parsed, comm)
        if comm.rank == 0:
            log.info(
                "fold %s: %d of %d features, C = %g, fitness %.4f of generation %d",
                fold,
                selection.mask.sum(),
                len(selection.mask),
                selection.C,
                selection.fitness,
                selection.generation,
            )
            origin = SelectionOrigin("genetic", fold, parsed.seed, settings, scaling)
            write_selection(output, selection, origin)

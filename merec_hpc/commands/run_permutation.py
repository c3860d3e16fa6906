"""Select and evaluate on permuted labels."""

from dataclasses import replace
from typing import Annotated

import typer

from merec_hpc.commands.options import FoldTable, Output, ScalingOption, Settings, StoreOrTable
from merec_hpc.config.base import from_json
from merec_hpc.config.evaluation import Method
from merec_hpc.config.scaling import parse_scaling
from merec_hpc.errors import MerecError
from merec_hpc.evaluation.permutation import PermutedRun, permuted, run_on
from merec_hpc.files.rows import write_rows
from merec_hpc.parallel.communicator import SerialCommunicator
from merec_hpc.parallel.threads import limit_library_threads
from merec_hpc.progress import track
from merec_hpc.selection.selectors import find_selector
from merec_hpc.selection.training_folds import read_clips


def run(
    store: StoreOrTable,
    method: Annotated[str, typer.Option(help="A selector, or one and a decider.")],
    permutation: Annotated[
        list[int], typer.Option(min=0, help="Number of a permutation, 0 for none; repeat it.")
    ],
    output: Output,
    settings: Settings = "{}",
    scaling: ScalingOption = "standard",
    seed: Annotated[int, typer.Option(min=0, help="Seed of all permutations.")] = 0,
    fold_table: FoldTable = None,
) -> None:
    """Run a method on labels permuted within subjects: selection and evaluation of all folds."""
    limit_library_threads()
    try:
        wanted = Method.wanted(method)
    except ValueError as error:
        msg = f"--method: {error}"
        raise MerecError(msg) from None
    learnt = parse_scaling(scaling)
    parsed = from_json(find_selector(wanted.selector).settings, settings)
    features = read_clips(store, SerialCommunicator(), fold_table)
    rows = []
    for number in track(permutation, "permutations", len(permutation)):
        try:
            found, _ = run_on(
                permuted(features, number, seed),
                wanted,
                parsed,
                learnt,
            )
        except ValueError as error:
            msg = f"{store}, permutation {number}: {error}"
            raise MerecError(msg) from None
        rows.append(replace(found, permutation=number))
    write_rows(output, PermutedRun, rows)

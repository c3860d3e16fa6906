"""Predict with each block of features alone, and count how much of each mask lies in it."""

from pathlib import Path
from typing import Annotated

import typer

from merec_hpc.commands.options import FoldTable, HeldOut, Output, ScalingOption, Settings, Store
from merec_hpc.config.base import from_json
from merec_hpc.config.evaluation import TRANSDUCTIVE
from merec_hpc.config.scaling import parse_scaling
from merec_hpc.config.selection import AllFeaturesSettings
from merec_hpc.errors import MerecError
from merec_hpc.evaluation.blocks import BlockShare, block_names, decide_by_block, share_of_blocks
from merec_hpc.evaluation.predictions import Prediction, predictions_of
from merec_hpc.files.rows import write_rows
from merec_hpc.parallel.communicator import SerialCommunicator
from merec_hpc.parallel.threads import limit_library_threads
from merec_hpc.progress import track
from merec_hpc.selection.training_folds import check_fold, read_clips
from merec_hpc.store.selection import read_selection


def run(
    store: Store,
    held_out: HeldOut,
    settings: Settings,
    output: Output,
    shares: Annotated[Path, typer.Option(help="Table of the masks' shares to write.")],
    selection: Annotated[
        list[Path] | None, typer.Option(help="Selection of a fold; repeat it.")
    ] = None,
    scaling: ScalingOption = "standard",
    fold_table: FoldTable = None,
) -> None:
    """Predict with each block of features alone, and count how much of each mask lies in it.

    Every held-out subject is predicted with all features of a block, C and bias by inner folds: the settings
    are those of the control all_features. The column method has the block's name.
    """
    limit_library_threads()
    parsed = from_json(AllFeaturesSettings, settings)
    features = read_clips(store, SerialCommunicator(), fold_table)
    if features.blocks is None:
        msg = f"{store}: a view of several blocks expected, found features of one extraction"
        raise MerecError(msg)
    twice = [fold for fold in held_out if held_out.count(fold) > 1]
    if twice:
        msg = f"--held-out: each once expected, found {twice[0]} again"
        raise MerecError(msg)
    if output.resolve() == shares.resolve():
        msg = f"--shares: another file than --output expected, found {shares} for both"
        raise MerecError(msg)
    for fold in held_out:
        check_fold(features, fold, store)
    known_scaling = parse_scaling(scaling)
    decided = decide_by_block(features, held_out, parsed, known_scaling)
    is_transductive_block = {
        block: features.with_features(features.blocks == block).is_transductive
        for block in block_names(features)
    }
    n_steps = len(is_transductive_block) * len(held_out)
    rows: list[Prediction] = []
    try:
        for block, fold, decisions in track(decided, "blocks of folds", n_steps):
            is_transductive = known_scaling.is_transductive or is_transductive_block[block]
            name = block + TRANSDUCTIVE if is_transductive else block
            rows += predictions_of(features, fold, decisions, name)
    except ValueError as error:
        msg = f"{store}: {error}"
        raise MerecError(msg) from None
    found: list[BlockShare] = []
    for path in selection or []:
        chosen, origin = read_selection(path)
        if len(chosen.mask) != len(features.names):
            msg = f"{path}: {len(features.names)} features expected, found {len(chosen.mask)}"
            raise MerecError(msg)
        found += share_of_blocks(origin.method, origin.fold, chosen.mask, features)
    write_rows(shares, BlockShare, found)
    write_rows(output, Prediction, rows)

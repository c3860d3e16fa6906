"""Render the report."""

from pathlib import Path
from typing import Annotated

import typer

from merec_hpc.commands.options import Output
from merec_hpc.config.whole import parse_config_json
from merec_hpc.errors import MerecError
from merec_hpc.evaluation.blocks import BlockShare
from merec_hpc.evaluation.permutation import PermutedRun, summarise
from merec_hpc.evaluation.predictions import read_predictions
from merec_hpc.files.atomic import published
from merec_hpc.files.rows import read_rows
from merec_hpc.records import Failure, Selection
from merec_hpc.report.block_table import block_rows
from merec_hpc.report.page import render_page
from merec_hpc.runs.experiment import inner_differences
from merec_hpc.runs.resources import rule_resources
from merec_hpc.store.selection import read_selection


def run(
    predictions: Annotated[Path, typer.Option(help="Predictions of all methods and folds.")],
    selection: Annotated[list[Path], typer.Option(help="Selection of a fold; repeat it.")],
    failures: Annotated[Path, typer.Option(help="Clips left out.")],
    settings: Annotated[str, typer.Option(help="The whole configuration, as JSON.")],
    output: Output,
    benchmarks: Annotated[
        Path | None, typer.Option(help="Folder of Snakemake's tables of resources.")
    ] = None,
    permutations: Annotated[
        list[Path] | None, typer.Option(help="Scores of permuted labels; repeat it.")
    ] = None,
    block_predictions: Annotated[
        Path | None, typer.Option(help="Predictions of each block of features alone.")
    ] = None,
    block_shares: Annotated[
        Path | None, typer.Option(help="How much of each mask lies in each block.")
    ] = None,
) -> None:
    """Render one self-contained HTML page."""
    config = parse_config_json(settings)
    rows = read_predictions(predictions)
    if not rows:
        msg = f"{predictions}: at least one prediction expected, found none"
        raise MerecError(msg)
    selections: dict[str, dict[str, Selection]] = {}
    for path in selection:
        chosen, origin = read_selection(path)
        selections.setdefault(origin.method, {})[origin.fold or "nobody"] = chosen
    blocks = []
    if block_predictions is not None and block_shares is not None:
        shares = read_rows(block_shares, BlockShare)
        blocks = block_rows(read_predictions(block_predictions), shares, config.evaluation)
    page = render_page(
        config.experiment,
        rows,
        selections,
        read_rows(failures, Failure),
        settings,
        config.evaluation,
        rule_resources(benchmarks, config.experiment) if benchmarks else (),
        summarise([row for path in permutations or [] for row in read_rows(path, PermutedRun)]),
        inner_differences(config),
        blocks,
    )
    with published(output) as partial:
        partial.write_text(page, encoding="utf-8")

"""Collect the scores of a sweep's variants in one table."""

from pathlib import Path
from typing import Annotated

import typer

from merec_hpc.commands.options import Output
from merec_hpc.config.whole import parse_config_json
from merec_hpc.files.rows import write_rows
from merec_hpc.report.sweep_table import VariantRow, sweep_table


def run(
    folder: Annotated[Path, typer.Option(help="Folder of the sweep.")],
    settings: Annotated[str, typer.Option(help="The whole configuration, as JSON.")],
    output: Output,
) -> None:
    """Write one row for each variant, and one wherever seeds decide together."""
    write_rows(output, VariantRow, sweep_table(folder, parse_config_json(settings)))

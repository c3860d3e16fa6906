"""Make a feature store of a table."""

from pathlib import Path
from typing import Annotated

import typer

from merec_hpc.commands.options import Output
from merec_hpc.store.features import write_imported
from merec_hpc.store.table import read_table


def run(
    table: Annotated[
        Path,
        typer.Option(
            help="Table (.csv, .npz, .parquet) of features, label, group and if it likes clip."
        ),
    ],
    output: Output,
) -> None:
    """Make a feature store of any table of features, with a label and a group in each row."""
    write_imported(output, read_table(table), table)

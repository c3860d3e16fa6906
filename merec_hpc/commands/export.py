"""Write a feature store as a table."""

from pathlib import Path
from typing import Annotated

import typer

from merec_hpc.commands.options import Output
from merec_hpc.store.features import read_features
from merec_hpc.store.reading import read_recorded
from merec_hpc.store.table import write_table


def run(
    store: Annotated[Path, typer.Option(help="Feature store, or a view of several.")],
    output: Output,
) -> None:
    """Write a feature store as a table (.csv, .npz, .parquet), with its names in OUTPUT.json."""
    write_table(output, read_features(store), read_recorded(store))

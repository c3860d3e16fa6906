"""Say what is in a store, or how two differ."""

from pathlib import Path
from typing import Annotated

import typer

from merec_hpc.store.inspection import compare, inspect


def run(
    store: Annotated[Path, typer.Argument(help="Any HDF5 file of ours.")],
    other: Annotated[
        Path | None, typer.Argument(help="Another of its kind, to compare it with.")
    ] = None,
) -> None:
    """Print how a store was made, its arrays, and odd values; or how two stores differ (status 1)."""
    lines = list(inspect(store) if other is None else compare(store, other))
    for line in lines:
        typer.echo(line)
    if other is not None and not lines:
        typer.echo("equal")
    if other is not None and lines:
        raise typer.Exit(1)

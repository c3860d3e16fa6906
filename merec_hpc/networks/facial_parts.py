"""The facial-parts network of paper 4.

Ferreira et al.: Physiological Inspired Deep Neural Networks for Emotion Recognition, IEEE Access
6, 2018, doi:10.1109/ACCESS.2018.2870063.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from merec_hpc.networks.network import Network

if TYPE_CHECKING:
    from torch import nn


def _build(
    n_classes: int = 7,
    *,
    input_px: int = 120,
    part_channels: Sequence[int] = (32, 64, 128),
    channels: Sequence[int] = (32, 64, 128),
    n_expression_blocks: int = 2,
    n_hidden: int = 512,
    dropout: float = 0.5,
) -> "nn.Module":
    """Build it; the paper chose the numbers of blocks and channels by search."""
    from merec_hpc.networks.architectures.facial_parts import (  # noqa: PLC0415
        FacialPartsNetwork,
    )

    return FacialPartsNetwork(
        n_classes, input_px, part_channels, channels, n_expression_blocks, n_hidden, dropout
    )


NETWORK = Network(
    _build,
    None,
    layers=(
        "facial_parts.encoder",
        "facial_parts.decoder",
        "facial_parts",
        "representation",
        "expression_blocks.0",
        "expression_blocks.1",
        "pool",
        "dense1",
        "dense2",
        "dense3",
    ),
    input_px=120,
    mean=(0.0, 0.0, 0.0),
    std=(1.0, 1.0, 1.0),
    source=(
        "Ferreira et al.: Physiological Inspired Deep Neural Networks for Emotion Recognition, "
        "IEEE Access 6, 2018, doi:10.1109/ACCESS.2018.2870063 (paper 4)"
    ),
)

"""STSTNet, three shallow streams that read flow and strain."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from merec_hpc.networks.network import Network

if TYPE_CHECKING:
    from torch import nn


def _build(
    n_classes: int = 3, *, channels: Sequence[int] = (3, 5, 8), dropout: float = 0.5
) -> "nn.Module":
    """Build it: a stream for each number of channels."""
    from merec_hpc.networks.architectures.flow_networks import ShallowStreams  # noqa: PLC0415

    return ShallowStreams(n_classes, channels, dropout)


NETWORK = Network(
    _build,
    None,
    layers=("pool", "dense"),
    input_px=28,
    mean=(0.0,) * 3,
    std=(1.0,) * 3,
    source=(
        "Liong et al.: Shallow Triple Stream Three-dimensional CNN (STSTNet) for Micro-expression "
        "Recognition, FG 2019, doi:10.1109/FG.2019.8756567"
    ),
    colours="flow",
    maximum=255.0,
)

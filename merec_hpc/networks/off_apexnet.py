"""OFF-ApexNet, two streams that read flow."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from merec_hpc.networks.network import Network

if TYPE_CHECKING:
    from torch import nn


def _build(
    n_classes: int = 3, *, channels: Sequence[int] = (6, 16), n_hidden: int = 1024
) -> "nn.Module":
    """Build it; each stream has a convolution for both numbers of channels."""
    from merec_hpc.networks.architectures.flow_networks import ApexStreams  # noqa: PLC0415

    return ApexStreams(n_classes, channels, n_hidden)


NETWORK = Network(
    _build,
    None,
    layers=("dense1", "dense2", "dense3"),
    input_px=28,
    mean=(0.0,) * 3,
    std=(1.0,) * 3,
    source=(
        "Gan et al.: OFF-ApexNet on micro-expression recognition system, Signal Processing: Image "
        "Communication 74, 2019, doi:10.1016/j.image.2019.02.005"
    ),
    colours="flow",
    maximum=255.0,
)

"""The expression network of paper 1, re-created.

The paper's figure of it does not survive; its text says that features are taken from the layer
before the last fully connected one, that each subject's mean face and then the average frame are
subtracted, and how it was trained. This is a plain stack: two convolutions with pooling, two fully
connected layers. The average frame is its buffer ``mean_image``.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from merec_hpc.networks.network import Network

if TYPE_CHECKING:
    from torch import nn


def _build(
    n_classes: int = 7,
    *,
    input_px: int = 64,
    channels: Sequence[int] = (32, 64),
    kernel_px: int = 5,
    n_hidden: int = 256,
) -> "nn.Module":
    """Build it: a convolution and pooling for each number of channels, then two dense layers."""
    from collections import OrderedDict  # noqa: PLC0415
    from itertools import pairwise  # noqa: PLC0415

    import torch  # noqa: PLC0415  # takes seconds
    from torch import nn  # noqa: PLC0415

    parts: OrderedDict[str, nn.Module] = OrderedDict()
    for number, (n_in, n_out) in enumerate(pairwise((1, *channels)), 1):
        parts[f"conv{number}"] = nn.Conv2d(n_in, n_out, kernel_px, padding=kernel_px // 2)
        parts[f"relu{number}"] = nn.ReLU()
        parts[f"pool{number}"] = nn.MaxPool2d(2)
    parts["flatten"] = nn.Flatten()
    side = input_px // 2 ** len(channels)
    parts["fc1"] = nn.Linear(channels[-1] * side**2, n_hidden)
    parts["relu_fc1"] = nn.ReLU()
    parts["fc2"] = nn.Linear(n_hidden, n_classes)
    network = nn.Sequential(parts)
    network.register_buffer("mean_image", torch.zeros(1, input_px, input_px))
    return network


NETWORK = Network(
    _build,
    None,
    layers=("pool1", "pool2", "relu_fc1", "fc2"),
    input_px=64,
    mean=(0.0,),
    std=(1.0,),
    source="a re-creation of the expression network of paper 1, whose figure does not survive",
    colours="grey",
    has_mean_image=True,
)

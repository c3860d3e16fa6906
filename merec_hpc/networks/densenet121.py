"""DenseNet-121 as torchvision has it.

Huang et al.: Densely Connected Convolutional Networks, CVPR 2017,
doi:10.1109/CVPR.2017.243.
"""

import re
from typing import TYPE_CHECKING

from merec_hpc.networks.network import IMAGENET_MEAN, IMAGENET_STD, Network

if TYPE_CHECKING:
    from torch import nn


def _build(n_classes: int = 1000) -> "nn.Module":
    from torchvision.models import densenet121  # noqa: PLC0415  # takes seconds

    network: nn.Module = densenet121(num_classes=n_classes)
    return network


_OLD_NAME = re.compile(r"(.*denselayer\d+\.(?:norm|relu|conv))\.((?:[12])\..*)")


def _released_name(name: str) -> str:
    """Return ``norm1.weight`` for ``norm.1.weight``, as torchvision's released file has it."""
    return _OLD_NAME.sub(r"\1\2", name)


NETWORK = Network(
    _build,
    None,
    layers=(
        "features.pool0",
        "features.denseblock1",
        "features.denseblock2",
        "features.denseblock3",
        "features.denseblock4",
        "features.norm5",
        "classifier",
    ),
    input_px=224,
    mean=IMAGENET_MEAN,
    std=IMAGENET_STD,
    source="Huang et al.: Densely Connected Convolutional Networks, CVPR 2017, doi:10.1109/CVPR.2017.243",
    released_as="densenet121-a639ec97.pth",
    released_name=_released_name,
    terms="BSD-3-Clause (torchvision); trained on ImageNet",
)

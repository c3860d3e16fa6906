"""EfficientNet-B0 as torchvision has it.

Tan & Le: EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks, 2019,
doi:10.48550/arXiv.1905.11946.
"""

from typing import TYPE_CHECKING

from merec_hpc.networks.network import IMAGENET_MEAN, IMAGENET_STD, Network

if TYPE_CHECKING:
    from torch import nn


def _build(n_classes: int = 1000) -> "nn.Module":
    from torchvision.models import efficientnet_b0  # noqa: PLC0415  # takes seconds

    network: nn.Module = efficientnet_b0(num_classes=n_classes)
    return network


NETWORK = Network(
    _build,
    None,
    layers=(*(f"features.{number}" for number in range(9)), "classifier.1"),
    input_px=224,
    mean=IMAGENET_MEAN,
    std=IMAGENET_STD,
    source="Tan & Le: EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks, 2019, doi:10.48550/arXiv.1905.11946",
    released_as="efficientnet_b0_rwightman-7f5810bc.pth",
    terms="BSD-3-Clause (torchvision); trained on ImageNet",
)

"""VGG-16 as torchvision has it.

Simonyan & Zisserman: Very Deep Convolutional Networks for Large-Scale Image Recognition, 2014,
doi:10.48550/arXiv.1409.1556.
"""

from typing import TYPE_CHECKING

from merec_hpc.networks.network import IMAGENET_MEAN, IMAGENET_STD, Network

if TYPE_CHECKING:
    from torch import nn


def _build(n_classes: int = 1000) -> "nn.Module":
    from torchvision.models import vgg16  # noqa: PLC0415  # takes seconds

    network: nn.Module = vgg16(num_classes=n_classes)
    return network


NETWORK = Network(
    _build,
    None,
    layers=(
        "features.4",
        "features.9",
        "features.16",
        "features.23",
        "features.30",
        "classifier.1",
        "classifier.4",
        "classifier.6",
    ),
    input_px=224,
    mean=IMAGENET_MEAN,
    std=IMAGENET_STD,
    source="Simonyan & Zisserman: Very Deep Convolutional Networks for Large-Scale Image Recognition, 2014, doi:10.48550/arXiv.1409.1556",
    released_as="vgg16-397923af.pth",
    terms="BSD-3-Clause (torchvision); trained on ImageNet",
)

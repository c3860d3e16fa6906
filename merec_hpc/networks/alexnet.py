"""AlexNet (with one column) as torchvision has it.

Krizhevsky: One weird trick for parallelizing convolutional neural networks, 2014,
doi:10.48550/arXiv.1404.5997.
"""

from typing import TYPE_CHECKING

from merec_hpc.networks.network import IMAGENET_MEAN, IMAGENET_STD, Network

if TYPE_CHECKING:
    from torch import nn


def _build(n_classes: int = 1000) -> "nn.Module":
    from torchvision.models import alexnet  # noqa: PLC0415  # takes seconds

    network: nn.Module = alexnet(num_classes=n_classes)
    return network


NETWORK = Network(
    _build,
    None,
    layers=(
        "features.2",
        "features.5",
        "features.7",
        "features.9",
        "features.12",
        "classifier.2",
        "classifier.5",
        "classifier.6",
    ),
    input_px=224,
    mean=IMAGENET_MEAN,
    std=IMAGENET_STD,
    source="Krizhevsky: One weird trick for parallelizing convolutional neural networks, 2014, doi:10.48550/arXiv.1404.5997",
    released_as="alexnet-owt-7be5be79.pth",
    terms="BSD-3-Clause (torchvision); trained on ImageNet",
)

"""ResNet-34 as torchvision has it.

He et al.: Deep Residual Learning for Image Recognition, CVPR 2016,
doi:10.1109/CVPR.2016.90.
"""

from typing import TYPE_CHECKING

from merec_hpc.networks.network import IMAGENET_MEAN, IMAGENET_STD, Network

if TYPE_CHECKING:
    from torch import nn


def _build(n_classes: int = 1000) -> "nn.Module":
    from torchvision.models import resnet34  # noqa: PLC0415  # takes seconds

    network: nn.Module = resnet34(num_classes=n_classes)
    return network


NETWORK = Network(
    _build,
    None,
    layers=("conv1", "maxpool", "layer1", "layer2", "layer3", "layer4", "avgpool", "fc"),
    input_px=224,
    mean=IMAGENET_MEAN,
    std=IMAGENET_STD,
    source="He et al.: Deep Residual Learning for Image Recognition, CVPR 2016, doi:10.1109/CVPR.2016.90",
    released_as="resnet34-b627a593.pth",
    terms="BSD-3-Clause (torchvision); trained on ImageNet",
)

"""MobileNetV3-large as torchvision has it.

Howard et al.: Searching for MobileNetV3, ICCV 2019,
doi:10.1109/ICCV.2019.00140.
"""

from typing import TYPE_CHECKING

from merec_hpc.networks.network import IMAGENET_MEAN, IMAGENET_STD, Network

if TYPE_CHECKING:
    from torch import nn


def _build(n_classes: int = 1000) -> "nn.Module":
    from torchvision.models import mobilenet_v3_large  # noqa: PLC0415  # takes seconds

    network: nn.Module = mobilenet_v3_large(num_classes=n_classes)
    return network


NETWORK = Network(
    _build,
    None,
    layers=(*(f"features.{number}" for number in range(17)), "classifier.1", "classifier.3"),
    input_px=224,
    mean=IMAGENET_MEAN,
    std=IMAGENET_STD,
    source="Howard et al.: Searching for MobileNetV3, ICCV 2019, doi:10.1109/ICCV.2019.00140",
    released_as="mobilenet_v3_large-8738ca79.pth",
    terms="BSD-3-Clause (torchvision); trained on ImageNet",
)

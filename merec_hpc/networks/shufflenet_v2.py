"""ShuffleNetV2 (x1.0) as torchvision has it.

Ma et al.: ShuffleNet V2: Practical Guidelines for Efficient CNN Architecture Design, ECCV 2018,
doi:10.1007/978-3-030-01264-9_8.
"""

from typing import TYPE_CHECKING

from merec_hpc.networks.network import IMAGENET_MEAN, IMAGENET_STD, Network

if TYPE_CHECKING:
    from torch import nn


def _build(n_classes: int = 1000) -> "nn.Module":
    from torchvision.models import shufflenet_v2_x1_0  # noqa: PLC0415  # takes seconds

    network: nn.Module = shufflenet_v2_x1_0(num_classes=n_classes)
    return network


NETWORK = Network(
    _build,
    None,
    layers=("conv1", "maxpool", "stage2", "stage3", "stage4", "conv5", "fc"),
    input_px=224,
    mean=IMAGENET_MEAN,
    std=IMAGENET_STD,
    source="Ma et al.: ShuffleNet V2: Practical Guidelines for Efficient CNN Architecture Design, ECCV 2018, doi:10.1007/978-3-030-01264-9_8",
    released_as="shufflenetv2_x1-5666bf0f80.pth",
    terms="BSD-3-Clause (torchvision); trained on ImageNet",
)

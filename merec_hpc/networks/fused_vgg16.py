"""The fused optimised VGG-16 of paper 3.

Zhang et al.: Robust Micro-expression Recognition Based on Fused Optimized VGG16 Architecture.
"""

from typing import TYPE_CHECKING

from merec_hpc.networks.network import IMAGENET_MEAN, IMAGENET_STD, Network

if TYPE_CHECKING:
    from torch import nn


def _build(
    n_classes: int = 6,
    *,
    cbam: bool = True,
    residual: bool = True,
    depthwise: bool = True,
    prelu: bool = True,
    dropout: float = 0.5,
) -> "nn.Module":
    """Build it; without one of the switches what the paper's ablation leaves out.

    Without any it is VGG-16's convolutions with batch norm; the paper's first row is the network
    ``vgg16`` itself. The paper does not say how much drops out.
    """
    from merec_hpc.networks.architectures.fused_vgg16 import build  # noqa: PLC0415

    return build(
        n_classes,
        cbam=cbam,
        residual=residual,
        depthwise=depthwise,
        prelu=prelu,
        dropout=dropout,
    )


NETWORK = Network(
    _build,
    None,
    layers=("module1", "module2", "module3", "module4", "module5", "pool", "fc1", "fc2"),
    input_px=224,
    # The paper does not say how; it compares with networks that were trained like this.
    mean=IMAGENET_MEAN,
    std=IMAGENET_STD,
    source=(
        "Zhang et al.: Robust Micro-expression Recognition Based on Fused Optimized VGG16 "
        "Architecture (paper 3)"
    ),
)

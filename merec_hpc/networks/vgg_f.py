"""VGG-F (CNN-F), whose weights are MatConvNet's ``imagenet-vgg-f.mat``.

Chatfield et al.: Return of the Devil in the Details: Delving Deep into Convolutional Nets, BMVC
2014, doi:10.5244/C.28.6. Paper 1 takes its pool5.
"""

from typing import TYPE_CHECKING

from merec_hpc.networks.network import Network

if TYPE_CHECKING:
    from torch import nn

    from merec_hpc.networks.network import State


def _build(n_classes: int = 1000) -> "nn.Module":
    """Build it with MatConvNet's names; its mean image is the buffer ``mean_image``."""
    from merec_hpc.networks.architectures.vgg_f import build  # noqa: PLC0415

    return build(n_classes)


def _read_matlab(content: bytes) -> "State":
    from merec_hpc.networks.matconvnet import read_vgg_f  # noqa: PLC0415

    return read_vgg_f(content)


NETWORK = Network(
    _build,
    None,
    layers=(
        "pool1",
        "pool2",
        "relu3",
        "relu4",
        "relu5",
        "pool5",
        "relu6",
        "relu7",
        "fc8",
    ),
    input_px=224,
    mean=(0.0, 0.0, 0.0),
    std=(1.0, 1.0, 1.0),
    source=(
        "Chatfield et al.: Return of the Devil in the Details: Delving Deep into Convolutional "
        "Nets, BMVC 2014, doi:10.5244/C.28.6"
    ),
    maximum=255.0,
    has_mean_image=True,
    terms="MatConvNet's imagenet-vgg-f.mat; trained on ImageNet",
    readers={"matlab": _read_matlab},
)

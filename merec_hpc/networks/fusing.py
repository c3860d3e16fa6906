"""Turns a convolution and the batch norm after it into one convolution."""

from torch import nn
from torch.nn.utils import fuse_conv_bn_eval
from torchvision.ops import Conv2dNormActivation


def fuse_batch_norms(network: nn.Module) -> None:
    """Take batch norms into the weights of the convolutions before them, in place.

    Only inside torchvision's ``Conv2dNormActivation``, of which MobileNets and EfficientNets are
    made: none of its parts can be named as a layer, so that every layer gives what it gave but for
    rounding.

    Parameters
    ----------
    network
        In evaluation mode.
    """
    for block in network.modules():
        if not isinstance(block, Conv2dNormActivation):
            continue
        convolution, norm = block[0], block[1] if len(block) > 1 else None
        if isinstance(convolution, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
            block[0], block[1] = fuse_conv_bn_eval(convolution, norm), nn.Identity()

"""VGG-F (CNN-F), with MatConvNet's names for its layers.

Chatfield et al.: Return of the Devil in the Details: Delving Deep into Convolutional Nets, BMVC
2014, doi:10.5244/C.28.6.
"""

from collections import OrderedDict

import torch
from torch import nn

from merec_hpc.networks.architectures.layers import LocalResponseNorm, PaddedMaxPool

INPUT_PX = 224
NORM = (5, 1.0, 1e-4 / 5, 0.75)
"""Channels, kappa, alpha and beta of the normalisation; a file of weights replaces the last three."""


def build(n_classes: int) -> nn.Module:
    """Return the network with random weights; dense layers are convolutions, as in MatConvNet."""
    parts: OrderedDict[str, nn.Module] = OrderedDict()
    parts["conv1"] = nn.Conv2d(3, 64, 11, stride=4)
    parts["relu1"] = nn.ReLU()
    parts["norm1"] = LocalResponseNorm(*NORM)
    parts["pool1"] = PaddedMaxPool()
    parts["conv2"] = nn.Conv2d(64, 256, 5, padding=2)
    parts["relu2"] = nn.ReLU()
    parts["norm2"] = LocalResponseNorm(*NORM)
    parts["pool2"] = nn.MaxPool2d(3, 2)
    for number in (3, 4, 5):
        parts[f"conv{number}"] = nn.Conv2d(256, 256, 3, padding=1)
        parts[f"relu{number}"] = nn.ReLU()
    parts["pool5"] = nn.MaxPool2d(3, 2)
    parts["fc6"] = nn.Conv2d(256, 4096, 6)
    parts["relu6"] = nn.ReLU()
    parts["fc7"] = nn.Conv2d(4096, 4096, 1)
    parts["relu7"] = nn.ReLU()
    parts["fc8"] = nn.Conv2d(4096, n_classes, 1)
    network = nn.Sequential(parts)
    network.register_buffer("mean_image", torch.zeros(3, INPUT_PX, INPUT_PX))
    return network

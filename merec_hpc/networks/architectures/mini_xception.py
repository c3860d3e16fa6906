"""Mini-Xception, as Keras would build it.

Arriaga et al.: Real-time Convolutional Neural Networks for Emotion and Gender Classification,
2017, doi:10.48550/arXiv.1710.07557.
"""

from collections import OrderedDict
from itertools import pairwise

from torch import Tensor, nn

from merec_hpc.networks.architectures.layers import SameMaxPool, SpatialMean

CHANNELS = (8, 16, 32, 64, 128)
_EPSILON = 1e-3  # Keras's, where torch has 1e-5


def build(n_classes: int) -> nn.Module:
    """Return the network with random weights: it gives the probabilities of the classes."""
    parts: OrderedDict[str, nn.Module] = OrderedDict()
    for number, n_in in enumerate((1, CHANNELS[0]), 1):
        # No underscore before a number: torchvision's names of nodes would not keep it.
        parts[f"conv{number}"] = nn.Conv2d(n_in, CHANNELS[0], 3, bias=False)
        parts[f"norm{number}"] = _norm(CHANNELS[0])
        parts[f"relu{number}"] = nn.ReLU()
    for number, (n_in, n_out) in enumerate(pairwise(CHANNELS), 1):
        parts[f"block{number}"] = Block(n_in, n_out)
    parts["conv3"] = nn.Conv2d(CHANNELS[-1], n_classes, 3, padding=1)
    parts["pool"] = SpatialMean()
    parts["probabilities"] = nn.Softmax(dim=1)
    return nn.Sequential(parts)


class Block(nn.Module):
    """Two separable convolutions and pooling, and a convolution of every second place, added."""

    def __init__(self, n_in: int, n_out: int) -> None:
        super().__init__()
        self.shortcut = nn.Sequential(nn.Conv2d(n_in, n_out, 1, stride=2, bias=False), _norm(n_out))
        self.main = nn.Sequential(
            _separable(n_in, n_out),
            _norm(n_out),
            nn.ReLU(),
            _separable(n_out, n_out),
            _norm(n_out),
            SameMaxPool(),
        )

    def forward(self, batch: Tensor) -> Tensor:
        """Return (n_images, n_out, h / 2, w / 2), rounded up."""
        found: Tensor = self.main(batch) + self.shortcut(batch)
        return found


def _norm(channels: int) -> nn.Module:
    return nn.BatchNorm2d(channels, eps=_EPSILON)


def _separable(n_in: int, n_out: int) -> nn.Module:
    depthwise = nn.Conv2d(n_in, n_in, 3, padding=1, groups=n_in, bias=False)
    pointwise = nn.Conv2d(n_in, n_out, 1, bias=False)
    return nn.Sequential(OrderedDict(depthwise=depthwise, pointwise=pointwise))

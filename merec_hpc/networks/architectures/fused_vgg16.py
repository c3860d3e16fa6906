"""VGG-16 of residual blocks with depthwise separable convolutions and attention.

Zhang et al.: Robust Micro-expression Recognition Based on Fused Optimized VGG16 Architecture
(paper 3). What it leaves open is chosen so that its size comes out, 9.05 MiB with 6 classes:
every convolution has a bias, batch norm and PReLU (one slope a channel) follow both halves of a
separable convolution, and a shortcut that changes the number of channels is a 1 x 1 convolution
with batch norm.
"""

from collections import OrderedDict
from itertools import pairwise

import torch
from torch import Tensor, nn

from merec_hpc.networks.architectures.layers import SpatialMean

MODULES = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512))
"""Channels of the blocks of each module."""
_REDUCTION = 16  # of the channels, inside the attention over channels
_FIELD = 7  # side of the attention over places


class ChannelAttention(nn.Module):
    """A factor for each channel, from its mean and its maximum."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        hidden = channels // _REDUCTION
        self.shared = nn.Sequential(
            nn.Linear(channels, hidden), nn.ReLU(), nn.Linear(hidden, channels)
        )

    def forward(self, batch: Tensor) -> Tensor:
        """Return the weighted activations, (n_images, channels, h, w)."""
        # Not adaptive pooling, which is not deterministic on CUDA.
        said = self.shared(batch.mean((2, 3))) + self.shared(batch.amax((2, 3)))
        return batch * torch.sigmoid(said)[:, :, None, None]


class PlaceAttention(nn.Module):
    """A factor for each place, from the mean and the maximum over channels."""

    def __init__(self) -> None:
        super().__init__()
        self.field = nn.Conv2d(2, 1, _FIELD, padding=_FIELD // 2)

    def forward(self, batch: Tensor) -> Tensor:
        """Return the weighted activations, (n_images, channels, h, w)."""
        pooled = torch.cat([batch.mean(1, keepdim=True), batch.amax(1, keepdim=True)], dim=1)
        return batch * torch.sigmoid(self.field(pooled))


class ResidualBlock(nn.Module):
    """A convolution, attention, and the input added; each is a switch."""

    def __init__(
        self, n_in: int, n_out: int, *, cbam: bool, residual: bool, depthwise: bool, prelu: bool
    ) -> None:
        super().__init__()
        if depthwise:
            parts = [
                nn.Conv2d(n_in, n_in, 3, padding=1, groups=n_in),
                nn.BatchNorm2d(n_in),
                _activation(n_in, prelu=prelu),
                nn.Conv2d(n_in, n_out, 1),
            ]
        else:
            parts = [nn.Conv2d(n_in, n_out, 3, padding=1)]
        parts += [nn.BatchNorm2d(n_out), _activation(n_out, prelu=prelu)]
        if cbam:
            parts += [ChannelAttention(n_out), PlaceAttention()]
        self.main = nn.Sequential(*parts)
        self.shortcut: nn.Module | None = None
        if residual:
            self.shortcut = (
                nn.Identity()
                if n_in == n_out
                else nn.Sequential(nn.Conv2d(n_in, n_out, 1), nn.BatchNorm2d(n_out))
            )

    def forward(self, batch: Tensor) -> Tensor:
        """Return (n_images, n_out, h, w)."""
        found: Tensor = self.main(batch)
        return found if self.shortcut is None else found + self.shortcut(batch)


def build(
    n_classes: int,
    *,
    cbam: bool,
    residual: bool,
    depthwise: bool,
    prelu: bool,
    dropout: float,
) -> nn.Module:
    """Return the network with random weights; modules are ``module1`` to ``module5``."""
    switches = {"cbam": cbam, "residual": residual, "depthwise": depthwise, "prelu": prelu}
    parts: OrderedDict[str, nn.Module] = OrderedDict()
    n_in = 3
    for number, channels in enumerate(MODULES, 1):
        steps = pairwise((n_in, *channels))
        blocks = [ResidualBlock(*step, **switches) for step in steps]
        parts[f"module{number}"] = nn.Sequential(*blocks, nn.MaxPool2d(2))
        n_in = channels[-1]
    parts["pool"] = SpatialMean()
    parts["fc1"] = nn.Sequential(nn.Linear(n_in, 512), nn.ReLU(), nn.Dropout(dropout))
    parts["fc2"] = nn.Linear(512, n_classes)
    return nn.Sequential(parts)


def _activation(channels: int, *, prelu: bool) -> nn.Module:
    return nn.PReLU(channels) if prelu else nn.ReLU()

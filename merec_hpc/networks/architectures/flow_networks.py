"""Small networks that read the flow from the onset to the apex.

Liong et al.: Shallow Triple Stream Three-dimensional CNN (STSTNet) for Micro-expression
Recognition, FG 2019, doi:10.1109/FG.2019.8756567. Gan et al.: OFF-ApexNet on micro-expression
recognition system, Signal Processing: Image Communication 74, 2019,
doi:10.1016/j.image.2019.02.005.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn


class ShallowStreams(nn.Module):
    """STSTNet: streams of one convolution each, side by side, averaged, and one dense layer.

    The paper's authors published code whose convolutions are padded by 2 and normalised, with
    dropout after pooling; that is what stands here.
    """

    def __init__(self, n_classes: int, channels: Sequence[int], dropout: float) -> None:
        super().__init__()
        self.streams = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(3, n_out, 3, padding=2),
                nn.ReLU(),
                nn.BatchNorm2d(n_out),
                nn.MaxPool2d(3, 3, padding=1),
                nn.Dropout(dropout),
            )
            for n_out in channels
        )
        self.pool = nn.AvgPool2d(2)
        self.flatten = nn.Flatten()
        self.dense = nn.Linear(sum(channels) * 5 * 5, n_classes)

    def forward(self, batch: Tensor) -> Tensor:
        """Return the scores of the classes from (n_images, 3, 28, 28): u, v and strain."""
        together = torch.cat([stream(batch) for stream in self.streams], dim=1)
        scores: Tensor = self.dense(self.flatten(self.pool(together)))
        return scores


class ApexStreams(nn.Module):
    """OFF-ApexNet: u and v pass two convolutions each, then three dense layers together."""

    def __init__(self, n_classes: int, channels: Sequence[int], n_hidden: int) -> None:
        super().__init__()
        first, second = channels
        self.streams = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(1, first, 5, padding=2),
                nn.ReLU(),
                nn.MaxPool2d(2),
                nn.Conv2d(first, second, 5, padding=2),
                nn.ReLU(),
                nn.MaxPool2d(2),
            )
            for _ in range(2)
        )
        self.flatten = nn.Flatten()
        self.dense1 = nn.Sequential(nn.Linear(2 * second * 7 * 7, n_hidden), nn.ReLU())
        self.dense2 = nn.Sequential(nn.Linear(n_hidden, n_hidden), nn.ReLU())
        self.dense3 = nn.Linear(n_hidden, n_classes)

    def forward(self, batch: Tensor) -> Tensor:
        """Return the scores of the classes from (n_images, 3, 28, 28), of which strain is not read."""
        both = [stream(batch[:, place : place + 1]) for place, stream in enumerate(self.streams)]
        scores: Tensor = self.dense3(self.dense2(self.dense1(self.flatten(torch.cat(both, dim=1)))))
        return scores

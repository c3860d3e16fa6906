"""A network that learns which parts of a face to look at, and looks there.

Ferreira et al.: Physiological Inspired Deep Neural Networks for Emotion Recognition, IEEE Access
6, 2018, doi:10.1109/ACCESS.2018.2870063 (paper 4). The numbers of blocks and channels are chosen
in the paper by a search whose result, its Table 3, is an image: they are keyword arguments here.
"""

from collections.abc import Sequence
from itertools import pairwise

from torch import Tensor, nn

from merec_hpc.networks.architectures.layers import BilinearResize


class FacialParts(nn.Module):
    """Encoder and decoder: from an image to a relevance map of its size, not bounded.

    Each step of the encoder is two 3 x 3 convolutions and 2 x 2 pooling with twice the channels of
    the step before; each of the decoder a transposed convolution and two 3 x 3 convolutions.
    """

    def __init__(self, n_channels: Sequence[int]) -> None:
        super().__init__()
        down = [
            nn.Sequential(*_two_convolutions(n_in, n_out), nn.MaxPool2d(2))
            for n_in, n_out in pairwise((3, *n_channels))
        ]
        self.encoder = nn.Sequential(*down)
        up = [
            nn.Sequential(
                nn.ConvTranspose2d(n_in, n_out, 2, stride=2),
                nn.ReLU(),
                *_two_convolutions(n_out, n_out),
            )
            for n_in, n_out in pairwise((*reversed(n_channels), n_channels[0]))
        ]
        self.decoder = nn.Sequential(*up)
        self.relevance = nn.Conv2d(n_channels[0], 1, 3, padding=1)
        self.resize = BilinearResize()

    def forward(self, batch: Tensor) -> Tensor:
        """Return the relevance map, (n_images, 1, h, w)."""
        found = self.relevance(self.decoder(self.encoder(batch)))
        # A side that pooling did not divide comes back a little shorter.
        resized: Tensor = self.resize(found, batch)
        return resized


class ExpressionBlock(nn.Module):
    """The e-block: ``relu(W * a)``, times the relevance map at that size."""

    def __init__(self, n_in: int, n_out: int) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(n_in, n_out, 3, padding=1)
        self.activation = nn.ReLU()
        self.resize = BilinearResize()

    def forward(self, batch: Tensor, relevance: Tensor) -> Tensor:
        """Return (n_images, n_out, h, w)."""
        found: Tensor = self.activation(self.convolution(batch))
        scaled: Tensor = found * self.resize(relevance, batch)
        return scaled


class FacialPartsNetwork(nn.Module):
    """Relevance map, representation that it filters, and dense layers."""

    def __init__(
        self,
        n_classes: int,
        input_px: int,
        part_channels: Sequence[int],
        channels: Sequence[int],
        n_expression_blocks: int,
        n_hidden: int,
        dropout: float,
    ) -> None:
        super().__init__()
        self.facial_parts = FacialParts(part_channels)
        self.representation = nn.Sequential(
            *(
                nn.Sequential(*_two_convolutions(n_in, n_out), nn.MaxPool2d(2))
                for n_in, n_out in pairwise((3, *channels))
            )
        )
        self.expression_blocks = nn.ModuleList(
            ExpressionBlock(channels[-1], channels[-1]) for _ in range(n_expression_blocks)
        )
        self.pool = nn.MaxPool2d(2)
        side = input_px // 2 ** (len(channels) + 1)
        self.flatten = nn.Flatten()
        self.dense1 = nn.Sequential(
            nn.Linear(channels[-1] * side**2, n_hidden), nn.ReLU(), nn.Dropout(dropout)
        )
        self.dense2 = nn.Sequential(nn.Linear(n_hidden, n_hidden), nn.ReLU(), nn.Dropout(dropout))
        self.dense3 = nn.Linear(n_hidden, n_classes)

    def forward(self, batch: Tensor) -> Tensor:
        """Return the scores of the classes, (n_images, n_classes)."""
        return self.scores_and_relevance(batch)[0]

    def scores_and_relevance(self, batch: Tensor) -> tuple[Tensor, Tensor]:
        """Return the scores and the relevance map, (n_images, 1, h, w), which the loss is of."""
        relevance: Tensor = self.facial_parts(batch)
        found: Tensor = self.representation(batch)
        for block in self.expression_blocks:
            found = block(found, relevance)
        found = self.dense2(self.dense1(self.flatten(self.pool(found))))
        return self.dense3(found), relevance


def _two_convolutions(n_in: int, n_out: int) -> list[nn.Module]:
    return [
        nn.Conv2d(n_in, n_out, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(n_out, n_out, 3, padding=1),
        nn.ReLU(),
    ]

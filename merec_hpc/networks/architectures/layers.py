"""Layers that torch does not have, or not as a network was trained with.

All of them are traced by torch.fx, and deterministic on CUDA, backwards too.
"""

import math

import torch
from torch import Tensor, fx, nn
from torch.nn import functional


class LocalResponseNorm(nn.Module):
    """Normalisation over neighbouring channels, as MatConvNet has it.

    ``x / (kappa + alpha * sum(x ** 2)) ** beta`` over ``size`` channels around each. torch
    divides ``alpha`` by ``size``; MatConvNet does not. (Krizhevsky et al.: ImageNet
    Classification with Deep Convolutional Neural Networks, NIPS 2012.)
    """

    def __init__(self, size: int, kappa: float, alpha: float, beta: float) -> None:
        """Set what a file of weights may replace: the buffer ``values`` is kappa, alpha, beta."""
        super().__init__()
        self.size = size
        self.values: Tensor
        self.register_buffer("values", torch.tensor([kappa, alpha, beta]))

    def forward(self, batch: Tensor) -> Tensor:
        """Return the same shape, (n_images, channels, h, w)."""
        before = (self.size - 1) // 2
        squares = functional.pad(batch * batch, (0, 0, 0, 0, before, self.size - 1 - before))
        n_channels = batch.shape[1]
        total = squares.narrow(1, 0, n_channels)
        for shift in range(1, self.size):
            total = total + squares.narrow(1, shift, n_channels)
        kappa, alpha, beta = self.values[0], self.values[1], self.values[2]
        return batch / (kappa + alpha * total) ** beta


class PaddedMaxPool(nn.Sequential):
    """Maximum over 3 x 3 places, every second one, with one more row and column at the end.

    MatConvNet's pad ``[0 1 0 1]``: without it 54 rows give 26 and not 27. What is added is
    never the maximum.
    """

    def __init__(self) -> None:
        super().__init__(nn.ConstantPad2d((0, 1, 0, 1), -math.inf), nn.MaxPool2d(3, 2))


class SameMaxPool(nn.Module):
    """Maximum over 3 x 3 places, every second one, padded as TensorFlow's ``same`` is.

    An even side is padded at its end alone, an odd one on both, with what is never the maximum.
    """

    def forward(self, batch: Tensor) -> Tensor:
        """Return (n_images, channels, h / 2, w / 2), rounded up."""
        height, width = batch.shape[2], batch.shape[3]
        padded = functional.pad(batch, (width % 2, 1, height % 2, 1), value=-math.inf)
        return functional.max_pool2d(padded, 3, 2)


class MirrorPad(nn.Module):
    """A border of one pixel, mirrored about the outermost ones.

    It is torch's ``ReflectionPad2d(1)``, which has no deterministic way back on CUDA.
    """

    def forward(self, batch: Tensor) -> Tensor:
        """Return (n_images, channels, h + 2, w + 2)."""
        rows = torch.cat([batch[:, :, 1:2], batch, batch[:, :, -2:-1]], dim=2)
        return torch.cat([rows[..., 1:2], rows, rows[..., -2:-1]], dim=3)


class SpatialMean(nn.Module):
    """Mean over rows and columns; torch's adaptive pooling is not deterministic on CUDA."""

    def forward(self, batch: Tensor) -> Tensor:
        """Return (n_images, channels)."""
        return batch.mean((2, 3))


class BilinearResize(nn.Module):
    """Brings maps to the rows and columns of others: ``resize_bilinear``, which torch.fx keeps whole."""

    def forward(self, maps: Tensor, like: Tensor) -> Tensor:
        """Return (n_images, channels of ``maps``, h and w of ``like``)."""
        found: Tensor = resize_bilinear(maps, like.shape[2], like.shape[3])
        return found


@fx.wrap
def resize_bilinear(maps: Tensor, height: int, width: int) -> Tensor:
    """Resize by two matrix products, bilinearly, corners not aligned.

    Equals torch's ``interpolate(mode="bilinear", align_corners=False)``, which has no
    deterministic way back on CUDA.

    Parameters
    ----------
    maps
        Shape (n_images, channels, h, w).
    height, width
        Of the result, in pixels.

    Returns
    -------
    Tensor
        Shape (n_images, channels, height, width).
    """
    rows = _resizing(maps.shape[2], height, maps)
    columns = _resizing(maps.shape[3], width, maps)
    return rows @ maps @ columns.T


def _resizing(n_in: int, n_out: int, like: Tensor) -> Tensor:
    """Return the matrix, (n_out, n_in), that resizes a column of pixels."""
    places = (torch.arange(n_out, dtype=torch.float64, device=like.device) + 0.5) * (n_in / n_out)
    places = (places - 0.5).clamp(0, n_in - 1)
    pixels = torch.arange(n_in, dtype=torch.float64, device=like.device)
    return (1 - (places[:, None] - pixels).abs()).clamp(min=0).to(like.dtype)

"""What the relevance map of the facial-parts network is to be (paper 4, III.B)."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from merec_hpc.config.training import PartsSettings


def target_maps(landmarks: NDArray[np.floating], side: int, sigma_px: float) -> NDArray[np.float32]:
    """Return maps that are high about landmarks, (n_images, side, side), each in [0, 1].

    A Gaussian of height 1 for each landmark; a sum that is above 1 somewhere is divided by its
    largest value, which the paper leaves open: its relevance maps have no scale of their own.

    Parameters
    ----------
    landmarks
        Shape (n_images, n_landmarks, 2), (x, y), pixels of an image of that side, 0 the middle
        of the first; those outside the image count as far as their Gaussians reach in.
    sigma_px
        Standard deviation.
    """
    places = np.arange(side)
    exponents = -((places - landmarks[..., None]) ** 2) / (2 * sigma_px**2)
    columns, rows = np.exp(exponents[:, :, 0]), np.exp(exponents[:, :, 1])
    total = rows.swapaxes(1, 2) @ columns  # a Gaussian is a product of both directions'
    largest = total.max(axis=(1, 2), keepdims=True)
    return np.asarray(total / np.maximum(largest, 1), np.float32)


def parts_loss(relevance: Tensor, targets: Tensor | None, settings: PartsSettings) -> Tensor:
    """Return the facial-parts loss of each image, (n_images,): equations 4, 5, or both.

    Parameters
    ----------
    relevance
        Relevance maps, (n_images, 1, h, w).
    targets
        Shape (n_images, h, w); read by "full" and "hybrid" alone.
    """
    maps = relevance[:, 0]
    loss = torch.zeros(len(maps), dtype=maps.dtype, device=maps.device)
    if settings.supervision in {"full", "hybrid"} and targets is not None:
        loss = loss + ((targets - maps) ** 2).mean((1, 2))
    if settings.supervision in {"weak", "hybrid"}:
        weak = sparsity(maps) + settings.contiguity * contiguity(maps)
        loss = loss + (settings.weak_share * weak if settings.supervision == "hybrid" else weak)
    return loss


def sparsity(maps: Tensor) -> Tensor:
    """Return the mean size of each map's values, (n_images,) (equation 6)."""
    return maps.abs().mean((1, 2))


def contiguity(maps: Tensor) -> Tensor:
    """Return each map's total variation by pixel, (n_images,) (equation 7)."""
    down = (maps[:, 1:] - maps[:, :-1]).abs().sum((1, 2))
    across = (maps[:, :, 1:] - maps[:, :, :-1]).abs().sum((1, 2))
    return (down + across) / (maps.shape[1] * maps.shape[2])

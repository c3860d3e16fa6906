"""Changes training images: geometry and contrast, drawn for each image and epoch."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from merec_hpc.config.training import AugmentationSettings
from merec_hpc.training.streams import Purpose, generator

NOTHING = AugmentationSettings()


@dataclass(frozen=True)
class Change:
    """What is done to one image."""

    affine: NDArray[
        np.float64
    ]  # (2, 3), from pixels of the new image about its centre to the old's
    low: float  # percentiles
    high: float
    brightness: float  # factors
    contrast: float


def drawn_change(settings: AugmentationSettings, seed: int, epoch: int, place: int) -> Change:
    """Draw what is done to the image at ``place`` of all in an epoch."""
    rng = generator(seed, Purpose.AUGMENTATION, epoch, place)
    angle = math.radians(rng.choice(settings.rotations_deg))
    scale = rng.choice(settings.scales)
    skew_x, skew_y = rng.choice(settings.skews, 2)
    shift = rng.choice(settings.shifts_px, 2)
    flip = settings.flip and rng.random() < 0.5
    low, high = rng.choice(settings.low_percentiles), rng.choice(settings.high_percentiles)
    brightness, contrast = 1 + rng.uniform(-1, 1, 2) * (settings.brightness, settings.contrast)
    turn = np.array([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]])
    # Paper 4, equation 8, from the new image to the old, so that a scale of 1.1 shows less of it.
    affine = turn @ np.array([[1, skew_x, -shift[0]], [skew_y, 1, -shift[1]]]) / scale
    affine *= ((-1 if flip else 1), 1, 1)
    return Change(affine, low, high, brightness, contrast)


def changed(images: Tensor, changes: Sequence[Change]) -> Tensor:
    """Return changed images, (n_images, channels, h, w), of values 0..255.

    What comes from outside an image is mirrored. Neighbours do not matter: each image is what it
    would be alone.
    """
    images = _warped(images, np.stack([change.affine for change in changes]))
    return torch.stack([_recoloured(*pair) for pair in zip(images, changes, strict=True)])


def moved_points(
    points: NDArray[np.floating], change: Change, height: int, width: int
) -> NDArray[np.float64]:
    """Return where points of an image, (n_points, 2), (x, y), are in the changed one."""
    centre = (np.array([width, height]) - 1) / 2
    matrix, offset = change.affine[:, :2], change.affine[:, 2]
    return np.asarray((points - centre - offset) @ np.linalg.inv(matrix).T + centre)


def _warped(images: Tensor, affines: NDArray[np.float64]) -> Tensor:
    if np.array_equal(affines, np.broadcast_to(np.eye(2, 3), affines.shape)):
        return images
    height, width = images.shape[2:]
    # Torch counts from -1 to 1 along each side.
    half = np.array([width, height]) / 2
    matrices = affines.copy()
    matrices[:, :, :2] *= half[None, None, :] / half[None, :, None]
    matrices[:, :, 2] /= half
    theta = torch.tensor(matrices, dtype=images.dtype, device=images.device)
    grid = functional.affine_grid(theta, list(images.shape), align_corners=False)
    return functional.grid_sample(images, grid, padding_mode="reflection", align_corners=False)


def _recoloured(image: Tensor, change: Change) -> Tensor:
    """Return an image, (channels, h, w), with another contrast of each channel and of all."""
    if (change.low, change.high) != (0, 100):
        flat = image.flatten(1)
        ends = torch.tensor([change.low, change.high], dtype=image.dtype, device=image.device) / 100
        low, high = torch.quantile(flat, ends, dim=1)[..., None, None]
        # A channel of one value stays as it is.
        image = torch.where(high > low, (image - low) / (high - low) * 255, image).clamp(0, 255)
    if change.contrast != 1:
        mean = image.mean()
        image = (image - mean) * change.contrast + mean
    if change.brightness != 1:
        image = image * change.brightness
    return image if (change.contrast, change.brightness) == (1, 1) else image.clamp(0, 255)

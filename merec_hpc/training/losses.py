"""What training makes small."""

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from merec_hpc.config.training import TrainingSettings

ImageLoss = Callable[[Tensor, Tensor], Tensor]
"""From scores, (n_images, n_classes), and labels, (n_images,): the loss of each image."""


def image_loss(
    settings: TrainingSettings, labels: NDArray[np.int64], n_classes: int, device: torch.device
) -> ImageLoss:
    """Return the loss of the settings, weighted by the classes of all training images.

    The weight of a class is 1, or balanced n / (n_classes * n of the class): the mean over all
    training images is 1.
    """
    weights = torch.ones(n_classes, device=device)
    if settings.class_weight == "balanced":
        counts = np.bincount(labels, minlength=n_classes)
        weights = torch.tensor(len(labels) / (n_classes * counts), dtype=torch.float32).to(device)
    gamma = settings.focal_gamma if settings.loss == "focal" else 0.0

    def loss(scores: Tensor, labels: Tensor) -> Tensor:
        return weights[labels] * focal_loss(scores, labels, gamma)

    return loss


def focal_loss(scores: Tensor, labels: Tensor, gamma: float) -> Tensor:
    """Return ``-(1 - p)^gamma log p`` of each image, p the probability of its class.

    With gamma 0 it is the cross-entropy.

    Parameters
    ----------
    scores
        Shape (n_images, n_classes), of which softmax makes probabilities.
    labels
        Shape (n_images,).

    References
    ----------
    Lin et al.: Focal Loss for Dense Object Detection, ICCV 2017, doi:10.1109/ICCV.2017.324;
    paper 3, IV.C.
    """
    entropy = functional.cross_entropy(scores, labels, reduction="none")
    if not gamma:
        return entropy
    # 1 - p, exact where p is nearly 1; the root of a power has no slope at 0.
    missing = (-torch.expm1(-entropy)).clamp(min=torch.finfo(entropy.dtype).tiny)
    return missing**gamma * entropy

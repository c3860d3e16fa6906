"""What a network says of images that it does not learn from."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from merec_hpc.networks.preparing import Preparation


def on_device(pixels: NDArray[np.uint8] | NDArray[np.float32], device: torch.device) -> Tensor:
    """Return images, (n_images, h, w, 3), as float32 of shape (n_images, 3, h, w)."""
    images = torch.from_numpy(np.ascontiguousarray(pixels)).to(device)
    return images.permute(0, 3, 1, 2).float()


def class_scores(
    network: nn.Module,
    preparation: Preparation,
    pixels: NDArray[np.uint8] | NDArray[np.float32],
    batch_size: int,
    device: torch.device,
) -> NDArray[np.float64]:
    """Return the scores of the classes, (n_images, n_classes), in float32's precision.

    The network is in evaluation mode afterwards.
    """
    network.eval()
    found = []
    with torch.inference_mode():
        for start in range(0, len(pixels), batch_size):
            images = on_device(pixels[start : start + batch_size], device)
            scores: Tensor = network(preparation.prepared(images))
            found.append(scores.flatten(1).double().cpu().numpy())
    return np.concatenate(found)

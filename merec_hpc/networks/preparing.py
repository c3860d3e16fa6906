"""Turns images into what a network was made to see."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from merec_hpc.networks.network import Network

_LUMA = (0.299, 0.587, 0.114)  # of red, green and blue: ITU-R BT.601


class Preparation:
    """Colours, size and normalisation of a network, on one device."""

    def __init__(
        self, known: Network, loaded: nn.Module, input_px: int | None, device: torch.device
    ) -> None:
        """Take the network's mean image, if it has one; without ``input_px`` its own side."""
        self._known = known
        self._input_px = input_px or known.input_px
        self._mean = _mean(known, loaded, self._input_px).to(device)
        self._std = torch.tensor(known.std, device=device).view(1, -1, 1, 1)

    def prepared(self, images: Tensor, *, of_changes: bool = False) -> Tensor:
        """Return RGB images, (n_images, 3, h, w), 0..255, as the network was trained to see them.

        Of changes the network's mean is not subtracted, as if it had been added before: where
        nothing changes it sees its mean, which is the 0 of its input, and elsewhere the change in
        the units of its deviation. That is the difference of what it sees of two frames.

        Returns
        -------
        Tensor
            Shape (n_images, channels, input_px, input_px).
        """
        known = self._known
        batch = images / (255 / known.maximum)
        if known.colours == "grey":
            red, green, blue = (
                batch[:, channel : channel + 1] * share for channel, share in enumerate(_LUMA)
            )
            batch = red + green + blue
        elif known.colours == "bgr":
            batch = batch.flip(1)
        size = (self._input_px, self._input_px)
        if batch.shape[-2:] != size:
            batch = functional.interpolate(
                batch, size, mode="bilinear", antialias=known.antialias, align_corners=False
            )
        # In place: room for a whole batch is slow to get, and this one is ours.
        return (batch if of_changes else batch.sub_(self._mean)).div_(self._std)


def _mean(known: Network, loaded: nn.Module, side: int) -> Tensor:
    """Return what is subtracted, (1, channels, 1, 1), or of the image's size for a mean image."""
    mean = torch.tensor(known.mean).view(1, -1, 1, 1)
    if not known.has_mean_image:
        return mean
    image = loaded.get_buffer("mean_image")[None]
    return mean + functional.interpolate(
        image, (side, side), mode="bilinear", antialias=known.antialias, align_corners=False
    )

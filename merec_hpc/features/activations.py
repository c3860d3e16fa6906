"""Turns a clip into the activations of a named layer."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional
from torchvision.models.feature_extraction import create_feature_extractor, get_graph_node_names

from merec_hpc.config.base import nearest
from merec_hpc.errors import MerecError
from merec_hpc.networks.counting import layer_shapes
from merec_hpc.networks.network import Network
from merec_hpc.networks.registry import find_network
from merec_hpc.networks.weight_sources import load_network

_LUMA = (0.299, 0.587, 0.114)  # of red, green and blue: ITU-R BT.601


@contextmanager
def reproducible() -> Iterator[None]:
    """Let torch give the same bytes in every run, on one thread; afterwards it is as it was.

    What it sets holds for the whole process: threads begin and end inside.
    """
    n_threads = torch.get_num_threads()
    mode = torch.are_deterministic_algorithms_enabled()
    warn_only = torch.is_deterministic_algorithms_warn_only_enabled()
    benchmark = torch.backends.cudnn.benchmark
    torch.set_num_threads(1)
    # Without these, results on CUDA may change from run to run.
    torch.use_deterministic_algorithms(mode=True, warn_only=True)
    torch.backends.cudnn.benchmark = False
    try:
        yield
    finally:
        torch.backends.cudnn.benchmark = benchmark
        torch.use_deterministic_algorithms(mode, warn_only=warn_only)
        torch.set_num_threads(n_threads)


class Backbone:
    """A network up to a named layer, on one device."""

    def __init__(
        self,
        network: str,
        layer: str,
        weights: Path,
        device: str | None = None,
        input_px: int | None = None,
    ) -> None:
        """Load the network; without ``device`` on CUDA where there is one.

        Frames are brought to ``input_px``, without it to the side that the network was trained on.

        Raises
        ------
        MerecError
            If the weights are not this network's, or it has no such layer.
        """
        self.device = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
        loaded = load_network(network, weights)
        _check_layer(loaded, network, layer)
        self._known, self._layer = find_network(network), layer
        self._input_px = input_px or self._known.input_px
        self._extractor = _cut(loaded, layer).to(self.device).eval()
        self._mean = _mean(self._known, loaded, self._input_px).to(self.device)
        self._std = torch.tensor(self._known.std, device=self.device).view(1, -1, 1, 1)

    def activations(
        self, frames: NDArray[np.float32], *, of_changes: bool = False
    ) -> NDArray[np.float32]:
        """Return the layer's output for the frames of one clip.

        The clip is one batch, so that its activations do not depend on other clips. They are
        the same bytes in every run inside ``reproducible``.

        Parameters
        ----------
        frames
            Shape (n_frames, h, w, 3), RGB, 0..255; resized to the network's input.
        of_changes
            Whether they are differences of such frames, -255..255.

        Returns
        -------
        NDArray[np.float32]
            Shape (n_frames, channels, h, w); h = w = 1 for a layer without rows and columns.

        Raises
        ------
        MerecError
            If what the layer gives is not of that shape, as nodes between layers may.
        """
        with torch.inference_mode():
            images = torch.from_numpy(np.ascontiguousarray(frames)).to(self.device)
            batch = self._prepared(
                images.permute(0, 3, 1, 2), of_changes=of_changes
            )  # (n_frames, channels, h, w)
            output = self._extractor(batch)["layer"]
            if not isinstance(output, Tensor) or output.ndim not in {2, 4}:
                msg = f"features.layer: a layer of channels expected, found '{self._layer}'"
                raise MerecError(msg)
            if output.ndim == 2:
                output = output[..., None, None]
            activations: NDArray[np.float32] = output.float().cpu().numpy()
        return activations

    def _prepared(self, images: Tensor, *, of_changes: bool) -> Tensor:
        """Return RGB images, 0..255, as the network was trained to see them.

        Of changes the network's mean is not subtracted, as if it had been added before: where
        nothing changes it sees its mean, which is the 0 of its input, and elsewhere the change in
        the units of its deviation. That is the difference of what it sees of two frames.
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
        return (batch if of_changes else batch - self._mean) / self._std


def _mean(known: Network, loaded: nn.Module, side: int) -> Tensor:
    """Return what is subtracted, (1, channels, 1, 1), or of the image's size for a mean image."""
    mean = torch.tensor(known.mean).view(1, -1, 1, 1)
    if not known.has_mean_image:
        return mean
    image = loaded.get_buffer("mean_image")[None]
    return mean + functional.interpolate(
        image, (side, side), mode="bilinear", antialias=known.antialias, align_corners=False
    )


def _cut(loaded: nn.Module, layer: str) -> nn.Module:
    """Return the network up to a layer."""
    # The warning is about layers that are there in training alone; extraction never trains.
    found: nn.Module = create_feature_extractor(
        loaded, {layer: "layer"}, suppress_diff_warning=True
    )
    return found


def find_device() -> str:
    """Return what networks run on here: the name of the GPU, or "cpu"."""
    return torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu"


def layer_shape(network: str, layer: str, input_px: int | None = None) -> tuple[int, ...]:
    """Return the shape of a layer's output for one frame, (channels, h, w); without weights.

    Raises
    ------
    MerecError
        If the network has no such layer, or cannot take an image of that side.
    """
    check_layer(network, layer)
    shape = layer_shapes(network, [layer], input_px)[layer]
    return shape if len(shape) == 3 else (*shape, 1, 1)


def check_layer(network: str, layer: str, source: str = "") -> None:
    """Raise a ``MerecError`` if a network has no such layer; ``source`` says where it was named."""
    known = find_network(network, source) if source else find_network(network)
    with torch.device("meta"):  # without memory for weights
        built = known.build()
    _check_layer(built, network, layer, f"{source}: " if source else "")


def _check_layer(built: nn.Module, network: str, layer: str, source: str = "") -> None:
    names = get_graph_node_names(built, suppress_diff_warning=True)[1]
    if layer not in names and not any(name.startswith(f"{layer}.") for name in names):
        usual = find_network(network).layers
        msg = (
            f"{source}a layer of {network} expected, such as {', '.join(usual)}, or one of the "
            f"{len(names) - 1} nodes of its graph, found '{layer}'"
        )
        raise MerecError(msg + nearest(layer, [*usual, *names[1:]]))

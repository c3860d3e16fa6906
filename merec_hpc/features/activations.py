"""Turns frames into the activations of a named layer, or of several."""

import logging
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional
from torch.utils import deterministic

from merec_hpc.config.base import nearest
from merec_hpc.config.features import Precision
from merec_hpc.errors import MerecError
from merec_hpc.networks.counting import layer_shapes
from merec_hpc.networks.cutting import cut, layer_nodes
from merec_hpc.networks.fusing import fuse_batch_norms
from merec_hpc.networks.network import Network
from merec_hpc.networks.registry import find_network
from merec_hpc.networks.weight_sources import load_network

log = logging.getLogger(__name__)

_LUMA = (0.299, 0.587, 0.114)  # of red, green and blue: ITU-R BT.601


@contextmanager
def reproducible() -> Iterator[None]:
    """Let torch give the same bytes in every run, on one thread; afterwards it is as it was.

    What it sets holds for the whole process: threads begin and end inside. A variable that cuBLAS
    reads once stays in the environment.
    """
    n_threads = torch.get_num_threads()
    mode = torch.are_deterministic_algorithms_enabled()
    warn_only = torch.is_deterministic_algorithms_warn_only_enabled()
    cudnn = torch.backends.cudnn
    benchmark, allow_tf32 = cudnn.benchmark, cudnn.allow_tf32
    torch_memory: Any = deterministic  # the module gives way to an object when it is imported
    filled = torch_memory.fill_uninitialized_memory
    torch.set_num_threads(1)
    # Without these, results on CUDA may change from run to run. cuBLAS reads the variable when it
    # is used first.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(mode=True, warn_only=True)
    cudnn.benchmark = False
    # Memory of results is filled before them, which nobody reads.
    torch_memory.fill_uninitialized_memory = False
    # Ten bits of each factor are less than float32 says.
    cudnn.allow_tf32 = False
    try:
        yield
    finally:
        cudnn.benchmark, cudnn.allow_tf32 = benchmark, allow_tf32
        torch_memory.fill_uninitialized_memory = filled
        torch.use_deterministic_algorithms(mode, warn_only=warn_only)
        torch.set_num_threads(n_threads)


class Backbone:
    """A network up to one or several named layers, on one device."""

    def __init__(
        self,
        network: str,
        layers: str | Sequence[str],
        weights: Path,
        device: str | None = None,
        input_px: int | None = None,
        precision: Precision = "float32",
    ) -> None:
        """Load the network; without ``device`` on CUDA where there is one.

        Frames are brought to ``input_px``, without it to the side that the network was trained on.
        Its layers work in ``precision``: in bfloat16 where torch's autocast has them do so.

        Raises
        ------
        MerecError
            If the weights are not this network's, or it has no such layers.
        """
        self._layers = [layers] if isinstance(layers, str) else list(layers)
        self.device = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
        loaded = load_network(network, weights)
        _check_layers(loaded, network, self._layers)
        self._known = find_network(network)
        self._input_px = input_px or self._known.input_px
        self._precision = getattr(torch, precision)
        self._most_frames = sys.maxsize  # at a time: fewer where memory was short
        self._shrinking = Lock()
        fuse_batch_norms(loaded)
        self._extractor = cut(loaded, self._layers).to(self.device)
        self._mean = _mean(self._known, loaded, self._input_px).to(self.device)
        self._std = torch.tensor(self._known.std, device=self.device).view(1, -1, 1, 1)

    def activations(
        self, frames: NDArray[np.float32], *, of_changes: bool = False
    ) -> NDArray[np.float32]:
        """Return the output of the layer, of several the first, for some frames.

        As ``activations_of_layers``, which says more.
        """
        return self.activations_of_layers(frames, of_changes=of_changes)[0]

    def activations_of_layers(
        self, frames: NDArray[np.float32], *, of_changes: bool = False
    ) -> list[NDArray[np.float32]]:
        """Return the output of each layer for some frames, from one pass.

        Each is, to the bit, what it is without the others, and the same bytes in every run inside
        ``reproducible``. Where memory is short for all frames at once, half of them pass at a
        time, here and from then on; that is logged, and may change last bits.

        Parameters
        ----------
        frames
            Shape (n_frames, h, w, 3), RGB, 0..255; resized to the network's input.
        of_changes
            Whether they are differences of such frames, -255..255.

        Returns
        -------
        list[NDArray[np.float32]]
            In the order of the layers, each of shape (n_frames, channels, h, w); h = w = 1 for a
            layer without rows and columns.

        Raises
        ------
        MerecError
            If what a layer gives is not of that shape, as nodes between layers may, or memory is
            short for a single frame.
        """
        found: list[list[NDArray[np.float32]]] = []
        start = 0
        while start < len(frames):
            tried = frames[start : start + self._most_frames]
            if (outputs := self._pass(tried, of_changes=of_changes)) is None:
                self._take_fewer_than(len(tried))
            else:
                found.append(outputs)
                start += len(tried)
        if len(found) == 1:
            return found[0]
        return [np.concatenate(layer) for layer in zip(*found, strict=True)]

    def _pass(
        self, frames: NDArray[np.float32], *, of_changes: bool
    ) -> list[NDArray[np.float32]] | None:
        """Return the output of each layer, ``None`` if memory is short."""
        is_mixed = self._precision != torch.float32
        try:
            with (
                torch.inference_mode(),
                torch.autocast(self.device.type, self._precision, enabled=is_mixed),
            ):
                images = self._on_device(frames).permute(0, 3, 1, 2)
                batch = self._prepared(images, of_changes=of_changes)  # (n_frames, channels, h, w)
                outputs = self._extractor(batch)
                return [_as_frames(outputs[layer], layer) for layer in self._layers]
        except RuntimeError as error:
            if not _is_shortage(error):
                raise
            return None

    def _on_device(self, frames: NDArray[np.float32]) -> Tensor:
        images = torch.from_numpy(np.ascontiguousarray(frames))
        if self.device.type == "cuda":  # from memory that cannot be moved, while the device works
            return images.pin_memory().to(self.device, non_blocking=True)
        return images.to(self.device)

    def _take_fewer_than(self, n_frames: int) -> None:
        if n_frames == 1:
            msg = f"memory for one frame expected on {self.device}, found too little"
            raise MerecError(msg)
        with self._shrinking:
            if self._most_frames >= n_frames:  # no other thread has done it
                self._most_frames = n_frames // 2
                log.warning(
                    "Too little memory on %s for %d frames at once: %d from now on",
                    self.device,
                    n_frames,
                    self._most_frames,
                )
        if self.device.type == "cuda":
            torch.cuda.empty_cache()

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


def _is_shortage(error: RuntimeError) -> bool:
    """Return whether memory is short: torch has a class of error for that on devices alone."""
    return isinstance(error, torch.OutOfMemoryError) or "can't allocate memory" in str(error)


def _as_frames(output: object, layer: str) -> NDArray[np.float32]:
    """Return what a layer gives, (n_frames, channels, h, w)."""
    if not isinstance(output, Tensor) or output.ndim not in {2, 4}:
        msg = f"features.layer: a layer of channels expected, found '{layer}'"
        raise MerecError(msg)
    if output.ndim == 2:
        output = output[..., None, None]
    activations: NDArray[np.float32] = output.float().cpu().numpy()
    return activations


def find_device() -> str:
    """Return what networks run on here: the name of the GPU, or "cpu"."""
    return torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu"


def shapes_of_frames(
    network: str, layers: Sequence[str], input_px: int | None = None
) -> list[tuple[int, ...]]:
    """Return the shapes of layers' outputs for one frame, (channels, h, w); without weights.

    Raises
    ------
    MerecError
        If the network has no such layer, or cannot take an image of that side.
    """
    check_layers(network, layers)
    shapes = layer_shapes(network, layers, input_px)
    return [
        shapes[layer] if len(shapes[layer]) == 3 else (*shapes[layer], 1, 1) for layer in layers
    ]


def check_layers(network: str, layers: Sequence[str], source: str = "") -> None:
    """Raise a ``MerecError`` if a network has not all layers; ``source`` says where they were named."""
    known = find_network(network, source) if source else find_network(network)
    with torch.device("meta"):  # without memory for weights
        built = known.build()
    _check_layers(built, network, layers, f"{source}: " if source else "")


def _check_layers(built: nn.Module, network: str, layers: Sequence[str], source: str = "") -> None:
    nodes = layer_nodes(built)
    for layer in layers:
        if layer not in nodes and not any(node.startswith(f"{layer}.") for node in nodes):
            usual = find_network(network).layers
            msg = (
                f"{source}a layer of {network} expected, such as {', '.join(usual)}, or one of the "
                f"{len(nodes) - 1} nodes of its graph, found '{layer}'"
            )
            raise MerecError(msg + nearest(layer, [*usual, *nodes[1:]]))

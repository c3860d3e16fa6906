"""Turns frames into the activations of a named layer, or of several."""

import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from threading import Lock

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from merec_hpc.config.base import nearest
from merec_hpc.config.features import Precision
from merec_hpc.errors import MerecError
from merec_hpc.networks.counting import layer_shapes
from merec_hpc.networks.cutting import cut, layer_nodes
from merec_hpc.networks.devices import is_shortage
from merec_hpc.networks.fusing import fuse_batch_norms
from merec_hpc.networks.preparing import Preparation
from merec_hpc.networks.registry import find_frame_network
from merec_hpc.networks.weight_sources import load_network

log = logging.getLogger(__name__)


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
        known = find_frame_network(network)
        self._precision = getattr(torch, precision)
        self._most_frames = sys.maxsize  # at a time: fewer where memory was short
        self._shrinking = Lock()
        fuse_batch_norms(loaded)
        self._extractor = cut(loaded, self._layers).to(self.device)
        self._preparation = Preparation(known, loaded, input_px, self.device)

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
                batch = self._preparation.prepared(
                    images, of_changes=of_changes
                )  # (n_frames, channels, h, w)
                outputs = self._extractor(batch)
                return [_as_frames(outputs[layer], layer) for layer in self._layers]
        except RuntimeError as error:
            if not is_shortage(error):
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


def _as_frames(output: object, layer: str) -> NDArray[np.float32]:
    """Return what a layer gives, (n_frames, channels, h, w)."""
    if not isinstance(output, Tensor) or output.ndim not in {2, 4}:
        msg = f"features.layer: a layer of channels expected, found '{layer}'"
        raise MerecError(msg)
    if output.ndim == 2:
        output = output[..., None, None]
    activations: NDArray[np.float32] = output.float().cpu().numpy()
    return activations


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
    known = find_frame_network(network, source) if source else find_frame_network(network)
    with torch.device("meta"):  # without memory for weights
        built = known.build()
    _check_layers(built, network, layers, f"{source}: " if source else "")


def _check_layers(built: nn.Module, network: str, layers: Sequence[str], source: str = "") -> None:
    nodes = layer_nodes(built)
    for layer in layers:
        if layer not in nodes and not any(node.startswith(f"{layer}.") for node in nodes):
            usual = find_frame_network(network).layers
            msg = (
                f"{source}a layer of {network} expected, such as {', '.join(usual)}, or one of the "
                f"{len(nodes) - 1} nodes of its graph, found '{layer}'"
            )
            raise MerecError(msg + nearest(layer, [*usual, *nodes[1:]]))

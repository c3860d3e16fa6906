"""What a frame's activations depend on: the size of its batch, its place there, the other frames.

    python benchmarks/batches.py [NETWORK ...]

Every layer that the registry names, random weights, one thread. The first column is the largest
difference between 13 frames at once and in batches of 1, 2, 3, 4 and 8, of the layer's largest value,
with the layer where it is. The second counts layers whose bytes for a frame differ between places
of a batch of 8, 12 or 16, or by what stands in the others.
"""

import logging
import sys
import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from merec_hpc.features.activations import Backbone
from merec_hpc.networks.random_weights import random_weights
from merec_hpc.networks.registry import NETWORKS, frame_networks
from merec_hpc.networks.reproducible import reproducible

N_FRAMES = 13


def main() -> None:
    """Print the table."""
    logging.disable()
    print("| network | layers | by the size, at most | in | by place or others, layers |")
    print("|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        weights = Path(folder) / "weights"
        weights.write_bytes(random_weights(0))
        for name in sys.argv[1:] or frame_networks():
            layers = list(NETWORKS[name].layers)
            backbone = Backbone(name, layers, weights, "cpu")
            with reproducible():
                largest, layer = by_size(backbone, layers, NETWORKS[name].input_px)
                n_other = by_place(backbone, NETWORKS[name].input_px)
            print(f"| {name} | {len(layers)} | {largest:.1e} | {layer} | {n_other} |", flush=True)


def frames_of(n_frames: int, side: int) -> NDArray[np.float32]:
    """Return frames of noise."""
    rng = np.random.default_rng(n_frames)
    return rng.uniform(0, 255, (n_frames, side, side, 3)).astype(np.float32)


def by_size(backbone: Backbone, layers: list[str], side: int) -> tuple[float, str]:
    """Return the largest relative difference that the size of batches makes, and its layer."""
    frames = frames_of(N_FRAMES, side)
    whole = backbone.activations_of_layers(frames)
    largest = (0.0, "-")
    for size in (1, 2, 3, 4, 8):
        parts = [
            backbone.activations_of_layers(frames[start : start + size])
            for start in range(0, N_FRAMES, size)
        ]
        for place, layer in enumerate(layers):
            together = np.concatenate([part[place] for part in parts])
            error = np.abs(together - whole[place]).max() / np.abs(whole[place]).max()
            if error > largest[0]:
                largest = (float(error), layer)
    return largest


def by_place(backbone: Backbone, side: int) -> int:
    """Return how many layers tell a frame by its place, or by the frames beside it."""
    (frame,) = frames_of(1, side)
    differing = set()
    for size in (8, 12, 16):
        repeated = backbone.activations_of_layers(np.repeat(frame[None], size, axis=0))
        mixed = frames_of(size, side)
        mixed[-2:] = frame
        beside = backbone.activations_of_layers(mixed)
        for layer, (alike, other) in enumerate(zip(repeated, beside, strict=True)):
            if (alike != alike[:1]).any() or (other[-2:] != alike[:1]).any():
                differing.add(layer)
    return len(differing)


if __name__ == "__main__":
    main()

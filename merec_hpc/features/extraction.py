"""Turns clips into rows of deep features."""

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from merec_hpc.clips.face_clip import FaceClip
from merec_hpc.config.evaluation import TRANSDUCTIVE
from merec_hpc.config.features import FeatureSettings
from merec_hpc.errors import MerecError
from merec_hpc.features.activations import Backbone, shapes_of_frames
from merec_hpc.features.batches import batched_outputs
from merec_hpc.features.inputs import network_input
from merec_hpc.features.statistics import (
    Activations,
    clip_statistics,
    count_filmed,
    needed_frames,
    statistic_names,
)
from merec_hpc.networks.reproducible import reproducible

log = logging.getLogger(__name__)


def extract(
    clips: Iterable[FaceClip],
    backbone: Backbone,
    settings: FeatureSettings,
    n_threads: int,
) -> Iterator[tuple[NDArray[np.float32], NDArray[np.str_]]]:
    """Yield the features of each clip, shape (n_features,), and their names, in order.

    Frames pass in batches of ``settings.batch_size``, whatever clips they are of, while the next
    clips are read. Neither other clips nor the number of threads change a bit of the result, but for
    ``input`` "subject_mean_removed", which reads the subject's. Torch is as ``reproducible`` sets it until the iterator ends or is closed.

    Raises
    ------
    MerecError
        If a statistic does not fit the layer or a clip, or memory has no room for one frame.
    """
    n_filmed = count_filmed(settings.statistics)
    forward = partial(backbone.activations_of_layers, of_changes=settings.input != "frames")
    stacks = (_stack(clip, settings) for clip in clips)
    names: NDArray[np.str_] | None = None
    with reproducible():
        for layers in batched_outputs(stacks, forward, settings.batch_size, n_threads):
            if names is None:
                names = feature_names(settings, *(layer.shape[1:] for layer in layers))
            yield np.concatenate([_row(layer, n_filmed, settings) for layer in layers]), names


def _stack(clip: FaceClip, settings: FeatureSettings) -> NDArray[np.float32]:
    """Return what the network is to see of a clip: frames as filmed first, then interpolated."""
    needed = needed_frames(clip, settings.statistics)
    seen = [] if needed.filmed is None else [needed.filmed]
    if needed.interpolated is not None:
        seen.append(network_input(needed.interpolated, clip, settings.input))
    return seen[0] if len(seen) == 1 else np.concatenate(seen)


def _row(activations: Activations, n_filmed: int, settings: FeatureSettings) -> NDArray[np.float32]:
    """Return the features of one layer, (n_features,)."""
    filmed, interpolated = activations[:n_filmed], activations[n_filmed:]
    return clip_statistics(
        interpolated if len(interpolated) else None,
        settings.statistics,
        settings.pooling,
        filmed if n_filmed else None,
        normalised=settings.normalised,
    )


@dataclass(frozen=True)
class LayerExtractor:
    """Statistics of a network's layer, or of several."""

    backbone: Backbone
    settings: FeatureSettings

    def extract(
        self, clips: Iterable[FaceClip], n_threads: int
    ) -> Iterator[tuple[NDArray[np.float32], NDArray[np.str_]]]:
        """Yield the features of each clip, and their names."""
        return extract(clips, self.backbone, self.settings, n_threads)


def open_extractor(settings: FeatureSettings, weights: Path | None) -> LayerExtractor:
    """Load the network of the settings, on CUDA where there is one.

    Raises
    ------
    MerecError
        If no weights are given or they are not this network's, or it has no such layer.
    """
    if weights is None:
        msg = f"--weights of {settings.network} expected, found none"
        raise MerecError(msg)
    backbone = Backbone(
        settings.network,
        settings.layers,
        weights,
        input_px=settings.input_px,
        precision=settings.precision,
    )
    log.info("%s on %s", settings.network, backbone.device)
    return LayerExtractor(backbone, settings)


def feature_names(settings: FeatureSettings, *shapes: tuple[int, ...]) -> NDArray[np.str_]:
    """Name the features of layers whose activations of a frame have these shapes, one a layer.

    The network of those that read other clips of the subject is called transductive, which goes
    with them wherever they are written.
    """
    network = settings.network
    if settings.input == "subject_mean_removed":
        network += TRANSDUCTIVE
    return np.concatenate(
        [
            statistic_names(f"{network}/{layer}", settings.statistics, settings.pooling, shape)
            for layer, shape in zip(settings.layers, shapes, strict=True)
        ]
    )


def count_features(settings: FeatureSettings) -> int:
    """Return how many features of a clip there will be; the network is built without weights.

    Raises
    ------
    MerecError
        If there is no such network or layer, or a statistic does not fit it.
    """
    shapes = shapes_of_frames(settings.network, settings.layers, settings.input_px)
    return len(feature_names(settings, *shapes))

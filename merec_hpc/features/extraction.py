"""Turns clips into rows of deep features."""

import logging
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from merec_hpc.clips.face_clip import FaceClip
from merec_hpc.config.features import FeatureSettings
from merec_hpc.errors import MerecError
from merec_hpc.features.activations import Backbone, reproducible, shapes_of_frames
from merec_hpc.features.inputs import network_input
from merec_hpc.features.statistics import (
    Activations,
    NeededFrames,
    clip_statistics,
    needed_frames,
    statistic_names,
)

log = logging.getLogger(__name__)


def extract(
    clips: Iterable[FaceClip],
    backbone: Backbone,
    settings: FeatureSettings,
    n_threads: int,
) -> Iterator[tuple[NDArray[np.float32], NDArray[np.str_]]]:
    """Yield the features of each clip, shape (n_features,), and their names, in order.

    Every thread works on clips of its own with one torch thread, so that the number of
    threads changes no bit of the result.

    Raises
    ------
    MerecError
        If a statistic does not fit the layer or a clip.
    """
    of_changes = settings.input != "frames"

    def describe(needed: NeededFrames) -> tuple[NDArray[np.float32], list[tuple[int, ...]]]:
        interpolated, filmed = (
            [None] * len(settings.layers)
            if frames is None
            else backbone.activations_of_layers(frames, of_changes=of_changes)
            for frames in (needed.interpolated, needed.filmed)
        )
        layers = list(zip(interpolated, filmed, strict=True))
        shapes = [next(one.shape[1:] for one in layer if one is not None) for layer in layers]
        return np.concatenate([_row(*layer, settings) for layer in layers]), shapes

    names: NDArray[np.str_] | None = None
    waiting = (_needed(clip, settings) for clip in clips)
    # A few clips at a time: they need not all be in memory.
    while chunk := list(islice(waiting, 4 * n_threads)):
        # The caller, who works between two rows, has torch as it was.
        with (
            reproducible(),
            ThreadPoolExecutor(n_threads, initializer=torch.set_num_threads, initargs=(1,)) as pool,
        ):
            described = list(pool.map(describe, chunk))
        for values, shapes in described:
            if names is None:
                names = feature_names(settings, *shapes)
            yield values, names


def _row(
    interpolated: Activations | None, filmed: Activations | None, settings: FeatureSettings
) -> NDArray[np.float32]:
    """Return the features of one layer, (n_features,)."""
    return clip_statistics(
        interpolated,
        settings.statistics,
        settings.pooling,
        filmed,
        normalised=settings.normalised,
    )


def _needed(clip: FaceClip, settings: FeatureSettings) -> NeededFrames:
    """Return what the network is to see of a clip."""
    needed = needed_frames(clip, settings.statistics)
    if needed.interpolated is None:
        return needed
    seen = network_input(needed.interpolated, clip, settings.input)
    return replace(needed, interpolated=seen)


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
    backbone = Backbone(settings.network, settings.layers, weights, input_px=settings.input_px)
    log.info("%s on %s", settings.network, backbone.device)
    return LayerExtractor(backbone, settings)


def feature_names(settings: FeatureSettings, *shapes: tuple[int, ...]) -> NDArray[np.str_]:
    """Name the features of layers whose activations of a frame have these shapes, one a layer."""
    return np.concatenate(
        [
            statistic_names(
                f"{settings.network}/{layer}", settings.statistics, settings.pooling, shape
            )
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

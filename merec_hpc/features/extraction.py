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
from merec_hpc.features.activations import Backbone, layer_shape, reproducible
from merec_hpc.features.inputs import network_input
from merec_hpc.features.statistics import (
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

    def describe(needed: NeededFrames) -> tuple[NDArray[np.float32], tuple[int, ...]]:
        found = [
            None if frames is None else backbone.activations(frames, of_changes=of_changes)
            for frames in (needed.interpolated, needed.filmed)
        ]
        values = clip_statistics(
            found[0],
            settings.statistics,
            settings.pooling,
            found[1],
            normalised=settings.normalised,
        )
        shape = next(activations.shape[1:] for activations in found if activations is not None)
        return values, shape

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
        for values, shape in described:
            if names is None:
                names = feature_names(settings, shape)
            yield values, names


def _needed(clip: FaceClip, settings: FeatureSettings) -> NeededFrames:
    """Return what the network is to see of a clip."""
    needed = needed_frames(clip, settings.statistics)
    if needed.interpolated is None:
        return needed
    seen = network_input(needed.interpolated, clip, settings.input)
    return replace(needed, interpolated=seen)


@dataclass(frozen=True)
class LayerExtractor:
    """Statistics of a network's layer."""

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
    backbone = Backbone(settings.network, settings.layer, weights, input_px=settings.input_px)
    log.info("%s on %s", settings.network, backbone.device)
    return LayerExtractor(backbone, settings)


def feature_names(settings: FeatureSettings, shape: tuple[int, ...]) -> NDArray[np.str_]:
    """Name the features of a layer whose activations of a frame have this shape."""
    stem = f"{settings.network}/{settings.layer}"
    return statistic_names(stem, settings.statistics, settings.pooling, shape)


def count_features(settings: FeatureSettings) -> int:
    """Return how many features of a clip there will be; the network is built without weights.

    Raises
    ------
    MerecError
        If there is no such network or layer, or a statistic does not fit it.
    """
    shape = layer_shape(settings.network, settings.layer, settings.input_px)
    return len(feature_names(settings, shape))

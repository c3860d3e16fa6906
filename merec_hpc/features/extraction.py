"""Turns interpolated clips into rows of deep features."""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice

import numpy as np
import torch
from numpy.typing import NDArray

from merec_hpc.config.features import FeatureSettings
from merec_hpc.features.activations import Backbone, reproducible
from merec_hpc.features.statistics import clip_statistics, feature_names


def extract(
    clips: Iterable[NDArray[np.float32]],
    backbone: Backbone,
    settings: FeatureSettings,
    n_threads: int,
) -> Iterator[tuple[NDArray[np.float32], NDArray[np.str_]]]:
    """Yield the features of each clip, shape (n_features,), and their names, in order.

    Every thread works on clips of its own with one torch thread, so that the number of
    threads changes no bit of the result.

    Parameters
    ----------
    clips
        Clips of shape (n_frames, h, w, 3), RGB, 0..255.
    """

    def describe(frames: NDArray[np.float32]) -> tuple[NDArray[np.float32], tuple[int, ...]]:
        activations = backbone.activations(frames)
        values = clip_statistics(activations, settings.statistics, settings.pooling)
        return values, activations.shape[1:]

    names: NDArray[np.str_] | None = None
    waiting = iter(clips)
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

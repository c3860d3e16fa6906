"""Turns the activations of a clip into statistics over space and time, and names them."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from merec_hpc.config import FeatureSettings


def temporal_statistics(
    activations: NDArray[np.float32], statistics: Sequence[str], pooling: str
) -> NDArray[np.float32]:
    """Return statistics over the frames of a clip, one block per statistic.

    Parameters
    ----------
    activations
        Shape (n_frames, channels, h, w).
    statistics
        Of "mean", "variance" and "std" (both with ddof = 0), in the order of the blocks.
    pooling
        "mean" averages each frame over rows and columns first; "none" keeps them.

    Returns
    -------
    NDArray[np.float32]
        Shape (n_statistics * channels,) or (n_statistics * channels * h * w,).

    References
    ----------
    Qi et al.: Dynamic texture and scene classification by transferring deep image features,
    Neurocomputing 2016, doi:10.1016/j.neucom.2015.07.071; paper 1, IV.B.3.
    """
    # Sums in float64: a standard deviation is small beside the mean it is taken about.
    series = activations.astype(np.float64)
    if pooling == "mean":
        series = series.mean(axis=(2, 3), keepdims=True)
    series = series.reshape(len(series), -1)  # (n_frames, channels [* h * w])
    blocks = {"mean": series.mean(axis=0)}
    blocks["variance"] = series.var(axis=0)
    blocks["std"] = np.sqrt(blocks["variance"])
    return np.concatenate([blocks[name] for name in statistics]).astype(np.float32)


def feature_names(settings: FeatureSettings, shape: tuple[int, ...]) -> NDArray[np.str_]:
    """Name the features ``backbone/layer/channel/row/column/statistic``.

    Parameters
    ----------
    shape
        Of the activations of a frame, (channels, h, w). Where rows and columns are pooled,
        the name says ``mean`` in their place.
    """
    channels, height, width = shape
    stem = f"{settings.network}/{settings.layer}"
    if settings.pooling == "mean":
        places = [f"{channel}/mean/mean" for channel in range(channels)]
    else:
        places = [
            f"{channel}/{row}/{column}"
            for channel in range(channels)
            for row in range(height)
            for column in range(width)
        ]
    names = [
        f"{stem}/{place}/temporal_{statistic}"
        for statistic in settings.statistics
        for place in places
    ]
    return np.array(names)

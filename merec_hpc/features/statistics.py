"""Turns the activations of a clip into statistics over space and time, and names them."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from merec_hpc.config.features import FeatureSettings
from merec_hpc.errors import MerecError


def clip_statistics(
    activations: NDArray[np.float32], statistics: Sequence[str], pooling: str
) -> NDArray[np.float32]:
    """Return statistics over the frames or the places of a clip, one block per statistic.

    Parameters
    ----------
    activations
        Shape (n_frames, channels, h, w).
    statistics
        Of "mean", "variance" and "std" (both with ddof = 0) over frames, and of "spatial_mean",
        "spatial_variance" and "spatial_std" over the rows and columns of the clip's mean frame,
        in the order of the blocks.
    pooling
        Before statistics over frames "mean" averages each frame over rows and columns; "none"
        keeps them.

    Returns
    -------
    NDArray[np.float32]
        Blocks of channels, or of channels * h * w values for statistics over frames that keep
        their places.

    References
    ----------
    Qi et al.: Dynamic texture and scene classification by transferring deep image features,
    Neurocomputing 2016, doi:10.1016/j.neucom.2015.07.071; paper 1, IV.B.3.
    """
    # Sums in float64: a standard deviation is small beside the mean it is taken about.
    activations = activations.astype(np.float64)
    mean_frame = activations.mean(axis=0)
    places = mean_frame.reshape(len(mean_frame), -1)  # (channels, h * w)
    series = activations.mean(axis=(2, 3), keepdims=True) if pooling == "mean" else activations
    series = series.reshape(len(series), -1)  # (n_frames, channels [* h * w])
    blocks = {"mean": series.mean(axis=0), "spatial_mean": places.mean(axis=1)}
    blocks["variance"] = series.var(axis=0)
    blocks["spatial_variance"] = places.var(axis=1)
    blocks["std"] = np.sqrt(blocks["variance"])
    blocks["spatial_std"] = np.sqrt(blocks["spatial_variance"])
    return np.concatenate([blocks[name] for name in statistics]).astype(np.float32)


def feature_names(settings: FeatureSettings, shape: tuple[int, ...]) -> NDArray[np.str_]:
    """Name the features ``backbone/layer/channel/row/column/statistic``.

    Parameters
    ----------
    shape
        Of the activations of a frame, (channels, h, w). Where rows and columns are pooled,
        the name says ``mean`` in their place, and ``all`` where a statistic is over them.

    Raises
    ------
    MerecError
        If a spatial statistic is asked of a layer of one row and column.
    """
    channels, height, width = shape
    spatial = [name for name in settings.statistics if name.startswith("spatial_")]
    if spatial and height * width == 1:
        msg = f"features.statistics {spatial[0]}: a layer with rows and columns expected, "
        msg += f"found '{settings.layer}' of one value a channel"
        raise MerecError(msg)
    stem = f"{settings.network}/{settings.layer}"
    pooled = [f"{channel}/mean/mean" for channel in range(channels)]
    everywhere = [f"{channel}/all/all" for channel in range(channels)]
    kept = [
        f"{channel}/{row}/{column}"
        for channel in range(channels)
        for row in range(height)
        for column in range(width)
    ]
    names = []
    for statistic in settings.statistics:
        if statistic in spatial:
            names += [f"{stem}/{place}/{statistic}" for place in everywhere]
        else:
            places = pooled if settings.pooling == "mean" else kept
            names += [f"{stem}/{place}/temporal_{statistic}" for place in places]
    return np.array(names)

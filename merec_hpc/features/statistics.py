"""Turns the activations of a clip into statistics over space and time, and names them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from merec_hpc.clips.face_clip import FaceClip
from merec_hpc.config.features import DIFFERENCES
from merec_hpc.errors import MerecError

Activations = NDArray[np.float32]  # (n_frames, channels, h, w)


@dataclass(frozen=True)
class NeededFrames:
    """The frames of a clip that some statistics are made of."""

    interpolated: NDArray[np.float32] | None  # (n_interpolated, size, size, 3)
    filmed: NDArray[np.float32] | None  # (1 or 2, size, size, 3): onset, apex


def count_filmed(statistics: Sequence[str]) -> int:
    """Return how many frames statistics need as filmed: none, the onset, or onset and apex."""
    if "apex_difference" in statistics:
        return 2
    return 1 if DIFFERENCES.intersection(statistics) else 0


def needed_frames(clip: FaceClip, statistics: Sequence[str]) -> NeededFrames:
    """Return the frames that statistics need: interpolated ones, onset and apex as filmed.

    Raises
    ------
    MerecError
        If a difference is asked of a clip of a single frame.
    """
    filmed = None
    if n_filmed := count_filmed(statistics):
        relative = next(name for name in statistics if name in DIFFERENCES)
        clip.check_moves(f"statistic {relative}")
        places = [0, clip.apex][:n_filmed]
        filmed = np.stack([clip.frames[place] for place in places]).astype(np.float32)
    over_time = set(statistics) - {"apex_difference"}
    return NeededFrames(clip.interpolated() if over_time else None, filmed)


def clip_statistics(
    activations: Activations | None,
    statistics: Sequence[str],
    pooling: str,
    filmed: Activations | None = None,
    *,
    normalised: bool = False,
) -> NDArray[np.float32]:
    """Return statistics over the frames or the places of a clip, one block per statistic.

    Where all that a variance or a deviation is of is equal, it is exactly 0.

    Parameters
    ----------
    activations
        Of interpolated frames, (n_frames, channels, h, w); not needed for "apex_difference".
    statistics
        Of "mean", "variance" and "std" (both with ddof = 0) over frames, of "spatial_mean",
        "spatial_variance" and "spatial_std" over the rows and columns of the clip's mean frame,
        "spatiotemporal_mean", "spatiotemporal_variance" and "spatiotemporal_std" over the rows and
        columns of all frames at once, and relative to the onset frame: "apex_difference", "mean_difference" of the mean frame,
        and "max_difference", of each feature its largest change by size, with its sign; in the
        order of the blocks.
    pooling
        Before statistics over frames "mean" averages each frame over rows and columns; "none"
        keeps them.
    filmed
        Of the onset and, for "apex_difference", of the apex, as filmed.
    normalised
        Whether each block is divided by its Euclidean norm; a block of zeros stays as it is.

    Returns
    -------
    NDArray[np.float32]
        Blocks of channels values, or of channels * h * w for statistics over frames that keep
        their places.

    References
    ----------
    Qi et al.: Dynamic texture and scene classification by transferring deep image features,
    Neurocomputing 2016, doi:10.1016/j.neucom.2015.07.071; paper 1, IV.B.3.
    """
    blocks: dict[str, NDArray[np.float64]] = {}
    onset = None if filmed is None else _series(filmed, pooling)[0]
    if filmed is not None and len(filmed) > 1:
        blocks["apex_difference"] = _series(filmed, pooling)[1] - onset
    if activations is not None:
        blocks |= _over_time(activations, pooling, onset)
        if any(name.startswith("spatial_") for name in statistics):
            blocks |= _over_space(activations)
        if any(name.startswith("spatiotemporal_") for name in statistics):
            blocks |= _over_both(activations)
    chosen = [blocks[name] for name in statistics]
    if normalised:
        chosen = [_unit_length(block) for block in chosen]
    return np.concatenate(chosen).astype(np.float32)


def _series(activations: Activations, pooling: str) -> NDArray[np.float64]:
    """Return what is followed over the frames, (n_frames, channels [* h * w]).

    Sums in float64: a deviation, or a change, is small beside what it is taken from.
    """
    exact = activations.astype(np.float64)
    kept = exact.mean(axis=(2, 3), keepdims=True) if pooling == "mean" else exact
    return kept.reshape(len(kept), -1)


def _over_time(
    activations: Activations, pooling: str, onset: NDArray[np.float64] | None
) -> dict[str, NDArray[np.float64]]:
    series = _series(activations, pooling)
    blocks = _moments("", series, 0)
    if onset is not None:
        changes = series - onset
        largest = np.abs(changes).argmax(axis=0)
        blocks["mean_difference"] = changes.mean(axis=0)
        blocks["max_difference"] = np.take_along_axis(changes, largest[None], axis=0)[0]
    return blocks


def _over_space(activations: Activations) -> dict[str, NDArray[np.float64]]:
    mean_frame = activations.astype(np.float64).mean(axis=0)
    return _moments("spatial_", mean_frame.reshape(len(mean_frame), -1), 1)  # (channels, h * w)


def _over_both(activations: Activations) -> dict[str, NDArray[np.float64]]:
    channels = activations.shape[1]
    together = activations.astype(np.float64).swapaxes(0, 1).reshape(channels, -1)
    return _moments("spatiotemporal_", together, 1)


def _moments(prefix: str, values: NDArray[np.float64], axis: int) -> dict[str, NDArray[np.float64]]:
    """Return mean, variance and standard deviation along an axis of two.

    The mean of equal numbers may be rounded, which would leave a variance of about 1e-32 of
    their square.
    """
    variance = values.var(axis=axis)
    variance[values.min(axis=axis) == values.max(axis=axis)] = 0.0
    moments = {"mean": values.mean(axis=axis), "variance": variance, "std": np.sqrt(variance)}
    return {f"{prefix}{name}": moment for name, moment in moments.items()}


def _unit_length(block: NDArray[np.float64]) -> NDArray[np.float64]:
    length = np.linalg.norm(block)
    return block / length if length else block


def statistic_names(
    stem: str, statistics: Sequence[str], pooling: str, shape: tuple[int, ...]
) -> NDArray[np.str_]:
    """Name the features ``backbone/layer/channel/row/column/statistic``.

    Parameters
    ----------
    stem
        ``backbone/layer``.
    shape
        Of the activations of a frame, (channels, h, w). Where rows and columns are pooled,
        the name says ``mean`` in their place, and ``all`` where a statistic is over them.

    Raises
    ------
    MerecError
        If a spatial statistic is asked of a layer of one row and column.
    """
    channels, height, width = shape
    spatial = [name for name in statistics if name.startswith("spatial_")]
    over_places = {*spatial, *(name for name in statistics if name.startswith("spatiotemporal_"))}
    if spatial and height * width == 1:
        msg = f"features.statistics {spatial[0]}: a layer with rows and columns expected, "
        msg += f"found '{stem.partition('/')[2]}' of one value a channel"
        raise MerecError(msg)
    pooled = [f"{channel}/mean/mean" for channel in range(channels)]
    everywhere = [f"{channel}/all/all" for channel in range(channels)]
    kept = [
        f"{channel}/{row}/{column}"
        for channel in range(channels)
        for row in range(height)
        for column in range(width)
    ]
    names = []
    for statistic in statistics:
        if statistic in over_places:
            names += [f"{stem}/{place}/{statistic}" for place in everywhere]
        else:
            name = statistic if statistic in DIFFERENCES else f"temporal_{statistic}"
            names += [f"{stem}/{place}/{name}" for place in (pooled if pooling == "mean" else kept)]
    return np.array(names)

"""Statistics of a clip's activations by loops over numbers, in double precision."""

from collections.abc import Iterable, Sequence
from math import fsum, sqrt

import numpy as np
from numpy.typing import NDArray


def described(
    activations: NDArray[np.float32],
    statistics: Sequence[str],
    pooling: str,
    filmed: NDArray[np.float32],
    *,
    normalised: bool,
) -> NDArray[np.float64]:
    """Return what ``clip_statistics`` does; ``filmed`` are onset and apex."""
    values: list[float] = []
    for statistic in statistics:
        block = _block(activations, statistic, pooling, filmed)
        length = sqrt(fsum(value * value for value in block))
        values += [value / length for value in block] if normalised and length else block
    return np.array(values)


def _block(
    activations: NDArray[np.float32], statistic: str, pooling: str, filmed: NDArray[np.float32]
) -> list[float]:
    channels, height, width = activations.shape[1:]
    places = [(row, column) for row in range(height) for column in range(width)]
    block = []
    for channel in range(channels):
        frames = [[float(frame[channel][place]) for place in places] for frame in activations]
        ends = [[float(frame[channel][place]) for place in places] for frame in filmed]
        kind, _, moment = statistic.partition("_")
        if kind == "spatial":
            block.append(_moment(moment, [_mean(values) for values in zip(*frames, strict=True)]))
        elif kind == "spatiotemporal":
            block.append(_moment(moment, [value for frame in frames for value in frame]))
        else:
            if pooling == "mean":
                frames, ends = [[_mean(frame)] for frame in frames], [[_mean(end)] for end in ends]
            for series, (onset, apex) in zip(
                zip(*frames, strict=True), zip(*ends, strict=True), strict=True
            ):
                block.append(_followed(statistic, series, onset, apex))
    return block


def _followed(statistic: str, series: Sequence[float], onset: float, apex: float) -> float:
    if statistic == "apex_difference":
        return apex - onset
    changes = [value - onset for value in series]
    if statistic == "mean_difference":
        return _mean(changes)
    if statistic == "max_difference":
        return max(changes, key=abs)
    return _moment(statistic, series)


def _moment(name: str, values: Sequence[float]) -> float:
    middle = _mean(values)
    variance = _mean([(value - middle) ** 2 for value in values])
    if min(values) == max(values):
        variance = 0.0
    return {"mean": middle, "variance": variance, "std": sqrt(variance)}[name]


def _mean(values: Iterable[float]) -> float:
    known = list(values)
    return fsum(known) / len(known)

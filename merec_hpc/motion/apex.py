"""Finds the apex of a clip: the frame in which the face differs most from the onset.

A curve says how much each frame differs from the first one, by one of three measures. It is
smoothed a little over time, and the apex is its largest value or, in D&C-RoIs, what a search
among its peaks ends at. One frame is in memory at a time.
"""

from collections.abc import Callable, Iterable, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from merec_hpc.config.motion import ApexMethod, FlowSettings
from merec_hpc.errors import MerecError
from merec_hpc.motion.optical_flow import Grey, grey_frame, open_flow

Curve = NDArray[np.float64]  # (n_frames,), how much a frame differs from the onset
Points = NDArray[np.float32]  # (68, 2), landmarks of the onset, pixels of its registered frame
Measure = Callable[[Grey], float]

# Chosen on the simulated presets vis and hs, seed 0; benchmarks/apexes.py has those of seed 1.
_TIME_SMOOTHING = 0.02  # standard deviation, as a part of the clip's length
_DIFFERENCE_SMOOTHING_PX, _PATTERN_SMOOTHING_PX = 1.0, 3.0  # standard deviations
_FLOW_STEP = 4  # pixels
_N_BLOCKS = 5  # of a region, along each side
_MARGIN = 0.1  # around a region's landmarks, as a part of its longer side

_REGIONS = (
    np.r_[17:22, 36:42],  # the eye and brow on the left of the image
    np.r_[22:27, 42:48],  # those on the right
    np.r_[48:68],  # the mouth
)
_CIRCLE = ((-1, -1), (-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1))


def find_apex(
    frames: Iterable[NDArray[np.uint8]], landmarks: NDArray[np.float32], method: ApexMethod
) -> int:
    """Return the place of the apex, from 0 = onset.

    It is 0 for a single frame, and otherwise at least 1. Of equal frames the first is taken.

    Parameters
    ----------
    frames
        (size, size, 3) each, RGB, registered on one reference face; the first is the onset. They
        are read once, one at a time.
    landmarks
        (n_frames, 68, 2), pixels of the registered frames; those of the onset are used. NaN
        where there are none: the whole image then stands for the face.
    method
        What is measured, see ``apex_curve``. ``difference`` and ``flow`` take the largest value of
        the smoothed curve, ``dc_rois`` searches as ``divide_and_conquer`` does.

    Raises
    ------
    MerecError
        If ``dc_rois`` is asked for and there are no landmarks.
    ValueError
        If there are no frames, or not as many landmarks as frames.
    """
    return apex_of_curve(apex_curve(frames, landmarks, method), method)


def apex_curve(
    frames: Iterable[NDArray[np.uint8]], landmarks: NDArray[np.float32], method: ApexMethod
) -> Curve:
    """Return how much each frame differs from the onset, (n_frames,), 0 for the onset itself.

    * ``difference``: mean absolute difference of grey values (0 to 255) within the hull of the
      landmarks. Frames are smoothed against noise; of each difference, what a change of light and
      a small shift of the head explain is left out: its least-squares part along a constant and
      the two derivatives of the onset.
    * ``flow``: mean length, in pixels, of the DIS flow from the onset within the hull of the
      landmarks; the median flow, which is the head's, is taken off.
    * ``dc_rois``: 1 less the correlation (0 to 2) of histograms of uniform local binary patterns,
      8 neighbours at 1 pixel, of smoothed frames; the mean over 5 x 5 blocks of each of three
      regions: left eye and brow, right eye and brow, mouth. The offset is not used. Nothing is
      left out: motion of the head that registration leaves counts as well.

    Parameters and errors are those of ``find_apex``; nothing is smoothed over time.

    References
    ----------
    Liong et al.: Automatic apex frame spotting in micro-expression database, ACPR 2015,
    doi:10.1109/ACPR.2015.7486586 (D&C-RoIs).
    """
    coming = iter(frames)
    onset = next(coming, None)
    if onset is None:
        msg = "at least one frame expected, found none"
        raise ValueError(msg)
    measure = _MEASURES[method](grey_frame(onset), landmarks[0])
    curve = np.array([0.0, *(measure(grey_frame(frame)) for frame in coming)])
    if len(landmarks) != len(curve):
        msg = f"landmarks of {len(curve)} frames expected, found {len(landmarks)}"
        raise ValueError(msg)
    return curve


def apex_of_curve(curve: Curve, method: ApexMethod) -> int:
    """Return the place of the apex of a clip whose curve is known, as ``find_apex`` does."""
    if len(curve) < 3:
        return len(curve) - 1
    smooth = smooth_over_time(curve)
    if method == "dc_rois":
        return divide_and_conquer(smooth)
    return 1 + int(smooth[1:].argmax())


def smooth_over_time(curve: Curve) -> Curve:
    """Return the curve under a Gaussian whose width is in proportion to the clip's length.

    The standard deviation is 0.02 of the number of frames, the reach three of them; the first
    and the last value go on beyond the ends.
    """
    spread = _TIME_SMOOTHING * len(curve)
    reach = int(np.ceil(3 * spread))
    weights = np.exp(-(np.arange(-reach, reach + 1) ** 2) / (2 * spread**2))
    padded = np.pad(curve, reach, mode="edge")
    smooth = np.zeros(len(curve))
    # Every value adds up in one order, so that equal neighbourhoods stay equal.
    for first, weight in enumerate(weights / weights.sum()):
        smooth += weight * padded[first : first + len(curve)]
    return smooth


def divide_and_conquer(curve: Curve) -> int:
    """Return the frame at which the search of D&C-RoIs ends.

    A peak is higher than the frame before and not lower than the one after; neither the onset nor
    the last frame is one. All frames but the onset are cut in two halves, the first one shorter
    where they are odd; the half whose peaks have the larger sum is kept, the first one of equals;
    and so on until one frame is left. Without a peak, the highest frame is returned.

    Parameters
    ----------
    curve
        (n_frames >= 2,), not negative.

    References
    ----------
    Liong et al., ACPR 2015, doi:10.1109/ACPR.2015.7486586.
    """
    middle = curve[1:-1]
    is_peak = (middle > curve[:-2]) & (middle >= curve[2:])
    if not is_peak.any():
        return 1 + int(curve[1:].argmax())
    heights = np.concatenate([[0.0], np.where(is_peak, middle, 0.0), [0.0]])
    first, end = 1, len(curve)
    while end - first > 1:
        half = (first + end) // 2
        if heights[first:half].sum() >= heights[half:end].sum():
            end = half
        else:
            first = half
    return first


def _difference(onset: Grey, landmarks: Points) -> Measure:
    face = _face(landmarks, onset.shape)
    first = _smoothed(onset, _DIFFERENCE_SMOOTHING_PX)
    down, right = np.gradient(first, axis=0), np.gradient(first, axis=1)
    explained = _orthonormal([np.ones(face.sum()), right[face], down[face]])

    def measure(grey: Grey) -> float:
        rest = (_smoothed(grey, _DIFFERENCE_SMOOTHING_PX) - first)[face]
        for axis in explained:
            rest = rest - (rest * axis).sum() * axis
        return float(np.abs(rest).mean())

    return measure


def _flow(onset: Grey, landmarks: Points) -> Measure:
    # This preset's flow is of a quarter of the resolution along each side.
    every = (slice(None, None, _FLOW_STEP), slice(None, None, _FLOW_STEP))
    places = np.flatnonzero(_face(landmarks, onset.shape)[every])
    compute = open_flow(FlowSettings(method="dis", preset="fast"))
    middle = len(places) // 2

    def measure(grey: Grey) -> float:
        flow = compute(onset, grey)[every].reshape(-1, 2)[places]
        flow -= np.partition(flow, middle, axis=0)[middle]  # the median, at a third of its time
        return float(np.hypot(flow[:, 0], flow[:, 1]).mean(dtype=np.float64))

    return measure


def _dc_rois(onset: Grey, landmarks: Points) -> Measure:
    if np.isnan(landmarks).any():
        msg = "apex.method dc_rois: landmarks expected, found none (faces.registration none)"
        raise MerecError(msg)
    regions = [_region(landmarks[points], onset.shape) for points in _REGIONS]
    first = _histograms(onset, regions)

    def measure(grey: Grey) -> float:
        return float(1 - _correlations(first, _histograms(grey, regions)).mean())

    return measure


_MEASURES: dict[ApexMethod, Callable[[Grey, Points], Measure]] = {
    "difference": _difference,
    "flow": _flow,
    "dc_rois": _dc_rois,
}


def _face(landmarks: Points, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Return which pixels lie within the hull of the landmarks; all if there are none in sight."""
    if np.isnan(landmarks).any():
        return np.ones(shape, np.bool_)
    face = np.zeros(shape, np.uint8)
    cv2.fillConvexPoly(face, cv2.convexHull(np.rint(landmarks).astype(np.int32)), [1])
    in_sight = face[::_FLOW_STEP, ::_FLOW_STEP].any()
    return face.astype(np.bool_) if in_sight else np.ones(shape, np.bool_)


def _smoothed(grey: Grey, spread_px: float) -> NDArray[np.float64]:
    """Return a frame under a Gaussian of this standard deviation."""
    return np.asarray(cv2.GaussianBlur(grey.astype(np.float32), (0, 0), spread_px), np.float64)


def _orthonormal(vectors: Sequence[NDArray[np.float64]]) -> list[NDArray[np.float64]]:
    """Return axes that span the vectors; those that others span have none (Gram-Schmidt)."""
    # Not by LAPACK, whose last digits depend on its number of threads.
    axes: list[NDArray[np.float64]] = []
    for vector in vectors:
        rest = vector
        for axis in axes:
            rest = rest - (rest * axis).sum() * axis
        length = np.sqrt((rest**2).sum())
        if length > 1e-6 * np.sqrt((vector**2).sum()):
            axes.append(rest / length)
    return axes


def _region(points: Points, shape: tuple[int, ...]) -> tuple[slice, slice]:
    """Return the rows and columns around some landmarks, within the image."""
    low, high = points.min(axis=0), points.max(axis=0)
    margin = _MARGIN * (high - low).max()
    size = np.array([shape[1], shape[0]])
    left, top = np.clip(np.floor(low - margin).astype(int), 0, size - 1)
    right, bottom = np.clip(np.ceil(high + margin).astype(int), 1, size)
    return slice(top, bottom), slice(left, right)


def _uniform_bins() -> NDArray[np.intp]:
    """Return the bin of each of 256 patterns: 58 uniform ones apart, all others in the last."""
    bits = np.arange(256)[:, None] >> np.arange(8) & 1
    is_uniform = (bits != np.roll(bits, 1, axis=1)).sum(axis=1) <= 2
    return np.where(is_uniform, np.cumsum(is_uniform) - 1, is_uniform.sum())


_BINS = _uniform_bins()
_N_BINS = int(_BINS.max()) + 1


def _histograms(grey: Grey, regions: Sequence[tuple[slice, slice]]) -> NDArray[np.int64]:
    """Return the counts of patterns of all blocks of all regions, (n_blocks, n_bins)."""
    bins = _BINS[_patterns(_smoothed(grey, _PATTERN_SMOOTHING_PX))]
    return np.concatenate([_block_histograms(bins[region]) for region in regions])


def _patterns(image: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Return the local binary pattern of each pixel; border pixels go on beyond the image."""
    height, width = image.shape
    padded = np.pad(image, 1, mode="edge")
    patterns = np.zeros(image.shape, np.uint8)
    for bit, (down, right) in enumerate(_CIRCLE):
        neighbour = padded[1 + down : 1 + down + height, 1 + right : 1 + right + width]
        patterns |= (neighbour >= image).astype(np.uint8) << bit
    return patterns


def _block_histograms(bins: NDArray[np.intp]) -> NDArray[np.int64]:
    """Return the counts of the blocks of a region, (n_blocks, n_bins)."""
    row, column = (np.arange(size) * _N_BLOCKS // size for size in bins.shape)
    numbers = (row[:, None] * _N_BLOCKS + column) * _N_BINS + bins
    n_blocks = _N_BLOCKS**2
    return np.bincount(numbers.ravel(), minlength=n_blocks * _N_BINS).reshape(n_blocks, _N_BINS)


def _correlations(first: NDArray[np.int64], second: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the correlation of each two histograms; 1 for blocks without a pixel."""
    a = first - first.mean(axis=1, keepdims=True)
    b = second - second.mean(axis=1, keepdims=True)
    power = np.sqrt((a**2).sum(axis=1) * (b**2).sum(axis=1))
    agreement = np.ones(len(a))
    np.divide((a * b).sum(axis=1), power, out=agreement, where=power > 0)
    return agreement

"""In which directions a face moves: histograms of blocks, main directions of regions."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from merec_hpc.errors import MerecError
from merec_hpc.motion.optical_flow import Flow, Strain, Valid
from merec_hpc.motion.regions import region_masks

_LEAST_PX = 0.01  # a shorter vector has no direction: flow is not as exact as that


def hoof(
    flow: Flow,
    strain: Strain,
    is_valid: Valid | None,
    n_blocks: int,
    n_bins: int,
    weights: Literal["none", "bi_woof"] = "none",
) -> NDArray[np.float64]:
    """Return histograms of oriented flow, (n_blocks, n_blocks, n_bins).

    Bin b holds directions from 2 pi b / n_bins to the next, from the right (0) by way of down.
    Each pixel that was filmed votes in its block with its magnitude. The full circle is kept:
    Chaudhry et al. fold left onto right, which here would make one of a raised and a drawn
    corner of the mouth.

    With ``none`` each block's histogram has the sum 1. With ``bi_woof`` a block's sums of
    magnitudes (the local weight) are multiplied by the mean strain of its filmed pixels (the
    global weight), and all blocks together have the sum 1. What has no motion stays 0.

    Raises
    ------
    MerecError
        If there are more blocks than pixels.

    References
    ----------
    Chaudhry et al.: Histograms of oriented optical flow and Binet-Cauchy kernels on nonlinear
    dynamical systems for the recognition of human actions, CVPR 2009,
    doi:10.1109/CVPR.2009.5206821. Liong et al.: Less is more: micro-expression recognition from
    video using apex frame, Signal Processing: Image Communication 2018,
    doi:10.1016/j.image.2017.11.006.
    """
    blocks = _blocks(flow.shape[0], flow.shape[1], n_blocks)
    counts = np.ones(blocks.shape) if is_valid is None else is_valid.astype(np.float64)
    u, v = np.moveaxis(flow.astype(np.float64), 2, 0)
    places = blocks * n_bins + _bins(u, v, n_bins)
    votes = _sums(places, np.hypot(u, v) * counts, n_blocks**2 * n_bins)
    histograms = votes.reshape(n_blocks**2, n_bins)
    wholes = histograms.sum(axis=1, keepdims=True)
    if weights == "bi_woof":
        n_pixels = _sums(blocks, counts, n_blocks**2)
        strains = _shares(_sums(blocks, strain * counts, n_blocks**2), n_pixels)
        histograms = histograms * strains[:, None]
        wholes = histograms.sum(keepdims=True)
    return _shares(histograms, wholes).reshape(n_blocks, n_blocks, n_bins)


def mdmo(
    flow: Flow, is_valid: Valid | None, landmarks: NDArray[np.floating], n_bins: int
) -> NDArray[np.float64]:
    """Return the main direction's mean flow in each region, (36, 2): magnitude and angle.

    The main direction of a region is the bin, as of ``hoof``, that most vectors point to, the
    first of several; vectors shorter than 0.01 pixels and pixels that were not filmed are not
    counted. The magnitude (pixels) and the angle (radians, above -pi to pi) are those of the
    mean vector, so that angles on both sides of pi do not cancel. Both are 0 where nothing is
    counted.

    Parameters
    ----------
    landmarks
        (68, 2), of the onset frame on the registered face, which is square.

    References
    ----------
    Liu et al.: A main directional mean optical flow feature for spontaneous micro-expression
    recognition, IEEE TAFFC 2016, doi:10.1109/TAFFC.2015.2485205.
    """
    u, v = np.moveaxis(flow.astype(np.float64), 2, 0)
    counts = np.hypot(u, v) >= _LEAST_PX
    if is_valid is not None:
        counts &= is_valid
    bins = _bins(u, v, n_bins)
    insides = region_masks(landmarks, len(flow)) & counts
    means = [_main_mean(u[inside], v[inside], bins[inside]) for inside in insides]
    across, down = np.array(means).T
    return np.stack([np.hypot(across, down), np.arctan2(down, across)], axis=1)


def _main_mean(
    u: NDArray[np.float64], v: NDArray[np.float64], bins: NDArray[np.int64]
) -> tuple[float, float]:
    """Return the mean of the vectors in the bin that holds most, or (0, 0) of none."""
    if not len(bins):
        return 0.0, 0.0
    main = bins == np.bincount(bins).argmax()
    return float(u[main].mean()), float(v[main].mean())


def _bins(u: NDArray[np.float64], v: NDArray[np.float64], n_bins: int) -> NDArray[np.int64]:
    """Return the bin of each vector's direction."""
    turns = np.arctan2(v, u) / (2 * np.pi)
    # An angle a hair below 0 becomes a whole turn, and belongs to the first bin.
    return np.floor(turns % 1 * n_bins).astype(np.int64) % n_bins


def _blocks(height: int, width: int, n_blocks: int) -> NDArray[np.int64]:
    """Return the number of each pixel's block, (h, w), row by row."""
    if n_blocks > min(height, width):
        msg = (
            f"flow.n_blocks {n_blocks}: at most as many blocks as pixels expected, found faces of "
            f"{height} x {width}"
        )
        raise MerecError(msg)
    rows = np.arange(height) * n_blocks // height
    columns = np.arange(width) * n_blocks // width
    return rows[:, None] * n_blocks + columns


def _sums(
    places: NDArray[np.int64], values: NDArray[np.float64], n_places: int
) -> NDArray[np.float64]:
    """Return the sum of the values at each place."""
    return np.asarray(np.bincount(places.ravel(), values.ravel(), n_places), np.float64)


def _shares(parts: NDArray[np.float64], wholes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return parts of their wholes, and 0 of nothing."""
    shares: NDArray[np.float64] = parts / np.where(wholes > 0, wholes, 1)
    return shares

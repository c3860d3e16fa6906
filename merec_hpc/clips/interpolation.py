"""Turns a clip of any length into one of a fixed number of frames (TIM)."""

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from merec_hpc.records import Frames

BLOCK = 64  # frames that are worked on at once, in memory that does not depend on a clip's length

_ROWS = 1024  # of the matrix that are made at once


def interpolate(frames: ArrayLike, n_frames: int) -> NDArray[np.float32]:
    """Resample a clip along time by the temporal interpolation model.

    The model embeds the frames along a path graph and reads new frames off the curve.
    The graph's eigenvectors are the DCT-II basis, so that the whole of it is one linear
    map of the frames that does not depend on what they show. The first and last frame
    are kept; with as many frames as the input the clip is returned; a single frame, or one
    that all are equal to, is repeated exactly. Values may overshoot those of the input.

    Parameters
    ----------
    frames
        Clip of any number type, shape (n, h, w, c).
    n_frames
        Number of frames of the result, at least 1; 1 gives the middle of the curve.

    Returns
    -------
    NDArray[np.float32]
        Resampled clip, shape (n_frames, h, w, c).

    Raises
    ------
    ValueError
        If the clip has no frames or not four axes, or ``n_frames`` is below 1.

    References
    ----------
    Zhou, Zhao, Pietikainen: Towards a practical lipreading system, CVPR 2011,
    doi:10.1109/CVPR.2011.5995345.
    """
    clip = np.asarray(frames)
    if clip.ndim != 4 or len(clip) == 0:
        msg = f"frames must have shape (n >= 1, h, w, c), found {clip.shape}"
        raise ValueError(msg)
    if n_frames < 1:
        msg = f"n_frames is {n_frames}, must be at least 1"
        raise ValueError(msg)
    blocks = (clip[first : first + BLOCK] for first in range(0, len(clip), BLOCK))
    return interpolate_blocks(blocks, len(clip), n_frames)


def interpolate_frames(frames: Frames, n_frames: int) -> NDArray[np.float32]:
    """Resample a clip whose frames are read as they are needed, as ``interpolate``."""
    starts = range(0, len(frames), BLOCK)
    blocks = (
        np.stack([frames[place] for place in range(first, min(first + BLOCK, len(frames)))])
        for first in starts
    )
    return interpolate_blocks(blocks, len(frames), n_frames)


def interpolate_blocks(
    blocks: Iterable[NDArray[Any]], n_in: int, n_frames: int
) -> NDArray[np.float32]:
    """Resample a clip of ``n_in`` frames that comes in blocks of BLOCK, as ``interpolate``."""
    weights = interpolation_matrix(n_in, n_frames).astype(np.float32)  # (n_in, n_frames)
    total: NDArray[np.float32] | None = None
    onset: NDArray[Any] | None = None
    is_still = True  # weights that sum to 1 but for rounding would make small motions of it
    done = 0
    shape: tuple[int, ...] = ()
    for block in blocks:
        onset = block[0] if onset is None else onset
        is_still = is_still and all(np.array_equal(frame, onset) for frame in block)
        pixels = block.reshape(len(block), -1).astype(np.float32)  # (n, h * w * c)
        part = weights[done : done + len(block)].T @ pixels
        total = part if total is None else np.add(total, part, out=total)
        done, shape = done + len(block), block.shape[1:]
    if total is None or done != n_in:
        msg = f"{n_in} frames expected, found {done}"
        raise ValueError(msg)
    if is_still and onset is not None:
        return np.repeat(onset[None].astype(np.float32), n_frames, axis=0)
    return total.reshape(n_frames, *shape)


@lru_cache(maxsize=256)
def interpolation_matrix(n_in: int, n_out: int) -> NDArray[np.float64]:
    """Return A of X_out = X A, for X of shape (pixels, n_in); each column sums to 1.

    A = (1 + 2 B C) / n with B[i, k] = cos(pi k (i - 1/2) / n) and
    C[k, j] = cos(pi k (t_j - 1/2) / n), where the t_j run evenly from 1 to n.
    """
    k = np.arange(1, n_in)
    i = np.arange(1, n_in + 1)
    t = np.linspace(1, n_in, n_out) if n_out > 1 else np.array([(1 + n_in) / 2])
    c = np.cos(np.pi * np.outer(k, t - 0.5) / n_in)  # (n_in - 1, n_out)
    matrix = np.empty((n_in, n_out))
    for first in range(0, n_in, _ROWS):
        rows = slice(first, first + _ROWS)
        b = np.cos(np.pi * np.outer(i[rows] - 0.5, k) / n_in)  # (rows, n_in - 1)
        matrix[rows] = (1 + 2 * b @ c) / n_in
    matrix.flags.writeable = False
    return matrix

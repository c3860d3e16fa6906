"""Describes clips by rows: their frames are read one clip after the other, and described side by side."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from merec_hpc.clips.face_clip import FaceClip

Read = TypeVar("Read")
_CLIPS_A_THREAD = 4  # that are in memory: they need not all be


def described_clips(
    clips: Iterable[FaceClip],
    read: Callable[[FaceClip], Read],
    describe: Callable[[Read], NDArray[np.float32]],
    n_threads: int,
) -> Iterator[NDArray[np.float32]]:
    """Yield the row of each clip, in order; the number of threads changes no bit of it.

    Parameters
    ----------
    read
        Takes what is needed from a clip; called for one clip after the other.
    describe
        Makes a row of that, (n_features,); called by several threads.
    """
    coming = map(read, clips)
    with ThreadPoolExecutor(n_threads) as pool:
        while chunk := list(islice(coming, _CLIPS_A_THREAD * n_threads)):
            yield from pool.map(describe, chunk)

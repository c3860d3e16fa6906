"""Reads the frames of one clip from image files or a video: (n_frames, h, w, 3), RGB."""

import os
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from merec_hpc.dataset.clip import Clip

_BYTES_AHEAD = 64_000_000  # of frames in memory at most, before they are asked for
_MOST_AHEAD = 64


def read_frames(root: Path, clip: Clip) -> NDArray[np.uint8]:
    """Return the frames of a clip from onset to offset.

    Parameters
    ----------
    root
        Folder that the clip's source is relative to.

    Returns
    -------
    NDArray[np.uint8]
        Frames in the order of their numbers, shape (n_frames, h, w, 3), RGB.

    Raises
    ------
    MerecError
        If the clip, a frame between onset and offset, or an image's content is missing or
        broken, or if sizes differ.
    """
    return np.stack(list(iterate_frames(root, clip)))


def iterate_frames(root: Path, clip: Clip) -> Iterator[NDArray[np.uint8]]:
    """Yield the frames of a clip as ``read_frames`` returns them, one at a time.

    Raises
    ------
    MerecError
        As ``read_frames``, when the frame that is missing, broken or of another size is due.
    """
    return clip.source.frames(root, clip.span)


def read_ahead(frames: Iterable[NDArray[np.uint8]]) -> Iterator[NDArray[np.uint8]]:
    """Yield frames that a thread of its own reads while others are worked on."""
    coming = iter(frames)
    first = next(coming, None)
    if first is None:
        return
    with ThreadPoolExecutor(1) as reader:
        n_ahead = min(max(2, _BYTES_AHEAD // first.nbytes), _MOST_AHEAD)
        waiting = deque(reader.submit(next, coming, None) for _ in range(n_ahead))
        try:
            yield first
            while (frame := waiting.popleft().result()) is not None:
                waiting.append(reader.submit(next, coming, None))
                yield frame
        finally:
            reader.shutdown(cancel_futures=True)


def frame_files(root: Path, clip: Clip) -> list[Path]:
    """Return the files of a clip's frames, from onset to offset.

    Raises
    ------
    MerecError
        If the folder or a frame is missing, or two files carry the same number.
    """
    return clip.source.files(root, clip.span)


def frame_numbers(root: Path, clip: Clip, n_frames: int) -> list[int]:
    """Return the numbers of a clip's frames, which were read, as its onset and apex count them.

    Those in the names of a folder's images, those of a video from 0; images that are listed one
    by one count from 0.
    """
    return clip.source.numbers(root, clip.span, n_frames)


def frame_size(root: Path, clip: Clip) -> tuple[int, int]:
    """Return height and width of the first frame of a clip.

    Raises
    ------
    MerecError
        If it cannot be read.
    """
    return clip.source.frame_size(root, clip.span)


def broken_frames(root: Path, clip: Clip) -> list[int]:
    """Return the numbers of a clip's frames that do not decode, or are of another size.

    Of a video those that its container promises after the last one that decodes.
    """
    return clip.source.broken_frames(root, clip.span)


def file_states(root: Path, clip: Clip) -> list[tuple[str, int, int]]:
    """Return name, size and time of change (ns) of a clip's files; none if they are missing."""
    return clip.source.file_states(root, clip.span)


def folder_states(root: Path) -> list[tuple[str, int]]:
    """Return every folder below ``root`` with the time of its last change (ns), sorted.

    A folder changes when something is added to it or removed. Frames are not looked at:
    where a filesystem counts a folder's folders in its links, leaves are not even listed.
    """
    states, waiting = [], [root]
    while waiting:
        folder = waiting.pop()
        state = folder.stat()
        states.append((folder.relative_to(root).as_posix(), state.st_mtime_ns))
        if state.st_nlink != 2:
            with os.scandir(folder) as entries:
                waiting += [Path(entry.path) for entry in entries if entry.is_dir()]
    return sorted(states)

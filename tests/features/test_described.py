"""Rows of clips: in order, of what was read while the clip was there."""

from collections.abc import Iterator

import numpy as np
import pytest
from numpy.typing import NDArray

from merec_hpc.clips.face_clip import FaceClip
from merec_hpc.features.described import described_clips


def _clips(number: int, asked: list[int]) -> Iterator[FaceClip]:
    for value in range(number):
        asked.append(value)
        frames = np.full((2, 4, 4, 3), value, np.uint8)
        yield FaceClip(f"c{value}", frames, np.zeros((2, 68, 2), np.float32), 1)
        frames[:] = 255  # as a file's frames, it may not be there when the next is asked for


def _read(clip: FaceClip) -> NDArray[np.uint8]:
    return np.array(clip.frames[0])


def _describe(frame: NDArray[np.uint8]) -> NDArray[np.float32]:
    return frame.mean(axis=(0, 1)).astype(np.float32)


@pytest.mark.parametrize("n_threads", [1, 2, 3])
def test_rows_come_in_order_of_what_was_there(n_threads: int) -> None:
    rows = list(described_clips(_clips(19, []), _read, _describe, n_threads))
    assert [row[0] for row in rows] == list(range(19))


def test_a_few_clips_are_in_memory_at_a_time() -> None:
    asked: list[int] = []
    next(described_clips(_clips(100, asked), _read, _describe, 2))
    assert len(asked) < 20

"""The mean face of a subject."""

import numpy as np
import pytest

from merec_hpc.clips.interpolation import interpolate
from merec_hpc.clips.mean_face import MeanFace
from merec_hpc.records import Frames


def test_every_clip_counts_the_same_however_long_it_is(rng: np.random.Generator) -> None:
    clips = [rng.integers(0, 256, (length, 4, 5, 3), dtype=np.uint8) for length in (1, 9, 30)]
    together = np.concatenate([interpolate(clip, 6) for clip in clips]).astype(np.float64)
    face = MeanFace(clips, 6)
    assert face.n_clips == 3
    assert face.pixels.dtype == np.float64
    np.testing.assert_allclose(face.pixels, together.mean(axis=0), rtol=1e-12)


def test_clips_are_read_when_the_mean_is_asked_for_and_once(
    monkeypatch: pytest.MonkeyPatch, rng: np.random.Generator
) -> None:
    read = []

    def counted(frames: Frames, n_frames: int) -> np.ndarray:
        read.append(len(frames))
        return np.zeros((n_frames, 4, 4, 3), np.float32)

    monkeypatch.setattr("merec_hpc.clips.mean_face.interpolate_frames", counted)
    face = MeanFace([rng.integers(0, 256, (n, 4, 4, 3), dtype=np.uint8) for n in (3, 5)], 2)
    assert read == []
    assert face.pixels is face.pixels
    assert read == [3, 5]

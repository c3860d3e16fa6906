from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from merec_hpc.clips.face_clip import FaceClip
from merec_hpc.clips.mean_face import MeanFace
from merec_hpc.config.features import Input
from merec_hpc.errors import MerecError
from merec_hpc.features.inputs import network_input


def _clip(n_frames: int) -> FaceClip:
    nowhere = np.full((n_frames, 68, 2), np.nan, np.float32)
    return FaceClip("c1", np.zeros((n_frames, 4, 4, 3), np.uint8), nowhere, 0, 6)


@pytest.fixture
def frames() -> NDArray[np.float32]:
    return np.random.default_rng(1).uniform(0, 255, (6, 4, 4, 3)).astype(np.float32)


def test_frames_are_left_as_they_are(frames: NDArray[np.float32]) -> None:
    assert network_input(frames, _clip(1), "frames") is frames


def test_mean_and_neighbours_are_subtracted_pixel_by_pixel(frames: NDArray[np.float32]) -> None:
    removed = network_input(frames, _clip(3), "mean_removed")
    steps = network_input(frames, _clip(3), "differences")
    assert (removed.shape, steps.shape) == ((6, 4, 4, 3), (5, 4, 4, 3))
    assert removed.dtype == steps.dtype == np.float32
    series = [float(value) for value in frames[:, 1, 2, 0]]
    mean = sum(series) / 6
    np.testing.assert_allclose(
        removed[:, 1, 2, 0], [value - mean for value in series], rtol=1e-5, atol=1e-5
    )
    expected = [after - before for before, after in pairwise(series)]
    np.testing.assert_allclose(steps[:, 1, 2, 0], expected, rtol=1e-5, atol=1e-5)


def test_the_mean_of_all_clips_of_the_subject_is_subtracted(frames: NDArray[np.float32]) -> None:
    other = np.full((2, 4, 4, 3), 90, np.uint8)
    # A single frame has what differs from the other clips.
    for n_frames in (1, 3):
        own = _clip(n_frames)
        clip = replace(own, subject=MeanFace([own.frames, other], 6))
        removed = network_input(frames, clip, "subject_mean_removed")
        assert removed.dtype == np.float32
        np.testing.assert_allclose(removed, frames - 45, rtol=1e-6, atol=1e-4)


def test_the_only_clip_of_a_subject_has_to_move(frames: NDArray[np.float32]) -> None:
    filmed = np.random.default_rng(2).integers(0, 256, (3, 4, 4, 3), dtype=np.uint8)
    clip = replace(_clip(3), frames=filmed)
    seen = clip.interpolated()
    removed = network_input(seen, clip, "subject_mean_removed")
    np.testing.assert_array_equal(removed, network_input(seen, clip, "mean_removed"))
    with pytest.raises(
        MerecError, match=r"'c1': two frames .* subject_mean_removed of a subject's"
    ):
        network_input(frames[:1], _clip(1), "subject_mean_removed")


@pytest.mark.parametrize("kind", ["mean_removed", "differences"])
@pytest.mark.parametrize("n_frames", [3, 20, 49])
def test_nothing_is_left_of_a_still_clip(
    frames: NDArray[np.float32], kind: Input, n_frames: int
) -> None:
    still = np.repeat(frames[:1], n_frames, axis=0)
    assert not network_input(still, _clip(3), kind).any()


@pytest.mark.parametrize("kind", ["mean_removed", "differences"])
def test_changes_of_a_single_frame_are_refused(frames: NDArray[np.float32], kind: Input) -> None:
    with pytest.raises(MerecError, match=rf"clip 'c1': two frames .* features.input {kind}"):
        network_input(frames, _clip(1), kind)
    with pytest.raises(MerecError, match=rf"interpolation.n_frames: 2 or more .* {kind}, found 1"):
        network_input(frames[:1], _clip(3), kind)

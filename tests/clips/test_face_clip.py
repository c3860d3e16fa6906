"""A registered clip as features are extracted from it."""

import numpy as np
import pytest

from merec_hpc.clips.face_clip import FaceClip
from merec_hpc.clips.interpolation import BLOCK, interpolate
from merec_hpc.errors import MerecError

NOWHERE = np.full((3, 68, 2), np.nan, np.float32)


@pytest.mark.parametrize("n_frames", [1, 5, BLOCK, 2 * BLOCK + 3])
def test_frames_read_in_blocks_are_interpolated_as_all_at_once(
    rng: np.random.Generator, n_frames: int
) -> None:
    frames = rng.integers(0, 256, (n_frames, 6, 6, 3), dtype=np.uint8)
    clip = FaceClip("c", frames, NOWHERE, 0, n_interpolated=7)
    np.testing.assert_array_equal(clip.interpolated(), interpolate(frames, 7))


def test_pixels_are_filmed_where_the_map_reads_inside_every_frame() -> None:
    # The face lies 2 pixels further right in the second frame: its map reads as much further right.
    affines = np.array(
        [[[1.0, 0, 1], [0, 1, 0]], [[1.0, 0, -2], [0, 1, 0]], [[2.0, 0, 0], [0, 2, 0]]]
    )
    clip = FaceClip("c", np.zeros((3, 8, 8, 3), np.uint8), NOWHERE, 0, 1, affines, (6, 8))
    rows, columns = np.mgrid[0:8, 0:8]
    of_first = (columns - 1 >= 0) & (columns - 1 <= 7) & (rows <= 5)
    of_second = (columns + 2 <= 7) & (rows <= 5)
    np.testing.assert_array_equal(clip.was_filmed(0), of_first)
    np.testing.assert_array_equal(clip.was_filmed(0, 1), of_first & of_second)
    assert clip.was_filmed(2).all()  # half of the image, enlarged


def test_everything_counts_where_nobody_knows_what_was_filmed() -> None:
    assert FaceClip("c", np.zeros((1, 8, 8, 3), np.uint8), NOWHERE, 0).was_filmed(0).all()


def test_nothing_moves_in_a_single_frame() -> None:
    FaceClip("c", np.zeros((2, 8, 8, 3), np.uint8), NOWHERE, 1).check_moves("flow")
    one = FaceClip("c", np.zeros((1, 8, 8, 3), np.uint8), NOWHERE, 0)
    with pytest.raises(MerecError, match=r"^clip 'c': two frames or more .* for flow, found 1$"):
        one.check_moves("flow")

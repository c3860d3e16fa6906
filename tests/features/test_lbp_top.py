"""LBP-TOP against its slow definition, and its laws."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oracles.lbp_top import lbp_top_by_hand

from merec_hpc.config.features import LbpTopSettings
from merec_hpc.errors import MerecError
from merec_hpc.features.lbp_top import lbp_top, lbp_top_names

PAPER = LbpTopSettings()
SMALL = LbpTopSettings(n_blocks=2, radius_t=1)


def random_clip(seed: int, shape: tuple[int, int, int], n_levels: int) -> np.ndarray:  # type: ignore[type-arg]
    rng = np.random.default_rng(seed)
    return rng.integers(n_levels, size=shape).astype(np.float32)


@settings(deadline=None, max_examples=30)
@given(
    st.integers(0, 2**32),
    st.sampled_from([1, 2]),
    st.sampled_from([1, 2]),
    st.sampled_from([1, 2]),
    st.sampled_from([4, 6, 8]),
    st.booleans(),
    st.sampled_from([1, 2, 3]),
)
def test_histograms_are_those_of_the_definition(
    seed: int,
    radius_x: int,
    radius_y: int,
    radius_t: int,
    n_points: int,
    uniform: bool,
    blocks: int,
) -> None:
    chosen = LbpTopSettings(
        radius_x=radius_x,
        radius_y=radius_y,
        radius_t=radius_t,
        n_points=n_points,
        uniform=uniform,
        n_blocks=blocks,
    )
    # Irregular values: no ties that rounding could break.
    clip = np.random.default_rng(seed).random((7, 12, 13)).astype(np.float32)
    found = lbp_top(clip, chosen)
    np.testing.assert_allclose(found, lbp_top_by_hand(clip, chosen).reshape(-1), rtol=1e-6)


def test_ties_count_as_above() -> None:
    clip = random_clip(0, (9, 20, 20), 3)
    found = lbp_top(clip, PAPER)
    np.testing.assert_allclose(found, lbp_top_by_hand(clip, PAPER).reshape(-1), rtol=1e-6)


def test_the_default_is_the_baseline_of_the_paper() -> None:
    assert (PAPER.radius_x, PAPER.radius_y, PAPER.radius_t, PAPER.n_points) == (1, 1, 4, 4)
    found = lbp_top(random_clip(1, (10, 50, 40), 256), PAPER)
    # 5 x 5 blocks, 3 planes, 14 uniform patterns of 4 points and one bin for the rest.
    assert len(found) == len(lbp_top_names(PAPER)) == 25 * 3 * 15
    np.testing.assert_allclose(found.reshape(-1, 15).sum(axis=1), 1, rtol=1e-6)
    assert lbp_top_names(PAPER)[16] == "lbp_top/0/0/xt/1"


def test_brightness_and_contrast_do_not_matter() -> None:
    clip = random_clip(2, (5, 16, 16), 200)
    np.testing.assert_array_equal(lbp_top(clip, SMALL), lbp_top(3 * clip + 7, SMALL))


def test_colour_is_made_grey() -> None:
    grey = random_clip(3, (5, 16, 16), 200)
    np.testing.assert_array_equal(
        lbp_top(np.repeat(grey[..., None], 3, axis=3), SMALL), lbp_top(grey, SMALL)
    )


def test_a_still_clip_has_one_pattern_over_time() -> None:
    still = np.repeat(random_clip(4, (1, 16, 16), 256), 5, axis=0)
    moving = random_clip(4, (5, 16, 16), 256)
    alone = replace(SMALL, n_blocks=1)
    entropy = []
    for clip in (still, moving):
        planes = lbp_top(clip, alone).reshape(3, 15)[1:]
        entropy.append(float(-(planes * np.log(planes + 1e-12)).sum()))
    assert entropy[0] < entropy[1] - 0.5


@pytest.mark.parametrize(
    ("chosen", "shape", "said"),
    [
        (PAPER, (8, 20, 20), "clips of at least 9 frames expected, found 8"),
        (replace(SMALL, n_blocks=9), (5, 6, 6), "pixels in every block expected"),
    ],
)
def test_clips_that_are_too_small_are_refused(
    chosen: LbpTopSettings, shape: tuple[int, int, int], said: str
) -> None:
    with pytest.raises(MerecError, match=said):
        lbp_top(random_clip(5, shape, 256), chosen)

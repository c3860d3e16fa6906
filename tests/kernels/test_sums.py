"""Weighted sums against plain loops, to the last bit."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from merec_hpc.kernels.sums import sum_grams


@settings(deadline=None, max_examples=30)
@given(
    n_groups=st.integers(1, 6),
    n_clips=st.integers(1, 9),
    n_masks=st.integers(0, 5),
    seed=st.integers(0, 1000),
)
def test_sums_are_those_of_each_mask_alone(
    n_groups: int, n_clips: int, n_masks: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    kept = rng.normal(size=(n_groups, n_clips, n_clips))
    levels = rng.choice([0.0, 0.5, 1.0, 2.0], (n_masks, n_groups))
    sums = np.full((n_masks, n_clips, n_clips), np.nan)
    sum_grams(kept, levels, sums)
    for mask in range(n_masks):
        for row in range(n_clips):
            for column in range(row, n_clips):
                total = 0.0
                for group in range(n_groups):
                    total += float(levels[mask, group]) * float(kept[group, row, column])
                assert sums[mask, row, column] == total
            assert np.isnan(sums[mask, row, :row]).all()  # not written

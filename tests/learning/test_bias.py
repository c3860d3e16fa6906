"""The constant feature, against sums over clips one by one."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from merec_hpc.learning.bias import bias_feature, mean_squares, with_constant


@given(st.integers(0, 10**6), st.integers(1, 12), st.integers(1, 40), st.floats(0, 10))
def test_unit_is_the_root_of_the_mean_squared_length(
    seed: int, n_clips: int, n_features: int, bias: float
) -> None:
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(n_clips, n_features)) + rng.normal(size=n_features)
    mask = rng.random(n_features) < 0.5
    lengths = [sum(value**2 for value in clip[mask].tolist()) for clip in features]
    expected = bias * (sum(lengths) / n_clips) ** 0.5
    assert bias_feature(mean_squares(features), mask, bias) == pytest.approx(expected)


def test_squares_of_single_precision_are_summed_in_double() -> None:
    features = np.full((3, 1), 1e30, np.float32)
    assert mean_squares(features)[0] == pytest.approx(1e60)


def test_constant_stands_last_and_a_0_is_none() -> None:
    clips = np.arange(6.0).reshape(3, 2)
    np.testing.assert_array_equal(with_constant(clips, 0.5)[:, :2], clips)
    assert with_constant(clips, 0.5)[:, 2].tolist() == [0.5] * 3
    assert with_constant(clips, 0.0) is clips

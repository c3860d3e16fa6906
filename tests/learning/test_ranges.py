"""When a range of features is noted."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oracles.ranges import size_range_by_hand

from merec_hpc.learning.ranges import WILD, size_range, wild_range


@settings(deadline=None)
@given(
    seed=st.integers(0, 10**6),
    shape=st.tuples(st.integers(1, 6), st.integers(1, 8)),
    exponents=st.sampled_from([0, 3, 30, 150]),
    kind=st.sampled_from([np.float32, np.float64]),
)
def test_sizes_are_root_mean_squares(
    seed: int, shape: tuple[int, int], exponents: int, kind: type
) -> None:
    rng = np.random.default_rng(seed)
    limit = min(exponents, 30) if kind is np.float32 else exponents
    values = rng.normal(size=shape) * 10.0 ** rng.uniform(-limit, limit, shape[1])
    values[:, rng.random(shape[1]) < 0.3] = 7.0
    values = values.astype(kind)
    found = size_range(values)
    np.testing.assert_allclose(found, size_range_by_hand(values.tolist()), rtol=1e-12)


@pytest.mark.parametrize(("factor", "is_noted"), [(0.9, False), (1.1, True)])
def test_a_factor_above_a_million_is_noted(factor: float, is_noted: bool) -> None:
    values = np.array([[1.0, WILD * factor, 0.0], [-1.0, -WILD * factor, 0.0]])
    note = wild_range(values, "scaling")
    assert (note is not None) == is_noted
    if note is not None:
        assert "range from 1 to 1.1e+06" in note
        assert "\n" not in note


def test_constant_features_have_no_size() -> None:
    assert wild_range(np.array([[1e-9, 1.0, 1e9], [1e-9, 2.0, 1e9]]), "scaling") is None
    assert size_range(np.full((3, 2), 5.0)) == (1.0, 1.0)
    assert size_range(np.empty((3, 0))) == (1.0, 1.0)

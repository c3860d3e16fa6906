"""Sums of products in twice the precision, against exact fractions."""

from fractions import Fraction

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from merec_hpc.kernels.twofold import add_twofold, multiply_twofold, take_residuals


def exact(values) -> list[Fraction]:
    return [Fraction(float(value)) for value in values]


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 12), st.integers(0, 24))
def test_products_that_cancel_out_are_right_to_rounding(seed: int, n: int, spread: int) -> None:
    rng = np.random.default_rng(seed)
    half = rng.normal(size=(n, 3)) * 10.0 ** rng.uniform(-spread / 4, spread / 4, (n, 1))
    turned = np.concatenate([half, -half, rng.normal(size=(1, 3)) * 1e-9])
    weights = np.concatenate([np.full(2 * n, 1 / 3), [1.0]])[None]
    found = multiply_twofold(turned, weights, 0.5)
    np.testing.assert_allclose(found - 0.5, turned[-1], rtol=0, atol=2e-16)
    np.testing.assert_allclose(multiply_twofold(turned, weights, 0.0), turned[-1], rtol=1e-6)


def test_numbers_in_two_parts_keep_what_one_would_lose() -> None:
    sums = np.array([[1.0], [0.0]])
    for _ in range(8):
        add_twofold(sums, np.array([1e-20]))
    assert sums[0, 0] == 1.0
    np.testing.assert_allclose(sums[1, 0], 8e-20, rtol=1e-12)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 6), st.integers(1, 6))
def test_residuals_are_those_of_fractions(seed: int, n_clips: int, n_features: int) -> None:
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(n_clips, n_features)) * 1e3
    target, ridges = np.where(rng.random(n_clips) < 0.5, 1.0, -1.0), rng.random(n_clips)
    dual = np.stack([rng.normal(size=n_clips), 1e-18 * rng.normal(size=n_clips)])
    weights = np.stack([rng.normal(size=n_features), 1e-18 * rng.normal(size=n_features)])
    of_clips, of_weights = np.empty(n_clips), np.empty(n_features)
    turned = np.ascontiguousarray(values.T)
    take_residuals(values, turned, target, ridges, dual, weights, of_clips, of_weights)
    beta = [sum(exact(parts)) for parts in dual.T]
    w = [sum(exact(parts)) for parts in weights.T]
    for clip in range(n_clips):
        row = sum(x * part for x, part in zip(exact(values[clip]), w, strict=True))
        wanted = Fraction(float(target[clip])) - Fraction(float(ridges[clip])) * beta[clip] - row
        assert abs(Fraction(float(of_clips[clip])) - wanted) <= abs(wanted) * Fraction(1, 2**50)
    for feature in range(n_features):
        column = sum(x * b for x, b in zip(exact(values[:, feature]), beta, strict=True))
        wanted = column - w[feature]
        assert abs(Fraction(float(of_weights[feature])) - wanted) <= abs(wanted) / 2**50

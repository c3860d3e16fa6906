"""The quick reference of many digits against the slow one, and against its own promises."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from oracles import many_digits, refined_digits
from oracles.refined_digits import Clips, exact_gram


def draw(
    rng: np.random.Generator, kind: str, n_clips: int, n_features: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Draw features and targets."""
    values = rng.normal(size=(n_clips, n_features))
    if kind == "offset":
        values += 1e4 * rng.normal(size=(n_clips, 1)) @ rng.normal(size=(1, n_features))
    elif kind == "wild":
        values *= 10.0 ** rng.uniform(-6, 6, n_features)
    elif kind == "repeated":
        values = np.round(values)[rng.integers(n_clips, size=n_clips)]
    return values, np.where(rng.random(n_clips) < 0.5, 1.0, -1.0)


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    kind=st.sampled_from(["plain", "offset", "wild", "repeated"]),
    n_features=st.sampled_from([1, 3, 8, 20]),
    exponent=st.floats(-5, 6),
)
def test_decisions_are_those_of_the_slow_way(
    seed: int, kind: str, n_features: int, exponent: float
) -> None:
    rng = np.random.default_rng(seed)
    values, target = draw(rng, kind, 8, n_features)
    penalties = 10.0**exponent * rng.choice([1.0, 0.3], 8)
    training = np.arange(8) < rng.integers(1, 9)
    expected = many_digits.exact_decisions(values, target, penalties, training)
    found = Clips.of(values).decisions(target, penalties, training)
    np.testing.assert_allclose(found, expected, rtol=1e-14, atol=1e-25)


@pytest.mark.parametrize("kind", ["plain", "offset", "wild", "repeated"])
@pytest.mark.parametrize("n_features", [2, 30])
def test_any_support_vectors_to_begin_with_lead_to_the_same(
    kind: str, n_features: int, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    values, target = draw(rng, kind, 40, n_features)
    clips, penalties, training = Clips.of(values), np.full(40, 1e4), np.arange(40) < 35
    expected = clips.decisions(target, penalties, training)
    for share in (0.0, 0.3, 0.7):
        guess = rng.random(35) < share
        monkeypatch.setattr(refined_digits._Machine, "_guess", lambda _, guess=guess: guess)
        found = clips.decisions(target, penalties, training)
        np.testing.assert_allclose(found, expected, rtol=1e-13, atol=1e-25)


def test_pairs_of_doubles_solve_what_doubles_cannot() -> None:
    values = np.vander(np.linspace(0.9, 1.1, 15), 15)
    gram, bits = exact_gram(values)
    clips = Clips(gram, bits)
    target, penalties = np.tile([1.0, -1.0, -1.0], 5), np.full(15, 1e12)
    training = np.arange(15) != 7
    expected = many_digits.exact_decisions(values, target, penalties, training)
    found = clips.decisions(target, penalties, training)
    np.testing.assert_allclose(found, expected, rtol=1e-14)


def test_what_is_not_the_optimum_is_not_proven_right(
    rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    values, target = draw(rng, "plain", 12, 5)
    clips, penalties, training = Clips.of(values), np.ones(12), np.arange(12) < 9
    clips.decisions(target, penalties, training)
    settle = refined_digits._Machine.settle

    def spoilt(machine: refined_digits._Machine) -> NDArray[np.object_]:
        beta = settle(machine)
        beta[np.flatnonzero(beta)[0]] += 1 << (refined_digits.BETA_BITS - 40)
        return beta

    monkeypatch.setattr(refined_digits._Machine, "settle", spoilt)
    with pytest.raises(AssertionError, match="cannot be ruled out"):
        clips.decisions(target, penalties, training)


@pytest.mark.parametrize("kind", ["plain", "wild", "repeated"])
def test_gram_matrix_is_that_of_fractions(kind: str, rng: np.random.Generator) -> None:
    values, _ = draw(rng, kind, 4, 50)
    gram, bits = exact_gram(values)
    rows = [[Fraction(float(value)) for value in row] for row in values]
    for i in range(4):
        for j in range(4):
            exact = sum(a * b for a, b in zip(rows[i], rows[j], strict=True))
            assert Fraction(gram[i, j]) / 2**bits == exact


def test_gram_matrix_of_nothing_is_zero() -> None:
    assert not exact_gram(np.zeros((3, 2)))[0].any()

"""Decisions, weights and certificates against arithmetic in 60 digits, at any condition."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from oracles.many_digits import exact_decisions

from merec_hpc.selection.fitness.least_squares import IllConditionedError
from merec_hpc.selection.fitness.subject_folds import SubjectFoldFitness

TOLERANCE = 1e-8  # of the largest decision of a machine and fold
LEAST = 1e-6  # of a margin: smaller ones are what is left where clips cancel out


def draw(
    seed: int, kind: str, n_features: int
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]:
    """Draw 9 clips of 3 to 4 subjects and 3 classes."""
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(9, n_features))
    if kind == "offset":  # nearly interpolated, by small differences of large values
        values = 1000 + 20 * rng.normal(size=(9, 2)) @ rng.normal(size=(2, n_features)) + values
    elif kind == "wild":
        values *= 10.0 ** rng.uniform(-3, 6, n_features)
    elif kind == "repeated":
        values = np.round(values)[rng.integers(9, size=9)]
    return values, rng.permutation(np.arange(9) % 3), np.sort(rng.integers(0, 3, 9) + 1)


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    kind=st.sampled_from(["plain", "offset", "wild", "repeated"]),
    n_features=st.sampled_from([1, 2, 5, 9, 20]),
    exponent=st.floats(-5, 6),
    class_weight=st.sampled_from(["none", "balanced"]),
)
def test_decisions_are_those_of_many_digits(
    seed: int, kind: str, n_features: int, exponent: float, class_weight: str
) -> None:
    values, labels, subjects = draw(seed, kind, n_features)
    if len(np.unique(subjects)) < 2:
        return
    C = 10.0**exponent
    fitness = SubjectFoldFitness(values, labels, subjects, class_weight=class_weight)
    everything = np.ones((1, n_features), np.bool_)
    found = fitness.decisions(everything, [C])[0]
    for subject in np.unique(subjects):
        training = subjects != subject
        for kind_of in np.unique(labels[training]):
            target = np.where(labels == kind_of, 1.0, -1.0)
            penalties = C * _weights(labels, training, kind_of, class_weight)
            exact = exact_decisions(values, target, penalties, training)[~training]
            error = np.abs(found[~training, kind_of] - exact).max()
            assert error <= TOLERANCE * max(np.abs(exact).max(), LEAST)
    if kind in ("plain", "repeated"):  # beta in doubles says less of features of wild size
        assert fitness.certify(everything, [C])[0] < 1e-6


def _weights(
    labels: NDArray[np.int64], training: NDArray[np.bool_], kind: int, class_weight: str
) -> NDArray[np.float64]:
    """Return LIBLINEAR's weights of C in a machine, from their definition."""
    weights = np.ones(len(labels))
    if class_weight == "balanced":
        present, counts = np.unique(labels[training], return_counts=True)
        of = dict(zip(present, training.sum() / (len(present) * counts), strict=True))
        for clip in range(len(labels)):
            if len(present) == 2 or labels[clip] == kind:
                weights[clip] = of.get(labels[clip], 1.0)
    return weights


@settings(max_examples=12, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    kind=st.sampled_from(["plain", "offset", "repeated"]),
    n_features=st.sampled_from([1, 5, 9, 20]),
    exponent=st.floats(-5, 6),
)
def test_weights_are_those_of_many_digits(
    seed: int, kind: str, n_features: int, exponent: float
) -> None:
    values, labels, subjects = draw(seed, kind, n_features)
    if len(np.unique(subjects)) < 2:
        return
    C = 10.0**exponent
    fitness = SubjectFoldFitness(values, labels, subjects)
    weights = fitness.machines(np.ones((1, n_features), np.bool_), [C]).weights[0]
    everyone = np.ones(9, np.bool_)
    for kind_of in range(3):
        target = np.where(labels == kind_of, 1.0, -1.0)
        exact = exact_decisions(values, target, np.full(9, C), everyone)
        error = np.abs(values @ weights[kind_of] - exact).max()
        # The product itself rounds where large values cancel out.
        rounding = 1e-15 * np.abs(values @ np.diag(weights[kind_of])).sum(axis=1).max()
        assert error <= TOLERANCE * max(np.abs(exact).max(), LEAST) + rounding


def test_what_double_precision_cannot_hold_is_said_in_one_line() -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(size=(12, 40)) * 10.0 ** np.linspace(-150, 150, 40)
    fitness = SubjectFoldFitness(values, np.arange(12) % 2, np.arange(12) // 3)
    with pytest.raises(IllConditionedError, match=r"from \S+e-15\d to .* scaling: standard"):
        fitness.decisions(np.ones((1, 40), np.bool_), [1e6])

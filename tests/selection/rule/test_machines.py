"""Machines on a Gram matrix, against SciPy on the features, quickly and slowly."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oracles.leave_out import svm_weights

from merec_hpc.selection.rule import machines
from merec_hpc.selection.rule.machines import both_signs, one_vs_rest, train_duals, train_slowly


@settings(deadline=None, max_examples=40)
@given(
    st.integers(0, 2**32),
    st.integers(2, 4),
    st.sampled_from([3, 40]),
    st.sampled_from([0.03, 1.0, 100.0]),
    st.sampled_from([0.0, 0.3]),
)
def test_duals_are_those_of_the_machine_with_a_constant_feature(
    seed: int, n_classes: int, n_features: int, C: float, b: float
) -> None:
    rng = np.random.default_rng(seed)
    labels = np.concatenate([np.arange(n_classes), rng.integers(n_classes, size=12)])
    clips = rng.normal(size=(len(labels), n_features)) / np.sqrt(n_features)
    targets = one_vs_rest(labels, n_classes)
    duals = train_duals(clips @ clips.T + b, C, targets)
    slow = train_slowly(clips @ clips.T + b, C, targets)
    extended = np.column_stack([clips, np.full(len(clips), np.sqrt(b))])
    for target, dual, row in zip(targets, duals, slow, strict=True):
        weights = svm_weights(extended, target, C)
        np.testing.assert_allclose(dual @ extended, weights, rtol=1e-6, atol=1e-7)
        np.testing.assert_allclose(row, dual, rtol=1e-7, atol=1e-9)


def test_what_the_kernel_cannot_solve_is_solved_slowly(
    rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    clips, targets = rng.normal(size=(9, 5)), one_vs_rest(np.arange(9) % 3, 3)
    expected = train_duals(clips @ clips.T, 1.0, targets)
    monkeypatch.setattr(machines, "leave_nothing_out", lambda *_: 1)
    found = train_duals(clips @ clips.T, 1.0, targets)
    np.testing.assert_allclose(found, expected, rtol=1e-7, atol=1e-9)


def test_two_classes_are_one_machine_and_more_are_one_each() -> None:
    assert one_vs_rest(np.array([0, 1, 1]), 2).tolist() == [[1, -1, -1]]
    assert one_vs_rest(np.array([0, 2]), 3).tolist() == [[1, -1], [-1, -1], [-1, 1]]


def test_the_second_of_two_classes_decides_the_opposite() -> None:
    assert both_signs(np.array([[1.0, -2.0]]), 2).tolist() == [[1, -2], [-1, 2]]
    assert both_signs(np.array([3.0]), 2).tolist() == [3, -3]
    three = np.ones((3, 2))
    assert both_signs(three, 3) is three

"""What training clips say of each feature: against plain loops, and where nothing varies."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oracles.rule import f_value

from merec_hpc.learning.calibration import SubjectOffsets
from merec_hpc.selection.rule.fold_statistics import Statistics, f_statistics, standard_scaling


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 2**32), st.integers(2, 4), st.integers(6, 15))
def test_f_is_that_of_the_formula(seed: int, n_classes: int, n_clips: int) -> None:
    rng = np.random.default_rng(seed)
    labels = np.concatenate([np.arange(n_classes), rng.integers(n_classes, size=n_clips)])
    values = rng.normal(size=(len(labels), 4)) + 3 * rng.random(4) * labels[:, None]
    values[:, 3] = 7.1
    standardised = standard_scaling(values).apply(values)
    expected = [f_value(column.tolist(), labels.tolist()) for column in values.T]
    np.testing.assert_allclose(f_statistics(standardised, labels), expected, rtol=1e-8, atol=1e-20)


def test_a_feature_that_is_its_class_has_a_large_but_finite_f() -> None:
    labels = np.array([0, 0, 1, 1, 2, 2])
    values = np.stack([labels.astype(float), labels + np.arange(6) * 0.1], axis=1)
    found = f_statistics(standard_scaling(values).apply(values), labels)
    assert np.isfinite(found).all()
    assert found[0] > 1e8 > found[1] > 1


def test_one_class_says_nothing_about_features() -> None:
    values = np.array([[1.0, -1.0], [-1.0, 1.0]])
    assert f_statistics(values, np.zeros(2, np.int64)).tolist() == [0, 0]


@pytest.mark.parametrize("level", [0.0, 0.1, -3e7])
def test_a_constant_feature_is_0_also_for_clips_in_which_it_is_not(level: float) -> None:
    training = np.column_stack([np.full(7, level), np.arange(7)])
    scaled = standard_scaling(training).apply(np.array([[level + 5, 3.0], [level, 5.0]]))
    assert scaled.tolist() == [[0, 0], [0, 1]]


def test_deviations_up_to_the_least_are_rounding() -> None:
    training = np.array([[-1e-11, -1e-9], [1e-11, 1e-9]])
    assert standard_scaling(training, 1e-10).apply(training).tolist() == [[0, -1], [0, 1]]


def test_offsets_are_learnt_from_standardised_clips(rng: np.random.Generator) -> None:
    values, labels, subjects = rng.normal(size=(12, 3)), np.arange(12) % 2, np.arange(12) // 4
    values += 3 * rng.normal(size=(3, 3))[subjects]
    found = Statistics.learn(values, labels, subjects, 2)
    more = Statistics.learn(100 * values + 3, labels, subjects, 2)
    np.testing.assert_allclose(more.offsets.within, found.offsets.within, rtol=1e-9)
    np.testing.assert_allclose(more.offsets.between, found.offsets.between, atol=1e-12)
    assert found.offsets.min_clips == 2
    scaled = (values - values.mean(axis=0)) / values.std(axis=0)
    by_itself = SubjectOffsets.learn(scaled, labels, subjects.astype(np.str_), 1.0, 2)
    np.testing.assert_allclose(found.offsets.between, by_itself.between, atol=1e-12)
    assert by_itself.between.any()


def test_as_many_classes_as_clips_leave_one_degree_of_freedom() -> None:
    found = f_statistics(np.array([[-1.0], [1.0]]), np.array([0, 1]))
    assert found.tolist() == [pytest.approx(1e9)]

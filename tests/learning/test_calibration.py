"""How much of a subject's mean is its own: against plain loops, and where it is known."""

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oracles.scaling import share_by_hand

from merec_hpc.learning.calibration import SubjectOffsets


@settings(deadline=None, max_examples=40)
@given(
    st.integers(0, 2**32),
    st.integers(1, 5),
    st.integers(1, 12),
    st.sampled_from([0.1, 1.0, 30.0]),
    st.sampled_from([0.0, 0.5, 5.0]),
)
def test_shares_are_those_of_the_formula(
    seed: int, n_subjects: int, n_clips: int, kappa: float, spread: float
) -> None:
    rng = np.random.default_rng(seed)
    labels = rng.integers(3, size=n_clips)
    subjects = rng.integers(n_subjects, size=n_clips).astype(np.str_)
    values = (
        rng.normal(size=(n_clips, 3))
        + spread * rng.normal(size=n_subjects)[subjects.astype(np.int64), None]
    )
    values -= values.mean(axis=0)
    found = SubjectOffsets.learn(values, labels, subjects, kappa, 2)
    for size in (2, 7):
        expected = [
            float(share_by_hand(column, labels.tolist(), subjects.tolist(), size, Decimal(kappa)))
            for column in [[Decimal(float(value)) for value in one] for one in values.T]
        ]
        np.testing.assert_allclose(found.shares(size), expected, rtol=1e-6, atol=1e-9)


def people(
    rng: np.random.Generator, between: float, within: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:  # type: ignore[type-arg]
    """300 subjects of 8 clips of two classes, with offsets and noise of known deviation."""
    subjects = np.repeat(np.arange(300), 8)
    labels = np.tile([0, 1], 1200)
    values = between * rng.normal(size=300)[subjects] + within * rng.normal(size=2400)
    values += 2.0 * labels
    return (values - values.mean())[:, None], labels, subjects.astype(np.str_)


@pytest.mark.parametrize(("between", "within"), [(1.0, 0.5), (0.3, 1.0), (0.0, 1.0)])
def test_variances_of_made_up_people_are_found(
    rng: np.random.Generator, between: float, within: float
) -> None:
    found = SubjectOffsets.learn(*people(rng, between, within), kappa=1.0, min_clips=2)
    assert found.within[0] == pytest.approx(within**2, rel=0.1)
    assert found.between[0] == pytest.approx(between**2, rel=0.2, abs=0.02)
    assert found.mixture[0] == pytest.approx(0, abs=1e-12)  # each shows both classes alike


def test_many_clips_are_believed_more_than_few_and_more_so_with_kappa() -> None:
    one = np.ones(1)
    offsets = SubjectOffsets(one, one, np.zeros(1), 2)
    assert [offsets.shares(n)[0] for n in (2, 4, 9)] == pytest.approx([2 / 3, 4 / 5, 9 / 10])
    more = SubjectOffsets(3 * one, one, np.zeros(1), 2)
    assert more.shares(2)[0] == pytest.approx(6 / 7)


def test_where_nothing_varies_nothing_is_removed() -> None:
    zero = np.zeros(2)
    assert SubjectOffsets(zero, zero, zero, 2).shares(5).tolist() == [0, 0]


def test_subjects_of_one_clip_tell_offset_from_noise_by_nothing(rng: np.random.Generator) -> None:
    values, labels = rng.normal(size=(6, 2)), np.arange(6) % 2
    found = SubjectOffsets.learn(values, labels, np.arange(6).astype(np.str_), 1.0, 2)
    assert found.shares(6).tolist() == [0, 0]


def test_a_subject_of_too_few_clips_keeps_its_values_to_the_bit(rng: np.random.Generator) -> None:
    values = rng.normal(size=(7, 2))
    subjects = np.array(["a", "b", "a", "b", "b", "c", "c"])
    left = SubjectOffsets.whole(2, min_clips=3).removed(values, subjects)
    few = subjects != "b"
    np.testing.assert_array_equal(left[few], values[few])
    np.testing.assert_allclose(left[~few].mean(axis=0), 0, atol=1e-15)
    assert np.abs(left[~few] - values[~few]).min() > 1e-3


def test_learning_and_removing_leave_their_arguments_alone(rng: np.random.Generator) -> None:
    values, labels, subjects = people(rng, 1.0, 1.0)
    before = values.copy()
    SubjectOffsets.learn(values, labels, subjects, 1.0, 2).removed(values, subjects)
    np.testing.assert_array_equal(values, before)

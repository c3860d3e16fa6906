"""Clips without what is their subjects': against plain loops, and where all of it is theirs."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from oracles.rule import mapped_columns

from merec_hpc.selection.rule.fold_statistics import Statistics
from merec_hpc.selection.rule.subject_calibration import Calibration


def learn(
    values: np.ndarray,  # type: ignore[type-arg]
    labels: np.ndarray,  # type: ignore[type-arg]
    subjects: np.ndarray,  # type: ignore[type-arg]
    kappa: float,
    min_clips: int = 1,
) -> Calibration:
    statistics = Statistics.learn(values, labels, subjects, min_clips)
    standardised = statistics.scaling.apply(values)
    calibration, mapped = Calibration.learn(
        statistics, kappa, standardised, subjects, len(subjects)
    )
    np.testing.assert_array_equal(mapped, calibration.apply(values, subjects))
    return calibration


@settings(deadline=None, max_examples=40)
@given(
    st.integers(0, 2**32),
    st.sampled_from([0.0, 0.3, 1.0, 50.0]),
    st.integers(1, 3),
    st.sampled_from([0.0, 1.0, 6.0]),
)
def test_clips_are_mapped_as_the_formulas_say(
    seed: int, kappa: float, min_clips: int, spread: float
) -> None:
    rng = np.random.default_rng(seed)
    labels = np.concatenate([np.arange(3), rng.integers(3, size=12)])
    subjects = np.concatenate([np.repeat(np.arange(3), 2), rng.integers(4, size=9)])
    values = rng.normal(size=(15, 3)) + spread * rng.normal(size=(4, 3))[subjects]
    values[:, 2] = 0.1
    wanted, owners = rng.normal(size=(5, 3)), np.array([7, 8, 7, 7, 8])
    calibration = learn(values, labels, subjects, kappa, min_clips)
    expected = mapped_columns(
        values.tolist(),
        labels.tolist(),
        subjects.tolist(),
        wanted.tolist(),
        owners.tolist(),
        kappa,
        min_clips,
    )
    for clips, whose, which in ((values, subjects, 0), (wanted, owners, 1)):
        by_hand = np.array([pair[which] for pair in expected]).T
        np.testing.assert_allclose(calibration.apply(clips, whose), by_hand, rtol=1e-8, atol=1e-10)


def test_a_feature_that_is_only_its_subjects_becomes_0() -> None:
    subjects = np.repeat(np.arange(4), 6)
    values = np.array([0.1, 0.7, -3.3, 1e3])[subjects][:, None]
    mapped = learn(values, np.tile([0, 1], 12), subjects, 1.0).apply(
        np.array([[5.0], [9.0]]), np.array([9, 9])
    )
    assert mapped.tolist() == [[0], [0]]


def test_without_kappa_nobody_is_calibrated(rng: np.random.Generator) -> None:
    values, subjects = rng.normal(size=(12, 3)), np.arange(12) // 4
    calibration = learn(values, np.arange(12) % 2, subjects, 0.0)
    assert not calibration.is_transductive
    np.testing.assert_array_equal(
        calibration.apply(values, subjects), calibration.apply(values, np.zeros(12))
    )
    assert learn(values, np.arange(12) % 2, subjects, 1e-3).is_transductive


def test_clips_of_others_have_no_part_in_a_subjects_map(rng: np.random.Generator) -> None:
    values, subjects = rng.normal(size=(24, 3)), np.arange(24) // 4
    values += 2 * rng.normal(size=(6, 3))[subjects]
    calibration = learn(values, np.arange(24) % 2, subjects, 1.0)
    clips, owners = rng.normal(size=(6, 3)), np.array([7, 7, 7, 8, 8, 8])
    alone = calibration.apply(clips[:3], owners[:3])
    np.testing.assert_allclose(calibration.apply(clips, owners)[:3], alone, rtol=1e-12)
    assert np.abs(calibration.apply(clips[:2], owners[:2]) - alone[:2]).max() > 1e-3


def test_clips_behind_those_to_train_on_have_no_part_in_the_map(rng: np.random.Generator) -> None:
    values, subjects = rng.normal(size=(24, 3)), np.arange(24) // 4
    statistics = Statistics.learn(values[:20], np.arange(20) % 2, subjects[:20], 1)
    told = []
    for factor in (1.0, -50.0):
        values[20:] *= factor
        standardised = statistics.scaling.apply(values)
        told.append(Calibration.learn(statistics, 1.0, standardised, subjects, 20))
    for before, after in zip(*(found.apply(values, subjects) for found, _ in told), strict=True):
        np.testing.assert_array_equal(before, after)
    np.testing.assert_allclose(told[0][1][:20], told[1][1][:20], rtol=1e-12)
    np.testing.assert_allclose(told[0][1][:20].std(axis=0), 1)

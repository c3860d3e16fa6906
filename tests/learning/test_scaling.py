"""Maps learnt from training clips."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as property_test
from hypothesis import strategies as st
from oracles.scaling import scaled_by_hand

from merec_hpc.config.scaling import STANDARD, UNSCALED, ScalingSettings
from merec_hpc.learning.scaling import Scaling
from merec_hpc.records import Features


@pytest.fixture
def training(rng: np.random.Generator) -> np.ndarray:
    return rng.normal(5.0, [0.1, 1.0, 30.0], size=(40, 3)).astype(np.float32)


def test_standard_gives_training_clips_mean_zero_and_deviation_one(training: np.ndarray) -> None:
    scaled = Scaling.fit(training, "standard").apply(training)
    np.testing.assert_allclose(scaled.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(scaled.std(axis=0), 1, atol=1e-12)


def test_none_changes_nothing(training: np.ndarray) -> None:
    np.testing.assert_array_equal(Scaling.fit(training, "none").apply(training), training)


@pytest.mark.parametrize("kind", ["standard", "none"])
def test_results_are_in_double_precision(training: np.ndarray, kind: Any) -> None:
    assert Scaling.fit(training, kind).apply(training).dtype == np.float64


def test_a_constant_feature_becomes_zero(training: np.ndarray) -> None:
    # 3 is a number that 40 clips sum to exactly.
    training[:, 1] = 3.0
    scaling = Scaling.fit(training, "standard")
    assert (scaling.apply(training)[:, 1] == 0).all()
    assert scaling.apply(np.full((1, 3), 5.0))[0, 1] == 2.0


def test_other_clips_are_mapped_by_what_training_clips_show() -> None:
    scaling = Scaling.fit(np.array([[1.0, 10.0], [3.0, 30.0]]), "standard")
    np.testing.assert_allclose(
        scaling.apply(np.array([[4.0, 20.0], [2.0, 0.0]])), [[2.0, 0.0], [0.0, -2.0]]
    )


def test_a_clip_is_mapped_the_same_alone_and_among_others(training: np.ndarray) -> None:
    scaling = Scaling.fit(training[:20], "standard")
    together = scaling.apply(training[20:])
    alone = np.concatenate([scaling.apply(row[None]) for row in training[20:]])
    np.testing.assert_array_equal(alone, together)


def test_fitting_and_applying_leave_their_arguments_alone(training: np.ndarray) -> None:
    before = training.copy()
    Scaling.fit(training, "standard").apply(training)
    np.testing.assert_array_equal(training, before)


FULL = ScalingSettings(kind="transductive_full", min_clips=2)
SHRUNK = ScalingSettings(kind="transductive_shrunk", min_clips=2)
EVERY_KIND = [UNSCALED, STANDARD, FULL, SHRUNK]
every_kind = pytest.mark.parametrize("settings", EVERY_KIND, ids=lambda one: one.kind)
transductive = pytest.mark.parametrize("settings", [FULL, SHRUNK], ids=lambda one: one.kind)


def clips_of(
    rng: np.random.Generator, n_clips: int, n_subjects: int, prefix: str = "s", spread: float = 2.0
) -> Features:
    """Clips of subjects with offsets, three classes, and four features: the last is constant."""
    labels = rng.integers(3, size=n_clips)
    places = rng.integers(n_subjects, size=n_clips)
    values = 5 + rng.normal(size=(n_clips, 4)) * [1.0, 0.01, 50.0, 0.0]
    values[:, :2] += spread * rng.normal(size=(n_subjects, 2))[places]
    return Features(
        values=values.astype(np.float32),
        labels=labels,
        subjects=np.char.add(prefix, places.astype(np.str_)),
        clips=np.arange(n_clips).astype(np.str_),
        names=np.array(["a", "b", "c", "d"]),
        class_names=np.array(["x", "y", "z"]),
    )


@property_test(deadline=None, max_examples=40)
@given(
    st.integers(0, 2**32),
    st.integers(1, 5),
    st.integers(2, 12),
    st.sampled_from(EVERY_KIND),
    st.integers(2, 4),
    st.sampled_from([0.2, 1.0, 10.0]),
)
def test_scaled_clips_are_those_of_the_formulas(
    seed: int, n_subjects: int, n_clips: int, given_: ScalingSettings, min_clips: int, kappa: float
) -> None:
    rng = np.random.default_rng(seed)
    settings = replace(given_, min_clips=min_clips, kappa=kappa)
    weights = np.array([1.0, 0.0, 3.5, 0.2])
    training = replace(clips_of(rng, n_clips, n_subjects), weights=weights)
    others = clips_of(rng, 5, 2, "t")
    for wanted in (training, others):
        expected = scaled_by_hand(
            training.values.tolist(),
            training.labels.tolist(),
            training.subjects.tolist(),
            wanted.values.tolist(),
            wanted.subjects.tolist(),
            settings.kind,
            min_clips,
            kappa,
            weights.tolist(),
        )
        found = Scaling.learn(training, settings).apply(wanted)
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("settings", [UNSCALED, STANDARD], ids=lambda one: one.kind)
def test_plain_kinds_are_those_of_values_alone_to_the_bit(
    rng: np.random.Generator, settings: ScalingSettings
) -> None:
    clips, others = clips_of(rng, 20, 3), clips_of(rng, 9, 3)
    kind: Any = settings.kind
    expected = Scaling.fit(clips.values, kind).apply(others.values)
    for learnt in (
        Scaling.learn(clips, settings),
        Scaling.learn(replace(clips, weights=np.ones(4)), settings),
    ):
        for found in (learnt.apply(others), learnt.apply(others.values)):
            assert found.tobytes() == expected.tobytes()


@pytest.mark.parametrize("settings", [UNSCALED, STANDARD], ids=lambda one: one.kind)
def test_mean_and_deviation_hold_the_whole_of_a_plain_map_weights_too(
    rng: np.random.Generator, settings: ScalingSettings
) -> None:
    weights = np.array([2.0, 0.0, 0.3, 1.0])
    clips = clips_of(rng, 20, 3)
    learnt = Scaling.learn(replace(clips, weights=weights), settings)
    found = learnt.apply(clips)
    np.testing.assert_array_equal(found, (clips.values - learnt.mean) / learnt.std)
    np.testing.assert_allclose(found, weights * Scaling.learn(clips, settings).apply(clips))
    assert (found[:, 1] == 0).all()


@every_kind
def test_weights_are_cut_with_the_features(
    rng: np.random.Generator, settings: ScalingSettings
) -> None:
    clips = replace(clips_of(rng, 20, 3), weights=np.array([2.0, 0.5, 0.3, 1.0]))
    mask = np.array([False, True, True, False])
    few = clips.with_features(mask)
    assert few.names.tolist() == ["b", "c"]
    whole = Scaling.learn(clips, settings).apply(clips)
    np.testing.assert_allclose(Scaling.learn(few, settings).apply(few), whole[:, mask], rtol=1e-9)


@pytest.mark.parametrize(
    "weights", [np.ones(3), np.array([1.0, -1.0, 1.0, 1.0]), np.array([1.0, np.nan, 1.0, 1.0])]
)
def test_weights_that_cannot_be_are_refused(rng: np.random.Generator, weights: np.ndarray) -> None:
    with pytest.raises(ValueError, match="4 weights of at least 0 expected"):
        Scaling.learn(replace(clips_of(rng, 8, 2), weights=weights), STANDARD)


@transductive
def test_training_clips_have_mean_zero_and_deviation_one(
    rng: np.random.Generator, settings: ScalingSettings
) -> None:
    clips = clips_of(rng, 40, 4)
    found = Scaling.learn(clips, settings).apply(clips)
    np.testing.assert_allclose(found.mean(axis=0), 0, atol=1e-10)
    np.testing.assert_allclose(found.std(axis=0), [1, 1, 1, 0], atol=1e-10)


def test_under_full_each_subjects_clips_have_mean_zero(rng: np.random.Generator) -> None:
    learnt = Scaling.learn(clips_of(rng, 40, 4), FULL)
    others = clips_of(rng, 30, 3, "t", spread=90.0)
    found = learnt.apply(others)
    for subject in np.unique(others.subjects):
        np.testing.assert_allclose(found[others.subjects == subject].mean(axis=0), 0, atol=1e-8)


@transductive
def test_what_is_the_same_in_all_clips_of_each_subject_becomes_zero_and_not_noise(
    rng: np.random.Generator, settings: ScalingSettings
) -> None:
    clips = clips_of(rng, 40, 4)
    values = clips.values.copy()
    values[:, 0] = np.float32(0.1) * clips.subjects.astype("U2").view("U1").reshape(40, 2)[
        :, 1
    ].astype(np.float32)
    clips = replace(clips, values=values)
    found = Scaling.learn(clips, settings).apply(clips)[:, 0]
    if settings is FULL:
        assert np.abs(found).max() < 1e-12
    for subject in np.unique(clips.subjects):
        assert np.ptp(found[clips.subjects == subject]) < 1e-12


@transductive
def test_subjects_of_too_few_clips_are_scaled_as_without_calibration(
    rng: np.random.Generator, settings: ScalingSettings
) -> None:
    clips, others = clips_of(rng, 12, 4), clips_of(rng, 6, 2, "t")
    strict = replace(settings, min_clips=13)
    expected = Scaling.learn(clips, STANDARD).apply(others)
    found = Scaling.learn(clips, strict).apply(others)
    np.testing.assert_allclose(found[:, :3], expected[:, :3], atol=1e-6)
    calibrated = Scaling.learn(clips, settings).apply(others)
    assert np.abs(calibrated - expected)[:, :3].max() > 0.1


@transductive
def test_one_subject_has_no_part_in_how_another_is_mapped(
    rng: np.random.Generator, settings: ScalingSettings
) -> None:
    learnt = Scaling.learn(clips_of(rng, 40, 4), settings)
    others = clips_of(rng, 30, 3, "t")
    together = learnt.apply(others)
    for subject in np.unique(others.subjects).tolist():
        alone = learnt.apply(others.only(subject))
        np.testing.assert_array_equal(alone, together[others.subjects == subject])


@transductive
def test_equal_features_and_equal_clips_stay_equal(
    rng: np.random.Generator, settings: ScalingSettings
) -> None:
    clips = clips_of(rng, 30, 3)
    values = clips.values.copy()
    values[:, 1] = values[:, 2]
    values[1], subjects = values[0], clips.subjects.copy()
    subjects[1] = subjects[0]
    clips = replace(clips, values=values, subjects=subjects)
    found = Scaling.learn(clips, settings).apply(clips)
    np.testing.assert_array_equal(found[:, 1], found[:, 2])
    np.testing.assert_array_equal(found[0], found[1])


@transductive
def test_order_of_the_clips_does_not_count(
    rng: np.random.Generator, settings: ScalingSettings
) -> None:
    clips = clips_of(rng, 30, 3)
    order = rng.permutation(30)
    mixed = replace(
        clips,
        values=clips.values[order],
        labels=clips.labels[order],
        subjects=clips.subjects[order],
    )
    found = Scaling.learn(mixed, settings).apply(mixed)
    expected = Scaling.learn(clips, settings).apply(clips)[order]
    np.testing.assert_allclose(found[:, :3], expected[:, :3], atol=1e-9)


def test_where_each_subject_shows_one_class_shrunk_keeps_what_full_destroys(
    rng: np.random.Generator,
) -> None:
    subjects = np.repeat(np.arange(12), 5)
    labels = subjects % 2
    values = 6.0 * labels + rng.normal(size=60)
    clips = replace(
        clips_of(rng, 60, 12),
        values=values[:, None].astype(np.float32),
        labels=labels,
        subjects=subjects.astype(np.str_),
        names=np.array(["a"]),
    )
    plain, full, shrunk = (
        Scaling.learn(clips, settings).apply(clips)[:, 0] for settings in (STANDARD, FULL, SHRUNK)
    )
    assert np.abs(shrunk - plain).max() < 0.1
    assert abs(full[labels == 1].mean() - full[labels == 0].mean()) < 1e-10
    assert plain[labels == 1].mean() - plain[labels == 0].mean() > 1.5


def test_shrunk_removes_the_offsets_of_people_who_show_all_classes(
    rng: np.random.Generator,
) -> None:
    clips = clips_of(rng, 400, 20, spread=6.0)
    found = Scaling.learn(clips, SHRUNK).apply(clips)[:, 0]
    means = [found[clips.subjects == subject].mean() for subject in np.unique(clips.subjects)]
    assert np.abs(means).max() < 0.2


@transductive
def test_values_alone_are_refused_by_a_transductive_scaling(
    rng: np.random.Generator, settings: ScalingSettings
) -> None:
    clips = clips_of(rng, 12, 3)
    learnt = Scaling.learn(clips, settings)
    assert learnt.is_transductive
    with pytest.raises(ValueError, match="clips with their subjects expected"):
        learnt.apply(clips.values)


def test_labels_of_training_clips_count_under_shrunk_alone(rng: np.random.Generator) -> None:
    clips = clips_of(rng, 20, 3)
    relabelled = replace(clips, labels=np.roll(clips.labels, 1))
    for settings in EVERY_KIND:
        before, after = (Scaling.learn(one, settings).apply(clips) for one in (clips, relabelled))
        assert np.array_equal(before, after) == (settings is not SHRUNK)


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_no_constant_is_scaled_up_whatever_its_rounding(
    rng: np.random.Generator, kind: type[np.floating]
) -> None:
    constants = (rng.normal(size=500) * 10.0 ** rng.integers(-6, 6, 500)).astype(kind)
    training = np.repeat(constants[None], 37, axis=0)
    if kind is np.float64:  # of some of them the deviation is not 0
        assert (training.std(axis=0) > 0).any()
    learnt = Scaling.fit(training, "standard")
    np.testing.assert_array_equal(learnt.apply(training), 0)
    np.testing.assert_array_equal(learnt.std, 1)
    moved = learnt.apply(training[:1] * kind(1.5))
    np.testing.assert_allclose(moved[0], 0.5 * constants, rtol=1e-6)


def test_small_deviations_of_a_large_feature_are_scaled_all_the_same() -> None:
    training = np.array([[1000.0], [1000.0 + 6.2e-5]], np.float32)
    assert training[0] != training[1]
    np.testing.assert_allclose(
        Scaling.fit(training, "standard").apply(training), [[-1], [1]], rtol=1e-6
    )

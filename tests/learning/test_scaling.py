"""Maps learnt from training clips."""

from typing import Any

import numpy as np
import pytest

from merec_hpc.learning.scaling import Scaling


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

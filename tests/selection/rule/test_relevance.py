"""Weights by F to a power, and the Gram matrix that they make."""

import numpy as np
import pytest

from merec_hpc.selection.rule.relevance import RelevanceGram, relevance_weights


def test_weights_are_powers_over_the_largest() -> None:
    f_values = np.array([0.0, 1.0, 4.0])
    assert relevance_weights(f_values, 0.5).tolist() == [0, 0.5, 1]
    assert relevance_weights(f_values, 2.0).tolist() == [0, 1 / 16, 1]


def test_the_power_0_and_features_that_say_nothing_weigh_all_alike() -> None:
    assert relevance_weights(np.array([0.0, 1.0, 4.0]), 0.0).tolist() == [1, 1, 1]
    assert relevance_weights(np.zeros(3), 2.0).tolist() == [1, 1, 1]


def test_products_are_weighted_and_of_mean_1_over_training_clips(rng: np.random.Generator) -> None:
    clips, weights = 0.1 * rng.normal(size=(6, 4)), rng.random(4)
    found = RelevanceGram.of(clips, 4, weights)
    assert found.matrix.diagonal()[:4].mean() == pytest.approx(1)
    for i in range(6):
        for j in range(6):
            product = sum(found.weights[f] * clips[i, f] * clips[j, f] for f in range(4))
            assert found.matrix[i, j] == pytest.approx(product)
    np.testing.assert_allclose(found.weights / found.weights[0], weights / weights[0])


def test_where_nothing_varies_all_products_are_0() -> None:
    found = RelevanceGram.of(np.zeros((3, 2)), 2, np.ones(2))
    assert not found.matrix.any()
    assert not found.weights.any()

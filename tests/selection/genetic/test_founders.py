"""Founders and random migrants."""

import numpy as np
import pytest

from merec_hpc.selection.genetic.founders import (
    FOUNDERS,
    random_counts,
    random_genes,
    random_penalties,
)


@pytest.mark.parametrize("name", sorted(FOUNDERS))
@pytest.mark.parametrize("n_individuals", [0, 1, 7])
def test_masks_are_booleans_of_the_asked_shape(
    name: str, n_individuals: int, rng: np.random.Generator
) -> None:
    masks = FOUNDERS[name](n_individuals, 5, rng)
    assert masks.shape == (n_individuals, 5)
    assert masks.dtype == np.bool_


def test_random_counts_are_uniform_from_one_to_all_features(rng: np.random.Generator) -> None:
    counts = random_counts(10_000, 5, rng).sum(axis=1)
    assert set(counts.tolist()) == {1, 2, 3, 4, 5}
    np.testing.assert_allclose(np.bincount(counts)[1:] / 10_000, 1 / 5, atol=0.02)


def test_random_counts_choose_every_feature_as_often(rng: np.random.Generator) -> None:
    # The mean count is (1 + 5) / 2 of 5 features.
    np.testing.assert_allclose(random_counts(10_000, 5, rng).mean(axis=0), 3 / 5, atol=0.02)


def test_random_genes_choose_each_feature_half_of_the_time(rng: np.random.Generator) -> None:
    masks = random_genes(10_000, 5, rng)
    np.testing.assert_allclose(masks.mean(axis=0), 0.5, atol=0.02)
    # Independent: a pair of features is chosen together a quarter of the time.
    assert (masks[:, 0] & masks[:, 1]).mean() == pytest.approx(0.25, abs=0.02)


def test_random_counts_span_a_wider_range_than_random_genes(rng: np.random.Generator) -> None:
    by_count = random_counts(50, 500, rng).sum(axis=1)
    by_gene = random_genes(50, 500, rng).sum(axis=1)
    assert np.ptp(by_gene) < 0.25 * np.ptp(by_count)


def test_penalties_are_drawn_alike_from_the_allowed_values(rng: np.random.Generator) -> None:
    drawn = random_penalties(9_000, (0.1, 1.0, 100.0), rng)
    values, counts = np.unique(drawn, return_counts=True)
    assert values.tolist() == [0.1, 1.0, 100.0]
    np.testing.assert_allclose(counts / 9_000, 1 / 3, atol=0.02)

"""What genes stand for, against plain loops."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from merec_hpc.records import History, Population, Selection
from merec_hpc.selection.fitness.genome import (
    Genome,
    genome_of,
    group_of,
    in_features,
    n_chosen_units,
    n_selected,
)

WEIGHTS = {(0, 0): 0.0, (0, 1): 0.5, (1, 1): 1.0, (1, 0): 2.0}


@given(
    numbers=st.lists(st.integers(0, 3), min_size=1, max_size=12).map(
        lambda more: [0, 1, 2, 3, *more]
    ),
    weighs=st.booleans(),
    seed=st.integers(0, 1000),
)
def test_features_follow_from_genes(numbers: list[int], weighs: bool, seed: int) -> None:
    genome = Genome(np.array(numbers), weighs=weighs)
    assert (genome.n_groups, genome.n_genes) == (4, 8 if weighs else 4)
    genes = np.random.default_rng(seed).random((5, genome.n_genes)) < 0.5
    levels, masks, weights = genome.levels(genes), genome.masks(genes), genome.weights(genes)
    for place, row in enumerate(genes.astype(int).tolist()):
        for group in range(4):
            own = WEIGHTS[row[2 * group], row[2 * group + 1]] if weighs else row[group]
            assert levels[place, group] == own
            for feature in (at for at, number in enumerate(numbers) if number == group):
                assert masks[place, feature] == (own > 0)
                if weights is not None:
                    assert weights[place, feature] == own**0.5
        assert n_selected(genome, genes)[place] == masks[place].sum()
        assert n_chosen_units(genome, genes)[place] == sum(level > 0 for level in levels[place])
    assert (weights is None) == (not weighs)


def test_a_flip_leads_to_a_neighbouring_weight() -> None:
    codes = sorted(WEIGHTS, key=lambda code: WEIGHTS[code])
    for one, other in pairwise(codes):
        assert sum(a != b for a, b in zip(one, other, strict=True)) == 1


def test_without_a_genome_genes_are_features() -> None:
    masks = np.array([[True, False, True]])
    assert n_selected(None, masks).tolist() == n_chosen_units(None, masks).tolist() == [2]
    assert genome_of(object()) is group_of(object()) is None


@pytest.mark.parametrize("weighs", [False, True])
def test_selections_are_told_in_features(weighs: bool) -> None:
    rng = np.random.default_rng(3)
    genome = Genome(np.array([1, 0, 2, 1, 1]), weighs=weighs)

    def population(size: int) -> Population:
        masks = rng.random((size, genome.n_genes)) < 0.5
        return Population(masks, np.ones(size), np.zeros(size), rng.random(size))

    hall, last = population(3), population(4)
    ones = np.ones(3)
    history = History(ones, ones, ones, ones, ones, hall.masks, ones, ones)
    found = Selection(hall.masks[1], 1.0, 0.0, 0.5, 1, history, hall, last)
    told = in_features(genome, found)
    np.testing.assert_array_equal(told.mask, told.hall_of_fame.masks[1])
    np.testing.assert_array_equal(told.history.best_masks, told.hall_of_fame.masks)
    np.testing.assert_array_equal(told.last.masks, genome.masks(last.masks))
    assert told.mask.shape == (5,)
    if weighs:
        np.testing.assert_array_equal(told.weights, told.hall_of_fame.weights[1])
        np.testing.assert_array_equal(told.best_weights, told.hall_of_fame.weights)
        np.testing.assert_array_equal(told.last.weights > 0, told.last.masks)
    else:
        assert told.weights is told.best_weights is told.last.weights is None
    assert in_features(None, found) is found


def test_a_group_without_a_feature_is_refused() -> None:
    for numbers in ([0, 2], [1, 1], []):
        with pytest.raises(ValueError, match="groups numbered from 0 without a gap expected"):
            Genome(np.array(numbers, np.int64))

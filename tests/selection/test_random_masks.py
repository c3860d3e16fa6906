import numpy as np
import pytest

from merec_hpc.config.selection import RandomMasksSettings
from merec_hpc.records import Features
from merec_hpc.selection.fitness.subject_folds import SubjectFoldFitness
from merec_hpc.selection.random_masks import select_random_masks


@pytest.fixture
def fitness(features: Features) -> SubjectFoldFitness:
    return SubjectFoldFitness(features.values, features.labels, features.subjects)


def test_each_mask_has_its_best_penalty_and_the_best_mask_is_kept(
    fitness: SubjectFoldFitness,
) -> None:
    settings = RandomMasksSettings(bias=(0.0,), n_masks=12, C_values=(0.01, 1.0))
    selection = select_random_masks(fitness, settings)
    drawn = selection.last
    assert drawn.masks.shape == (12, fitness.n_features)
    scores = np.stack(
        [fitness.score(drawn.masks, np.full(12, C), "mu_minus_variance") for C in (0.01, 1.0)]
    )
    np.testing.assert_array_equal(drawn.fitness, scores.max(axis=0))
    np.testing.assert_array_equal(drawn.C, np.array([0.01, 1.0])[scores.argmax(axis=0)])
    assert selection.fitness == drawn.fitness.max()
    np.testing.assert_array_equal(selection.mask, drawn.masks[drawn.fitness.argmax()])


def test_seed_draws_the_masks(fitness: SubjectFoldFitness) -> None:
    found = [
        select_random_masks(fitness, RandomMasksSettings(bias=(0.0,), seed=seed)).last.masks
        for seed in (0, 0, 1)
    ]
    np.testing.assert_array_equal(found[0], found[1])
    assert (found[0] != found[2]).any()

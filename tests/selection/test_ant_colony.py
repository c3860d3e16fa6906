"""The colony's laws against numbers worked by hand."""

import numpy as np
import pytest

from merec_hpc.config.selection import AntColonySettings
from merec_hpc.records import Features
from merec_hpc.selection.ant_colony import gather, renewed, scaled_heuristic, search_with_ants
from merec_hpc.selection.fitness.subject_folds import SubjectFoldFitness

N_DRAWS = 20_000


def test_pheromone_evaporates_and_ants_leave_their_fitness() -> None:
    masks = np.array([[True, True, False], [True, False, False]])
    found = renewed(np.array([1.0, 2.0, 0.5]), masks, np.array([0.6, 0.4]), rho=0.2)
    # 0.8 of what was there; (0.6 + 0.4) / 2, 0.6 / 2 and nothing are left.
    np.testing.assert_allclose(found, [0.8 + 0.5, 1.6 + 0.3, 0.4])


def test_heuristic_is_scaled_by_its_largest() -> None:
    np.testing.assert_allclose(scaled_heuristic(np.array([4.0, 2.0, 0.0])), [1, 0.5, 1e-3])
    np.testing.assert_allclose(scaled_heuristic(np.array([np.inf, 2.0])), [1, 1])
    np.testing.assert_allclose(scaled_heuristic(np.zeros(2)), [1, 1])


def test_greedy_ant_takes_the_most_appealing() -> None:
    rng = np.random.default_rng(0)
    mask = gather(np.array([0.1, 0.9, 0.5, 0.9]), 2, 1.0, rng)
    assert mask.tolist() == [False, True, False, True]


def test_first_feature_is_drawn_in_proportion_to_its_appeal() -> None:
    rng = np.random.default_rng(1)
    appeal = np.array([1.0, 2.0, 5.0])
    drawn = np.mean([gather(appeal, 1, 0.0, rng) for _ in range(N_DRAWS)], axis=0)
    np.testing.assert_allclose(drawn, appeal / 8, atol=0.015)


@pytest.mark.parametrize("q0", [0.0, 0.5])
def test_pairs_are_drawn_as_one_after_the_other(q0: float) -> None:
    appeal = np.array([1.0, 2.0, 5.0])

    def next_one(left: list[int]) -> dict[int, float]:
        total = sum(appeal[i] for i in left)
        best = max(left, key=lambda i: appeal[i])
        return {i: q0 * (i == best) + (1 - q0) * appeal[i] / total for i in left}

    expected = dict.fromkeys([(0, 1), (0, 2), (1, 2)], 0.0)
    for first, p in next_one([0, 1, 2]).items():
        left = [i for i in range(3) if i != first]
        for second, q in next_one(left).items():
            a, b = sorted((first, second))
            expected[a, b] += p * q
    rng = np.random.default_rng(2)
    masks = np.stack([gather(appeal, 2, q0, rng) for _ in range(N_DRAWS)])
    for (a, b), probability in expected.items():
        assert (masks[:, a] & masks[:, b]).mean() == pytest.approx(probability, abs=0.015)


@pytest.fixture
def fitness(features: Features) -> SubjectFoldFitness:
    return SubjectFoldFitness(features.values, features.labels, features.subjects)


def test_best_mask_of_all_iterations_is_kept(fitness: SubjectFoldFitness) -> None:
    settings = AntColonySettings(n_ants=6, n_iterations=4)
    heuristic = np.linspace(1, 0, fitness.n_features)
    selection = search_with_ants(fitness, heuristic, settings)
    assert (np.diff(selection.history.best_fitness) >= 0).all()
    assert selection.fitness == selection.history.best_fitness[-1]
    one, C = selection.mask[None], np.array([selection.C])
    assert fitness.score(one, C, settings.criterion)[0] == selection.fitness
    # The generation is the first of that fitness.
    assert (selection.history.best_fitness[: selection.generation] < selection.fitness).all()
    hall = selection.hall_of_fame
    assert len(np.unique(hall.masks, axis=0)) == len(hall.masks)


def test_same_seed_is_the_same_search(fitness: SubjectFoldFitness) -> None:
    heuristic = np.ones(fitness.n_features)
    found = [
        search_with_ants(fitness, heuristic, AntColonySettings(seed=seed)) for seed in (0, 0, 1)
    ]
    np.testing.assert_array_equal(found[0].last.masks, found[1].last.masks)
    assert (found[0].last.masks != found[2].last.masks).any()


def test_ants_gather_as_many_as_they_are_told(fitness: SubjectFoldFitness) -> None:
    settings = AntColonySettings(n_selected=5, n_ants=3, n_iterations=1)
    selection = search_with_ants(fitness, np.ones(fitness.n_features), settings)
    assert selection.last.masks.sum(axis=1).tolist() == [5, 5, 5]


def test_of_equally_appealing_features_the_former_are_taken() -> None:
    appeal = np.tile([1.0, 2.0, 1.0], 20)
    mask = gather(appeal, 30, 1.0, np.random.default_rng(0))
    expected = sorted(range(60), key=lambda place: (-appeal[place], place))[:30]
    assert np.flatnonzero(mask).tolist() == sorted(expected)


def test_history_describes_the_ants_and_the_best_of_them(fitness: SubjectFoldFitness) -> None:
    settings = AntColonySettings(n_ants=7, n_iterations=1, C_values=(0.01, 1.0), seed=3)
    selection = search_with_ants(fitness, np.ones(fitness.n_features), settings)
    ants, history = selection.last, selection.history
    scores = np.stack(
        [fitness.score(ants.masks, np.full(7, C), settings.criterion) for C in (0.01, 1.0)]
    )
    np.testing.assert_array_equal(ants.fitness, scores.max(axis=0))
    np.testing.assert_array_equal(ants.C, np.array([0.01, 1.0])[scores.argmax(axis=0)])
    sizes = ants.masks.sum(axis=1)
    assert sizes.min() < sizes.max()
    assert (history.min_selected[0], history.max_selected[0]) == (sizes.min(), sizes.max())
    assert history.mean_fitness[0] == ants.fitness.mean()
    best = ants.fitness.argmax()
    assert (np.delete(ants.fitness, best) < ants.fitness[best]).all()
    assert selection.fitness == history.best_fitness[0] == ants.fitness[best]
    assert selection.C == history.best_C[0] == ants.C[best]
    np.testing.assert_array_equal(selection.mask, ants.masks[best])
    np.testing.assert_array_equal(history.best_masks, ants.masks[[best]])
    expected = fitness.training_accuracies(ants.masks[[best]], ants.C[[best]])
    np.testing.assert_array_equal(history.training_accuracy, expected)

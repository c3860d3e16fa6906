"""The colony's laws against numbers worked by hand."""

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from merec_hpc.config.selection import AntColonySettings
from merec_hpc.learning.classifiers import train_classifier
from merec_hpc.learning.oversampling import oversample
from merec_hpc.records import Features
from merec_hpc.selection.ant_colony import (
    Ant,
    Heuristics,
    gather,
    renewed,
    scaled_heuristic,
    search_with_ants,
    select,
)
from merec_hpc.selection.fitness.any_classifier import ClassifierFitness
from merec_hpc.selection.fitness.grouped import GroupedFitness
from merec_hpc.selection.fitness.subject_folds import SubjectFoldFitness
from merec_hpc.selection.ranking import fisher_score

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


def _gathered(
    appeal: NDArray[np.float64], n_wanted: int, q0: float, rng: np.random.Generator
) -> NDArray[np.bool_]:
    """The mask of one ant."""
    (mask,) = gather(appeal, [Ant.draw(len(appeal), n_wanted, q0, rng)])
    return mask


def test_greedy_ant_takes_the_most_appealing() -> None:
    rng = np.random.default_rng(0)
    mask = _gathered(np.array([0.1, 0.9, 0.5, 0.9]), 2, 1.0, rng)
    assert mask.tolist() == [False, True, False, True]


def test_first_feature_is_drawn_in_proportion_to_its_appeal() -> None:
    rng = np.random.default_rng(1)
    appeal = np.array([1.0, 2.0, 5.0])
    drawn = np.mean([_gathered(appeal, 1, 0.0, rng) for _ in range(N_DRAWS)], axis=0)
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
    masks = np.stack([_gathered(appeal, 2, q0, rng) for _ in range(N_DRAWS)])
    for (a, b), probability in expected.items():
        assert (masks[:, a] & masks[:, b]).mean() == pytest.approx(probability, abs=0.015)


@pytest.fixture
def fitness(features: Features) -> SubjectFoldFitness:
    return SubjectFoldFitness(features.values, features.labels, features.subjects)


def test_best_mask_of_all_iterations_is_kept(fitness: SubjectFoldFitness) -> None:
    settings = AntColonySettings(bias=(0.0,), n_ants=6, n_iterations=4)
    heuristic = np.linspace(1, 0, fitness.n_features)
    selection = search_with_ants(fitness, Heuristics(heuristic), settings)
    assert (np.diff(selection.history.best_fitness) >= 0).all()
    assert selection.fitness == selection.history.best_fitness[-1]
    one, C = selection.mask[None], np.array([selection.C])
    assert fitness.score(one, C, settings.criterion)[0] == selection.fitness
    # The generation is the first of that fitness.
    assert (selection.history.best_fitness[: selection.generation] < selection.fitness).all()
    hall = selection.hall_of_fame
    assert len(np.unique(hall.masks, axis=0)) == len(hall.masks)


def test_same_seed_is_the_same_search(fitness: SubjectFoldFitness) -> None:
    heuristics = Heuristics.learn(fitness, "fisher")
    found = [
        search_with_ants(fitness, heuristics, AntColonySettings(bias=(0.0,), seed=seed))
        for seed in (0, 0, 1)
    ]
    np.testing.assert_array_equal(found[0].last.masks, found[1].last.masks)
    assert (found[0].last.masks != found[2].last.masks).any()


def test_ants_gather_as_many_as_they_are_told(fitness: SubjectFoldFitness) -> None:
    settings = AntColonySettings(bias=(0.0,), n_selected=5, n_ants=3, n_iterations=1)
    selection = search_with_ants(fitness, Heuristics(np.ones(fitness.n_features)), settings)
    assert selection.last.masks.sum(axis=1).tolist() == [5, 5, 5]


def test_of_equally_appealing_features_the_former_are_taken() -> None:
    appeal = np.tile([1.0, 2.0, 1.0], 20)
    mask = _gathered(appeal, 30, 1.0, np.random.default_rng(0))
    expected = sorted(range(60), key=lambda place: (-appeal[place], place))[:30]
    assert np.flatnonzero(mask).tolist() == sorted(expected)


def test_history_describes_the_ants_and_the_best_of_them(fitness: SubjectFoldFitness) -> None:
    settings = AntColonySettings(
        bias=(0.0,), n_ants=7, n_iterations=1, C_values=(0.01, 1.0), seed=3
    )
    selection = search_with_ants(fitness, Heuristics(np.ones(fitness.n_features)), settings)
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


def _slow_walk(appeal: NDArray[np.float64], ant: Ant) -> NDArray[np.bool_]:
    """The mask of an ant that looks at all features that remain before every step."""
    left, mask = list(range(len(appeal))), np.zeros(len(appeal), np.bool_)
    for is_greedy in ant.is_greedy:
        by = -appeal if is_greedy else ant.clocks / appeal
        feature = min(left, key=lambda one: (by[one], one))
        left.remove(feature)
        mask[feature] = True
    return mask


def _slow_colony(
    groupings: Sequence[SubjectFoldFitness], settings: AntColonySettings, penalty: float
) -> list[tuple[NDArray[np.bool_], float, float]]:
    """Mask, C and score of every ant of the last iteration, one fold after the other."""
    first = groupings[0]
    n_features = first.n_features
    rng = np.random.default_rng(np.random.SeedSequence(settings.seed))
    pheromone = np.ones(n_features)

    def walk(ant: Ant, values: NDArray[np.float64], labels: NDArray[np.int64]) -> NDArray[np.bool_]:
        eta = np.maximum(fisher_score(values, labels) / fisher_score(values, labels).max(), 1e-3)
        return _slow_walk(pheromone**settings.alpha * eta**settings.beta, ant)

    for _ in range(settings.n_iterations):
        sizes = rng.integers(1, n_features + 1, settings.n_ants).tolist()
        ants = [Ant.draw(n_features, size, settings.q0, rng) for size in sizes]
        found = []
        for ant in ants:
            mask = walk(ant, first.features, first.folds.labels)
            best = (-1.0, 0.0)
            for C in sorted(settings.C_values):
                scores = []
                for one in groupings:
                    labels, folds = one.folds.labels, one.folds.folds
                    predicted = np.empty(len(labels), np.int64)
                    for fold in range(one.folds.n_folds):
                        held = folds == fold
                        own = walk(ant, one.features[~held], labels[~held])[None]
                        predicted[held] = one.predictions(own, [C])[0][one.folds.order][held]
                    scores.append(one.judge(predicted[None], settings.criterion)[0])
                score = max(np.mean(scores) - penalty * (1 - mask.mean()), 0.0)
                if score > best[0] + 1e-12:
                    best = (score, C)
            found.append((mask, best[1], best[0]))
        left = np.sum([score * mask for mask, _, score in found], axis=0) / len(found)
        pheromone = (1 - settings.rho) * pheromone + left
    return found


@pytest.mark.parametrize(("n_groupings", "penalty"), [(1, 0.0), (2, 0.3)])
def test_every_fold_gathers_by_a_heuristic_of_its_own(
    features: Features, n_groupings: int, penalty: float
) -> None:
    first = SubjectFoldFitness(features.values, features.labels, np.arange(24) // 3, n_folds=4)
    fitness = GroupedFitness(first, n_groupings, penalty)
    settings = AntColonySettings(
        bias=(0.0,), n_ants=5, n_iterations=3, C_values=(0.1, 10.0), seed=4
    )
    last = select(fitness, "ant_colony", settings).last
    expected = _slow_colony(fitness.groupings, settings, penalty)
    np.testing.assert_array_equal(last.masks, [mask for mask, _, _ in expected])
    np.testing.assert_array_equal(last.C, [C for _, C, _ in expected])
    np.testing.assert_allclose(last.fitness, [score for _, _, score in expected], atol=1e-12)


def test_forest_sees_each_folds_own_mask(fitness: SubjectFoldFitness) -> None:
    forest = ClassifierFitness(fitness, "random_forest", "smote", 0)
    own = np.random.default_rng(3).random((4, 2, 30)) < 0.3
    found = forest.score_own([own], np.ones(2), "mu")
    parts = [[_hits(fitness, mask, fold) for mask in own[fold]] for fold in range(4)]
    np.testing.assert_allclose(found, np.mean(parts, axis=0), atol=1e-12)


def _hits(fitness: SubjectFoldFitness, mask: NDArray[np.bool_], fold: int) -> float:
    """Share of a fold's clips that a forest on the others predicts, by one mask."""
    held = fitness.folds.folds == fold
    values, labels = fitness.features[:, mask], fitness.folds.labels
    known = oversample(values[~held], labels[~held], "smote", 0)
    trees = train_classifier("random_forest", *known, 1.0, 0, 0.0)
    return float((trees.predict(values[held]) == labels[held]).mean())


def test_a_forest_is_tried_once_a_mask_whatever_biases_there_are(
    fitness: SubjectFoldFitness,
) -> None:
    settings = AntColonySettings(
        bias=(0.3, 1.0), n_ants=2, n_iterations=1, classifier="random_forest"
    )
    found = select(fitness, "ant_colony", settings)
    assert found.bias == 0.0
    assert set(found.last.bias) == {0.0}


def test_on_noise_only_the_leaky_colony_promises_much() -> None:
    settings = AntColonySettings(bias=(0.0,), n_selected=10, C_values=(0.1,), criterion="mu")
    means = []
    for name in ("ant_colony", "leaky_ant_colony"):
        scores = []
        for seed in range(20):
            rng = np.random.default_rng(seed)
            labels = np.concatenate([rng.permutation(np.arange(9) % 3) for _ in range(6)])
            values, subjects = rng.normal(size=(54, 500)), np.arange(54) // 9
            found = select(SubjectFoldFitness(values, labels, subjects), name, settings)
            scores.append(found.history.mean_fitness[0])
        means.append(np.mean(scores))
    # Of all ants of the first iteration: chance is 1 / 3.
    assert abs(means[0] - 1 / 3) < 0.06
    assert means[1] > 0.5


def test_of_one_class_all_features_are_alike(features: Features) -> None:
    labels = np.where(features.subjects == "s01", features.labels, 0)
    fitness = SubjectFoldFitness(features.values, labels, features.subjects)
    heuristics = Heuristics.learn(fitness, "fisher")
    assert heuristics.of_folds is not None
    assert (heuristics.of_folds[0][0] == 1).all()
    assert len(np.unique(heuristics.of_folds[0][1])) > 1
    assert Heuristics.learn(fitness, "fisher", is_leaky=True).of_folds is None

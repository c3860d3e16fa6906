"""The control that keeps every feature."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import ArrayLike, NDArray

from merec_hpc.config.selection import AllFeaturesSettings
from merec_hpc.criteria import mu, mu_minus_variance
from merec_hpc.records import Features, Masks
from merec_hpc.selection.all_features import select_all_features
from merec_hpc.selection.fitness.subject_folds import SubjectFoldFitness


def fitness_by_penalty(accuracies: dict[float, tuple[float, float]]) -> Any:
    """Return a stand-in whose fold accuracies are looked up by C."""

    def score(masks: Masks, C: ArrayLike, criterion: str, bias: ArrayLike) -> NDArray[np.float64]:
        found = np.array([accuracies[penalty] for penalty in np.asarray(C).tolist()])
        return {"mu": mu, "mu_minus_variance": mu_minus_variance}[criterion](found)

    def training_accuracies(masks: Masks, C: ArrayLike, bias: ArrayLike) -> NDArray[np.float64]:
        return np.asarray(C) / 1000

    return SimpleNamespace(n_features=7, score=score, training_accuracies=training_accuracies)


UNEVEN = {0.1: (0.4, 0.4), 1.0: (0.0, 1.0), 10.0: (0.3, 0.3)}


@pytest.mark.parametrize(
    ("criterion", "C", "fitness"), [("mu", 1.0, 0.5), ("mu_minus_variance", 0.1, 0.4)]
)
def test_the_criterion_chooses_the_penalty(criterion: Any, C: float, fitness: float) -> None:
    settings = AllFeaturesSettings(bias=(0.0,), C_values=(0.1, 1.0, 10.0), criterion=criterion)
    selection = select_all_features(fitness_by_penalty(UNEVEN), settings)
    assert selection.C == C
    assert selection.fitness == pytest.approx(fitness)


@pytest.mark.parametrize("C_values", [(10.0, 1.0, 0.1), (0.1, 10.0, 1.0)])
def test_of_equal_penalties_the_smallest_is_chosen(C_values: tuple[float, ...]) -> None:
    accuracies = {0.1: (0.4, 0.4), 1.0: (0.6, 0.8), 10.0: (0.8, 0.6)}
    settings = AllFeaturesSettings(bias=(0.0,), C_values=C_values)
    assert select_all_features(fitness_by_penalty(accuracies), settings).C == 1.0


def test_every_feature_is_kept_and_every_penalty_recorded() -> None:
    settings = AllFeaturesSettings(bias=(0.0,), C_values=(10.0, 1.0, 0.1))
    selection = select_all_features(fitness_by_penalty(UNEVEN), settings)
    assert selection.mask.tolist() == [True] * 7
    assert selection.generation == 0
    assert selection.hall_of_fame.C.tolist() == [0.1, 10.0, 1.0]
    np.testing.assert_allclose(selection.hall_of_fame.fitness, [0.4, 0.3, 0.25])
    assert selection.hall_of_fame.masks.shape == selection.last.masks.shape == (3, 7)


def test_the_history_is_one_generation_long() -> None:
    settings = AllFeaturesSettings(bias=(0.0,), C_values=(10.0, 1.0, 0.1))
    history = select_all_features(fitness_by_penalty(UNEVEN), settings).history
    assert {len(column) for column in vars(history).values()} == {1}
    np.testing.assert_allclose(history.best_fitness, [0.4])
    np.testing.assert_allclose(history.mean_fitness, [0.95 / 3])
    np.testing.assert_allclose(history.training_accuracy, [0.1 / 1000])
    assert history.min_selected.tolist() == history.max_selected.tolist() == [7]
    assert history.best_C.tolist() == [0.1]


def test_it_agrees_with_scoring_each_penalty_alone(features: Features) -> None:
    fitness = SubjectFoldFitness(features.values, features.labels, features.subjects)
    C_values = (0.001, 0.1, 100.0)
    everything = np.ones((1, 30), np.bool_)
    scores = [
        float(mu_minus_variance(fitness.fold_accuracies(everything, [C]))[0]) for C in C_values
    ]
    selection = select_all_features(fitness, AllFeaturesSettings(bias=(0.0,), C_values=C_values))
    assert len(set(scores)) > 1
    assert C_values[int(np.argmax(scores))] == selection.C
    assert selection.fitness == max(scores)


def test_the_last_population_is_every_penalty_best_first() -> None:
    settings = AllFeaturesSettings(bias=(0.0,), C_values=(10.0, 1.0, 0.1))
    last = select_all_features(fitness_by_penalty(UNEVEN), settings).last
    assert last.C.tolist() == [0.1, 10.0, 1.0]
    np.testing.assert_allclose(last.fitness, [0.4, 0.3, 0.25])


def test_of_many_equal_penalties_the_smaller_comes_first() -> None:
    penalties = tuple(float(C) for C in range(1, 61))  # as few as ten are sorted by another rule
    equal = {C: (0.4, 0.4) if C % 3 else (0.5, 0.5) for C in penalties}
    settings = AllFeaturesSettings(bias=(0.0,), C_values=penalties)
    selection = select_all_features(fitness_by_penalty(equal), settings)
    expected = sorted(penalties, key=lambda C: (C % 3 > 0, C))
    assert selection.C == 3.0
    assert selection.last.C.tolist() == expected
    assert selection.hall_of_fame.C.tolist() == expected


def test_of_equal_machines_the_smallest_penalty_counts_then_the_first_bias(
    features: Features,
) -> None:
    def score(masks: Masks, C: ArrayLike, _criterion: str, bias: ArrayLike) -> NDArray[np.float64]:
        return np.asarray(C) * 0 + (np.asarray(bias) > 0) * (np.asarray(C) > 0.1)

    stand_in: Any = fitness_by_penalty(UNEVEN)
    stand_in.score = score
    settings = AllFeaturesSettings(C_values=(10.0, 1.0, 0.1), bias=("none", 0.3, 0.03))
    selection = select_all_features(stand_in, settings)
    assert (selection.C, selection.bias) == (1.0, 0.3)
    pairs = list(zip(selection.last.C.tolist(), selection.last.bias.tolist(), strict=True))
    assert pairs[:4] == [(1.0, 0.3), (1.0, 0.03), (10.0, 0.3), (10.0, 0.03)]
    assert pairs[4:] == [(0.1, 0.0), (0.1, 0.3), (0.1, 0.03), (1.0, 0.0), (10.0, 0.0)]
    assert selection.history.best_bias.tolist() == [0.3]


def test_a_bias_is_chosen_where_it_helps(features: Features) -> None:
    # One feature that is never negative: without an intercept nothing is told apart.
    labels = np.arange(24) % 2
    values = (1.0 + 3.0 * labels + np.linspace(0, 1, 24))[:, None]
    fitness = SubjectFoldFitness(values, labels, features.subjects)
    settings = AllFeaturesSettings(C_values=(1.0,), bias=("none", 3.0), criterion="mu")
    selection = select_all_features(fitness, settings)
    assert (selection.bias, selection.fitness) == (3.0, 1.0)

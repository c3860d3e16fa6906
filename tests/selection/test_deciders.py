"""Champion, vote and ensemble against machines that LIBLINEAR trains one by one."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from merec_hpc.config.base import ClassWeight
from merec_hpc.config.selection import RandomMasksSettings
from merec_hpc.learning.linear_svm import train_svm
from merec_hpc.records import Features, Population, Selection
from merec_hpc.selection.deciders import decide, deciding, trained
from merec_hpc.selection.fitness.subject_folds import SubjectFoldFitness
from merec_hpc.selection.random_masks import select_random_masks

SETTINGS = RandomMasksSettings(bias=(0.0,), n_masks=9, C_values=(0.1, 1.0))


@pytest.fixture(params=[3, 2], ids=["three classes", "two classes"])
def known(features: Features, request: pytest.FixtureRequest) -> Features:
    labels = np.minimum(features.labels, request.param - 1)
    return replace(features, labels=labels, class_names=features.class_names[: request.param])


@pytest.fixture
def fitness(known: Features) -> SubjectFoldFitness:
    return SubjectFoldFitness(known.values, known.labels, known.subjects)


@pytest.fixture
def selection(fitness: SubjectFoldFitness) -> Selection:
    return select_random_masks(fitness, SETTINGS)


def _decisions(features: Features, mask: NDArray[np.bool_], C: float) -> NDArray[np.float64]:
    values = features.values[:, mask].astype(np.float64)
    return train_svm(values, features.labels, C).decisions(values)


def test_champion_is_the_machine_on_its_mask(
    known: Features, fitness: SubjectFoldFitness, selection: Selection
) -> None:
    individuals = deciding([selection], "champion")
    found = decide(trained(fitness, individuals, "champion"), known.values)
    expected = _decisions(known, selection.mask, selection.C)
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_ensemble_is_the_mean_decision_of_the_better_half(
    known: Features, fitness: SubjectFoldFitness, selection: Selection
) -> None:
    individuals = deciding([selection], "ensemble")
    assert len(individuals.C) == 5  # of nine
    assert individuals.fitness.min() >= np.sort(selection.last.fitness)[4]
    found = decide(trained(fitness, individuals, "ensemble"), known.values)
    each = [
        _decisions(known, mask, float(C))
        for mask, C in zip(individuals.masks, individuals.C, strict=True)
    ]
    np.testing.assert_allclose(found, np.mean(each, axis=0), atol=1e-5)


def test_ensemble_takes_the_better_halves_of_several_seeds(
    fitness: SubjectFoldFitness, selection: Selection
) -> None:
    other = select_random_masks(fitness, replace(SETTINGS, seed=1))
    together = deciding([selection, other], "ensemble")
    halves = [deciding([one], "ensemble").masks for one in (selection, other)]
    np.testing.assert_array_equal(together.masks, np.concatenate(halves))


def test_hall_of_fame_votes(
    known: Features, fitness: SubjectFoldFitness, selection: Selection
) -> None:
    individuals = deciding([selection], "hall_of_fame")
    found = decide(trained(fitness, individuals, "hall_of_fame"), known.values)
    votes = np.zeros_like(found)
    for mask, C in zip(individuals.masks, individuals.C, strict=True):
        choice = _decisions(known, mask, float(C)).argmax(axis=1)
        votes[np.arange(len(votes)), choice] += 1
    np.testing.assert_allclose(found, votes / len(individuals.C))


@pytest.mark.parametrize("decider", ["champion", "hall_of_fame"])
def test_one_selection_has_one_champion(selection: Selection, decider: str) -> None:
    with pytest.raises(ValueError, match=f"one selection expected for {decider}, found 2"):
        deciding([selection, selection], decider)  # type: ignore[arg-type]


@pytest.mark.parametrize("class_weight", ["none", "balanced"])
@pytest.mark.parametrize("C", [0.01, 1.0, 100.0])
def test_weights_predict_the_clips_that_they_were_trained_on(
    known: Features, class_weight: ClassWeight, C: float
) -> None:
    fitness = SubjectFoldFitness(
        known.values, known.labels, known.subjects, class_weight=class_weight
    )
    masks = np.random.default_rng(0).random((4, 30)) < 0.4
    bias = np.array([0.0, 0.1, 1.0, 10.0])
    machines = fitness.machines(masks, np.full(4, C), bias)
    weights = machines.weights
    assert (weights[~np.broadcast_to(masks[:, None], weights.shape)] == 0).all()
    decisions = np.einsum("nf,mcf->mnc", known.values, weights) + machines.intercepts[:, None]
    predicted = decisions.argmax(axis=2)
    accuracies = (predicted == known.labels).mean(axis=1)
    np.testing.assert_allclose(accuracies, fitness.training_accuracies(masks, np.full(4, C), bias))


def test_of_equals_the_better_half_takes_the_former(selection: Selection) -> None:
    masks = np.eye(60, dtype=np.bool_)
    fitness = np.array([0.5, 0.7, 0.5] * 20)
    many = replace(selection, last=Population(masks, np.ones(60), np.zeros(60), fitness))
    expected = sorted(range(60), key=lambda place: (-fitness[place], place))[:30]
    found = deciding([many], "ensemble")
    assert found.masks.argmax(axis=1).tolist() == expected


def _weighted(selection: Selection, rng: np.random.Generator) -> Selection:
    def weights(masks: NDArray[np.bool_]) -> NDArray[np.float64]:
        return np.where(masks, rng.choice([0.5, 1.0, 3.0], masks.shape), 0.0)

    last, hall = selection.last, selection.hall_of_fame
    return replace(
        selection,
        weights=weights(selection.mask),
        last=replace(last, weights=weights(last.masks)),
        hall_of_fame=replace(hall, weights=weights(hall.masks)),
    )


def test_weighted_individuals_are_machines_on_features_times_weights(
    known: Features,
    fitness: SubjectFoldFitness,
    selection: Selection,
    rng: np.random.Generator,
) -> None:
    weighted = _weighted(selection, rng)
    for decider in ("champion", "ensemble"):
        individuals = deciding([weighted], decider)
        assert individuals.weights is not None
        found = decide(trained(fitness, individuals, decider), known.values)
        each = [
            _decisions(replace(known, values=known.values * factors), mask, float(C))
            for factors, mask, C in zip(
                individuals.weights, individuals.masks, individuals.C, strict=True
            )
        ]
        np.testing.assert_allclose(found, np.mean(each, axis=0), atol=1e-5)
    hall = trained(fitness, deciding([weighted], "hall_of_fame"), "hall_of_fame")
    assert not np.allclose(
        hall.weights,
        fitness.machines(selection.hall_of_fame.masks, selection.hall_of_fame.C).weights,
    )


def test_an_ensemble_takes_weighted_and_plain_individuals(
    selection: Selection, rng: np.random.Generator
) -> None:
    weighted = _weighted(selection, rng)
    together = deciding([selection, weighted], "ensemble")
    first, second = (deciding([one], "ensemble") for one in (selection, weighted))
    assert together.weights is not None
    np.testing.assert_array_equal(together.weights[:5], first.masks)
    np.testing.assert_array_equal(together.weights[5:], second.weights)
    np.testing.assert_array_equal(together.take(np.array([7, 0])).factors, together.weights[[7, 0]])


def test_weights_must_be_above_0_inside_of_masks(fitness: SubjectFoldFitness) -> None:
    masks = np.ones((1, 30), np.bool_)
    for weights in (np.zeros((1, 30)), np.ones((1, 29)), np.full((1, 30), np.nan)):
        with pytest.raises(ValueError, match="above 0 inside of masks, expected, found"):
            fitness.machines(masks, [1.0], None, weights)

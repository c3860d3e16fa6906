"""Masks of each inner fold's own, against one mask after the other scored on all folds."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from oracles.leave_out import left_out_decisions

from merec_hpc.config.selection import Criterion
from merec_hpc.records import Features
from merec_hpc.selection.fitness.class_weights import ClassWeightFitness
from merec_hpc.selection.fitness.grouped import GroupedFitness
from merec_hpc.selection.fitness.own_masks import (
    RankedFitness,
    learnt_orders,
    learnt_without_each,
    masks_at,
)
from merec_hpc.selection.fitness.subject_folds import SubjectFoldFitness
from merec_hpc.selection.ranking import RANKINGS

FISHER = RANKINGS["fisher"]
CRITERIA: tuple[Criterion, ...] = ("mu_minus_variance", "pooled_uf1", "balanced_log_loss")


def _fitness(features: Features, kind: str) -> SubjectFoldFitness:
    clips = features.values, features.labels, features.subjects
    if kind == "weights":
        return ClassWeightFitness(*clips, class_weight={0: 3.0})
    if kind == "balanced":
        return SubjectFoldFitness(*clips, class_weight="balanced", scaling="standard")
    if kind == "wide":  # more features than four times the clips
        noise = np.random.default_rng(3).normal(size=(24, 100))
        return SubjectFoldFitness(np.hstack([clips[0], noise]), *clips[1:])
    return SubjectFoldFitness(*clips, scaling=kind)


def _slow_rates(
    fitness: SubjectFoldFitness,
    own: NDArray[np.bool_],
    C: NDArray[np.float64],
    by: Criterion,
    bias: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Score and mean accuracy from predictions and decisions of each mask on all folds."""
    folds, order = fitness.folds.folds, fitness.folds.order
    rates = []
    for individual in range(own.shape[1]):
        predicted = np.empty(len(folds), np.int64)
        decisions = np.empty((len(folds), len(fitness.classes)))
        for fold, masks in enumerate(own):
            one = masks[[individual]], C[[individual]], bias[[individual]]
            held = folds == fold
            predicted[held] = fitness.predictions(*one)[0][order][held]
            decisions[held] = fitness.decisions(*one)[0][order][held]
        told = decisions if by == "balanced_log_loss" else predicted
        hits = predicted == fitness.folds.labels
        mean = np.mean([hits[folds == fold].mean() for fold in range(len(own))])
        rates.append((fitness.judge(told[None], by)[0], mean))
    return np.array(rates)


@pytest.mark.parametrize("kind", ["none", "standard", "weights", "balanced", "wide"])
@pytest.mark.parametrize("criterion", CRITERIA)
@pytest.mark.parametrize("with_bias", [False, True])
def test_own_masks_score_as_one_after_the_other(
    features: Features, kind: str, criterion: Criterion, with_bias: bool
) -> None:
    fitness, rng = _fitness(features, kind), np.random.default_rng(4)
    own = rng.random((4, 7, fitness.n_features)) < np.linspace(0.05, 0.95, 7)[:, None]
    own[..., 0] = True
    C, bias = rng.choice([0.01, 1.0, 100.0], 7), rng.choice([0.0, 0.3], 7) * with_bias
    found = fitness.score_own([own], C, criterion, bias)
    np.testing.assert_array_equal(found, _slow_rates(fitness, own, C, criterion, bias)[:, 0])


@pytest.mark.parametrize("kind", ["none", "standard", "weights", "balanced", "wide"])
@pytest.mark.parametrize("criterion", CRITERIA)
@pytest.mark.parametrize("bias", [0.0, 0.3])
def test_places_are_rated_by_the_features_that_each_fold_has_there(
    features: Features, kind: str, criterion: Criterion, bias: float
) -> None:
    fitness, rng = _fitness(features, kind), np.random.default_rng(7)
    ranked = RankedFitness.learn(fitness, FISHER)
    (orders,) = ranked.orders
    assert (orders != orders[0]).any()
    places = np.zeros(fitness.n_features, np.bool_)
    places[rng.permutation(30)[:9]] = True
    flipped = np.arange(30)
    changed = np.tile(places, (30, 1))
    changed[flipped, flipped] ^= True
    own = np.stack([masks_at(order, changed, fitness.n_features) for order in orders])
    expected = _slow_rates(fitness, own, np.ones(30), criterion, np.full(30, bias))
    rates = ranked.rate(changed, np.ones(30), criterion, np.full(30, bias))
    np.testing.assert_array_equal(rates, expected)
    flips = ranked.rate_flips(places, 1.0, criterion, flipped, bias)
    np.testing.assert_allclose(flips, expected, atol=2e-9)


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    n_features=st.integers(2, 12),
    C=st.sampled_from([0.01, 1.0, 100.0]),
)
def test_the_machines_are_those_of_the_slow_oracle(seed: int, n_features: int, C: float) -> None:
    rng = np.random.default_rng(seed)
    labels, subjects = rng.permutation(np.arange(18) % 3), np.arange(18) // 6
    fitness = SubjectFoldFitness(rng.normal(size=(18, n_features)), labels, subjects)
    own = rng.random((3, 1, n_features)) < 0.5
    own[..., 0] = True
    for fold, masks in enumerate(own):
        answers = fitness.fold_answers(fold, masks, [C], "balanced_hinge")
        known = fitness.features[:, masks[0]], fitness.folds.targets, fitness.folds.folds, C
        expected = left_out_decisions(*known)[fitness.folds.folds == fold]
        np.testing.assert_allclose(answers.judged[0], expected, atol=1e-6)
        np.testing.assert_array_equal(answers.predicted[0], answers.judged[0].argmax(axis=1))


def test_several_groupings_have_own_masks_each(features: Features) -> None:
    first = SubjectFoldFitness(features.values, features.labels, np.arange(24) // 3, n_folds=4)
    several = GroupedFitness(first, 3, 0.2)
    ranked = RankedFitness.learn(several, FISHER)
    places = np.arange(30) < np.array([[3], [8]])
    C, by = np.ones(2), "mu_minus_variance"
    alone = [RankedFitness.learn(one, FISHER).rate(places, C, by) for one in several.groupings]
    left_out = 1 - places.sum(axis=1) / 30
    expected = np.mean(alone, axis=0)
    expected[:, 0] -= 0.2 * left_out
    np.testing.assert_allclose(ranked.rate(places, C, by), expected, atol=1e-12)
    own = [np.stack([masks_at(order, places, 30) for order in orders]) for orders in ranked.orders]
    np.testing.assert_allclose(several.score_own(own, C, by), expected[:, 0], atol=1e-12)
    flips = ranked.rate_flips(places[0], 1.0, by, [3, 1])
    changed = np.tile(places[:1], (2, 1))
    changed[[0, 1], [3, 1]] ^= True
    np.testing.assert_allclose(flips, ranked.rate(changed, C, by), atol=1e-12)


def test_what_a_fold_learns_and_answers_does_not_know_its_classes(features: Features) -> None:
    fitness = SubjectFoldFitness(features.values, features.labels, features.subjects)
    labels = features.labels.copy()
    labels[features.subjects == "s02"] = 0
    other = SubjectFoldFitness(features.values, labels, features.subjects)
    places = np.arange(30)[None] < 4
    for fold in range(4):
        found = []
        for one in (fitness, other):
            order = learnt_orders(one, FISHER, 30)[fold]
            masks = masks_at(order, places, 30)
            found.append(one.fold_answers(fold, masks, [1.0], "balanced_hinge"))
        assert np.allclose(found[0].judged, found[1].judged, atol=1e-8) == (fold == 1)


def test_nothing_is_learnt_from_one_class(features: Features) -> None:
    # Without s01 all clips are of one class.
    labels = np.where(features.subjects == "s01", features.labels, 0)
    fitness = SubjectFoldFitness(features.values, labels, features.subjects)
    assert learnt_orders(fitness, FISHER, 5)[0].tolist() == [0, 1, 2, 3, 4]
    seen: list[int] = []

    def learn(values: NDArray[np.float64], classes: NDArray[np.int64]) -> NDArray[np.float64]:
        seen.append(len(classes))
        return np.full(values.shape[1], 7.0)

    found = learnt_without_each(fitness, learn, np.ones(30))
    assert found[:, 0].tolist() == [1, 7, 7, 7]
    assert seen == [18, 18, 18]

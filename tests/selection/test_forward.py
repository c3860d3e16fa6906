"""Searches of one feature at a time, against searches that score every mask anew."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from merec_hpc.config.selection import Criterion, ForwardSettings
from merec_hpc.criteria import OF_DECISIONS
from merec_hpc.records import Features, Selection
from merec_hpc.selection.fitness.grouped import GroupedFitness
from merec_hpc.selection.fitness.inner_fitness import InnerFitness
from merec_hpc.selection.fitness.subject_folds import SubjectFoldFitness
from merec_hpc.selection.forward import (
    OneRanking,
    search_by_rank,
    search_forward,
    search_sequentially,
)
from merec_hpc.selection.ranking import RANKINGS, Ranking

SETTINGS = ForwardSettings(bias=(0.0,), n_steps=6, C_values=(0.1, 10.0))
CRITERIA: tuple[Criterion, ...] = (
    "mu_minus_variance",
    "mu_minus_deviation",
    "minimum",
    "pooled_uf1",
    "balanced_hinge",
    "balanced_log_loss",
)


@pytest.fixture
def fitness(features: Features) -> SubjectFoldFitness:
    return SubjectFoldFitness(features.values, features.labels, features.subjects)


Key = tuple[float, float]


def _key(fitness: SubjectFoldFitness, mask: NDArray[np.bool_], C: float, by: Criterion) -> Key:
    """Score of one mask by itself: the criterion, then the mean."""
    one, penalty = mask[None], np.array([C])
    return float(fitness.score(one, penalty, by)[0]), float(fitness.score(one, penalty, "mu")[0])


def _best_penalty(fitness: SubjectFoldFitness, mask: NDArray[np.bool_], by: Criterion) -> float:
    return max(sorted(SETTINGS.C_values), key=lambda C: (_key(fitness, mask, C, by), -C))


def _flipped(mask: NDArray[np.bool_], feature: int) -> NDArray[np.bool_]:
    changed = mask.copy()
    changed[feature] ^= True
    return changed


def _brute_force(
    fitness: SubjectFoldFitness, by: Criterion, *, backward: bool
) -> list[tuple[NDArray[np.bool_], float]]:
    """Masks and C of every step, each mask scored as if there were no other."""
    mask = np.full(fitness.n_features, backward)
    C = _best_penalty(fitness, mask, by) if backward else 0.0
    steps = [(mask, C)] if backward else []
    for step in range(SETTINGS.n_steps):
        tried = sorted(SETTINGS.C_values) if step == 0 and not backward else [C]
        candidates = np.flatnonzero(mask == backward).tolist()
        best = max(
            candidates,
            key=lambda feature: (
                max(_key(fitness, _flipped(mask, feature), value, by) for value in tried),
                -feature,
            ),
        )
        mask = _flipped(mask, best)
        C = _best_penalty(fitness, mask, by)
        steps.append((mask, C))
    return steps


def _steps(selection: Selection) -> list[int]:
    return selection.history.min_selected.tolist()


@pytest.mark.parametrize("criterion", CRITERIA)
@pytest.mark.parametrize("backward", [False, True])
def test_every_step_is_that_of_brute_force(
    fitness: SubjectFoldFitness, criterion: Criterion, backward: bool
) -> None:
    selection = search_sequentially(fitness, SETTINGS, criterion=criterion, backward=backward)
    expected = _brute_force(fitness, criterion, backward=backward)
    scores = [_key(fitness, mask, C, criterion)[0] for mask, C in expected]
    assert _steps(selection) == [int(mask.sum()) for mask, _ in expected]
    np.testing.assert_array_equal(selection.history.best_fitness, np.maximum.accumulate(scores))
    last, C = expected[-1]
    np.testing.assert_array_equal(selection.last.masks[0], last)
    assert selection.last.C[0] == C
    chosen = [mask for mask, _ in expected][selection.generation]
    np.testing.assert_array_equal(selection.mask, chosen)
    assert selection.fitness == max(scores)


@pytest.mark.parametrize("backward", [False, True])
def test_every_step_is_that_of_brute_force_on_several_groupings(
    features: Features, backward: bool
) -> None:
    first = SubjectFoldFitness(features.values, features.labels, np.arange(24) // 3, n_folds=3)
    several = GroupedFitness(first, 2, 0.3)
    selection = search_sequentially(several, SETTINGS, backward=backward)
    masks = selection.history.best_masks
    scores = several.score(masks, selection.history.best_C, "mu_minus_variance")
    np.testing.assert_array_equal(selection.history.best_fitness, scores)
    # Another number of features counts: the same steps without the penalty score more.
    accuracies = GroupedFitness(first, 2).score(
        masks, selection.history.best_C, "mu_minus_variance"
    )
    left_out = 1 - masks.sum(axis=1) / 30
    np.testing.assert_allclose(scores, np.maximum(accuracies - 0.3 * left_out, 0), atol=1e-12)
    if not backward:  # masks of one feature, all of them at 0, are still told apart
        (best,) = np.flatnonzero(selection.history.best_masks[0])
        means = [_single_mean(several, feature) for feature in range(30)]
        assert means[best] == max(means)


def _single_mean(fitness: GroupedFitness, feature: int) -> float:
    """The largest mean accuracy of a feature by any C, of those of the largest fitness."""
    masks = np.tile(np.arange(30) == feature, (len(SETTINGS.C_values), 1))
    rates = fitness.rate(masks, np.array(SETTINGS.C_values), "mu_minus_variance")
    return max(map(tuple, rates.tolist()))[1]


def test_smallest_mask_of_the_best_score_is_kept(fitness: SubjectFoldFitness) -> None:
    forward = search_sequentially(fitness, SETTINGS)
    assert (forward.history.best_fitness[: forward.generation] < forward.fitness).all()
    backward = search_sequentially(fitness, SETTINGS, backward=True)
    later = backward.hall_of_fame
    same = later.masks[later.fitness == backward.fitness].sum(axis=1)
    assert backward.mask.sum() == same.min()


def test_ranked_search_keeps_what_improves_and_nothing_else(fitness: SubjectFoldFitness) -> None:
    order = np.random.default_rng(2).permutation(fitness.n_features)
    settings = ForwardSettings(bias=(0.0,), n_steps=30, C_values=SETTINGS.C_values)
    selection = search_by_rank(fitness, settings, order, OneRanking(fitness, order))
    # The same, one mask at a time.
    mask = np.zeros(fitness.n_features, np.bool_)
    mask[order[0]] = True
    by: Criterion = "mu_minus_variance"
    C = _best_penalty(fitness, mask, by)
    known = _key(fitness, mask, C, by)
    for feature in order[1:].tolist():
        changed = _flipped(mask, feature)
        if _key(fitness, changed, C, by) > known:
            mask, C = changed, _best_penalty(fitness, changed, by)
            known = _key(fitness, mask, C, by)
    np.testing.assert_array_equal(selection.last.masks[0], mask)
    assert selection.last.C[0] == C
    sizes = selection.history.min_selected.tolist()
    assert all(later == earlier + 1 for earlier, later in pairwise(sizes))


def test_ranked_search_ends_after_its_steps(fitness: SubjectFoldFitness) -> None:
    order = np.arange(fitness.n_features)
    rater = OneRanking(fitness, order)
    selection = search_by_rank(fitness, ForwardSettings(bias=(0.0,), n_steps=2), order, rater)
    assert _steps(selection) == [1, 2]
    longer = search_by_rank(fitness, ForwardSettings(bias=(0.0,), n_steps=3), order, rater)
    assert _steps(longer) == [1, 2, 3]


def _own_key(
    fitness: SubjectFoldFitness,
    orders: list[NDArray[np.int64]],
    places: list[int],
    C: float,
    by: Criterion,
) -> Key:
    """Score of places, each fold's clips predicted by the features of the fold's own ranking."""
    labels, folds = fitness.folds.labels, fitness.folds.folds
    predicted = np.empty(len(labels), np.int64)
    decisions = np.empty((len(labels), len(fitness.classes)))
    for fold, order in enumerate(orders):
        mask = np.zeros((1, fitness.n_features), np.bool_)
        mask[0, order[places]] = True
        held = folds == fold
        predicted[held] = fitness.predictions(mask, [C])[0][fitness.folds.order][held]
        decisions[held] = fitness.decisions(mask, [C])[0][fitness.folds.order][held]
    told = decisions if by in OF_DECISIONS else predicted
    mean = np.mean([(predicted == labels)[folds == fold].mean() for fold in range(len(orders))])
    return float(fitness.judge(told[None], by)[0]), float(mean)


def _brute_force_by_rank(
    groupings: Sequence[SubjectFoldFitness], ranking: Ranking, by: Criterion, penalty: float = 0.0
) -> list[tuple[list[int], float, float]]:
    """Places, C and score of every step of a ranked search that ranks anew in each fold."""
    first = groupings[0]
    orders = []
    for one in groupings:
        training = [one.folds.folds != fold for fold in range(one.folds.n_folds)]
        orders.append(
            [ranking(one.features[of], one.folds.labels[of], one.n_features) for of in training]
        )

    def key(places: list[int], C: float) -> Key:
        keys = [
            _own_key(one, ours, places, C, by) for one, ours in zip(groupings, orders, strict=True)
        ]
        score, mean = np.mean(keys, axis=0).tolist()
        left_out = 1 - len(places) / first.n_features
        return round(max(score - penalty * left_out, 0.0), 12), round(mean, 12)

    def best(places: list[int]) -> float:
        return max(sorted(SETTINGS.C_values), key=lambda C: (key(places, C), -C))

    places = [0]
    C = best(places)
    steps = [(places, C, key(places, C)[0])]
    for place in range(1, first.n_features):
        if len(steps) == SETTINGS.n_steps:
            break
        if key([*places, place], C) > key(places, C):
            places = [*places, place]
            C = best(places)
            steps.append((places, C, key(places, C)[0]))
    return steps


def _check_steps(
    fitness: InnerFitness, ranking: str, by: Criterion, penalty: float = 0.0
) -> Selection:
    """The search by a ranking is that of brute force; its masks are of all clips' ranking."""
    rank = RANKINGS[ranking]
    settings = replace(SETTINGS, criterion=by)
    selection = search_forward(fitness, f"ranked_forward_{ranking}", settings)
    expected = _brute_force_by_rank(fitness.groupings, rank, by, penalty)
    scores = [score for _, _, score in expected]
    history = selection.history
    np.testing.assert_allclose(history.best_fitness, np.maximum.accumulate(scores), atol=1e-9)
    order = rank(fitness.features, fitness.folds.labels, fitness.n_features)
    places, C, _ = expected[-1]
    assert set(np.flatnonzero(selection.last.masks[0])) == set(order[places].tolist())
    assert selection.last.C[0] == C
    places, C, score = expected[selection.generation]
    assert set(np.flatnonzero(selection.mask)) == set(order[places].tolist())
    assert selection.C == C
    assert selection.fitness == pytest.approx(score, abs=1e-9)
    return selection


@pytest.mark.parametrize("criterion", ["mu_minus_variance", "pooled_uf1", "balanced_hinge"])
@pytest.mark.parametrize("ranking", ["fisher", "mrmr"])
def test_ranked_search_ranks_anew_in_each_fold(
    fitness: SubjectFoldFitness, criterion: Criterion, ranking: str
) -> None:
    selection = _check_steps(fitness, ranking, criterion)
    leaky = search_forward(
        fitness, f"leaky_ranked_forward_{ranking}", replace(SETTINGS, criterion=criterion)
    )
    assert len(selection.history.best_fitness) > 1
    assert leaky.history.best_fitness.tolist() != selection.history.best_fitness.tolist()


def test_ranked_search_ranks_anew_in_each_fold_of_each_grouping(features: Features) -> None:
    first = SubjectFoldFitness(features.values, features.labels, np.arange(24) // 3, n_folds=3)
    _check_steps(GroupedFitness(first, 2, 0.3), "fisher", "mu_minus_variance", 0.3)


def _noise(seed: int) -> SubjectFoldFitness:
    """54 clips of 6 subjects and 500 features that know nothing of the 3 classes."""
    rng = np.random.default_rng(seed)
    labels = np.concatenate([rng.permutation(np.arange(9) % 3) for _ in range(6)])
    return SubjectFoldFitness(rng.normal(size=(54, 500)), labels, np.arange(54) // 9)


def test_on_noise_only_the_leaky_search_promises_much() -> None:
    settings = ForwardSettings(bias=(0.0,), n_steps=8, C_values=(0.1,), criterion="mu")
    first, last = [], []
    for search in ("ranked_forward_fisher", "leaky_ranked_forward_fisher"):
        found = [search_forward(_noise(seed), search, settings) for seed in range(12)]
        first.append(np.mean([one.history.best_fitness[0] for one in found]))
        last.append(np.mean([one.fitness for one in found]))
    # Of the first place, which nothing has chosen: chance is 1 / 3.
    assert abs(first[0] - 1 / 3) < 0.06
    assert first[1] > 0.42
    # Both choose the best of many places; the leaky one's features know the answers.
    assert last[1] > last[0] + 0.15


@pytest.mark.parametrize(("backward", "n_left"), [(False, 30), (True, 1)])
def test_more_steps_than_features_are_none(
    fitness: SubjectFoldFitness, backward: bool, n_left: int
) -> None:
    settings = ForwardSettings(bias=(0.0,), n_steps=1000, C_values=(1.0,))
    selection = search_sequentially(fitness, settings, backward=backward)
    assert selection.last.masks[0].sum() == n_left

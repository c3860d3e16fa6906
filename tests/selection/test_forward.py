"""Searches of one feature at a time, against searches that score every mask anew."""

from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from merec_hpc.config.selection import Criterion, ForwardSettings
from merec_hpc.records import Features, Selection
from merec_hpc.selection.fitness.grouped import GroupedFitness
from merec_hpc.selection.fitness.subject_folds import SubjectFoldFitness
from merec_hpc.selection.forward import search_by_rank, search_sequentially

SETTINGS = ForwardSettings(n_steps=6, C_values=(0.1, 10.0))
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
    settings = ForwardSettings(n_steps=30, C_values=SETTINGS.C_values)
    selection = search_by_rank(fitness, settings, order)
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
    settings = ForwardSettings(n_steps=2)
    selection = search_by_rank(fitness, settings, np.arange(fitness.n_features))
    assert _steps(selection) == [1, 2]
    longer = search_by_rank(fitness, ForwardSettings(n_steps=3), np.arange(fitness.n_features))
    assert _steps(longer) == [1, 2, 3]


@pytest.mark.parametrize(("backward", "n_left"), [(False, 30), (True, 1)])
def test_more_steps_than_features_are_none(
    fitness: SubjectFoldFitness, backward: bool, n_left: int
) -> None:
    settings = ForwardSettings(n_steps=1000, C_values=(1.0,))
    selection = search_sequentially(fitness, settings, backward=backward)
    assert selection.last.masks[0].sum() == n_left

"""Rankings: the number of features is chosen by predictions that the ranking has not seen."""

import numpy as np
import pytest

from merec_hpc.config.selection import RankingSettings
from merec_hpc.criteria import balanced_hinge
from merec_hpc.records import Features
from merec_hpc.selection.filters import select_by_rank
from merec_hpc.selection.fitness.grouped import GroupedFitness
from merec_hpc.selection.fitness.subject_folds import SubjectFoldFitness
from merec_hpc.selection.ranking import RANKINGS, Labels, Order
from merec_hpc.selection.ranking import Features as Values

FISHER = RANKINGS["fisher"]


@pytest.fixture
def fitness(features: Features) -> SubjectFoldFitness:
    return SubjectFoldFitness(features.values, features.labels, features.subjects)


def test_fixed_number_keeps_the_first_of_the_ranking(fitness: SubjectFoldFitness) -> None:
    selection = select_by_rank(fitness, RankingSettings(bias=(0.0,), n_selected=4), FISHER)
    order = FISHER(fitness.features, fitness.folds.labels, 4)
    assert set(np.flatnonzero(selection.mask)) == set(order[:4].tolist())


def test_scores_are_those_of_rankings_that_leave_each_fold_out(
    fitness: SubjectFoldFitness,
) -> None:
    settings = RankingSettings(bias=(0.0,), n_selected_values=(3, 8), C_values=(0.1, 1.0))
    selection = select_by_rank(fitness, settings, FISHER)
    labels, folds = fitness.folds.labels, fitness.folds.folds
    scores = np.empty((2, 2))
    for i, number in enumerate((3, 8)):
        for j, C in enumerate((0.1, 1.0)):
            predicted = np.empty(len(labels), np.int64)
            for fold in range(fitness.folds.n_folds):
                held = folds == fold
                order = FISHER(fitness.features[~held], labels[~held], number)
                mask = np.zeros((1, fitness.n_features), np.bool_)
                mask[0, order[:number]] = True
                found = fitness.predictions(mask, np.array([C]))[0][fitness.folds.order]
                predicted[held] = found[held]
            scores[i, j] = fitness.judge(predicted[None], settings.criterion)[0]
    assert selection.fitness == scores.max()
    i, j = np.unravel_index(scores.argmax(), scores.shape)
    assert (selection.mask.sum(), selection.C) == ((3, 8)[i], (0.1, 1.0)[j])


@pytest.mark.parametrize("criterion", ["mu_minus_variance", "balanced_log_loss"])
def test_several_groupings_are_ranked_and_scored_each_by_itself(
    features: Features, criterion: str
) -> None:
    first = SubjectFoldFitness(features.values, features.labels, np.arange(24) // 3, n_folds=4)
    several = GroupedFitness(first, 3, 0.2)
    settings = RankingSettings(
        bias=(0.0,), n_selected_values=(4,), C_values=(1.0,), criterion=criterion
    )
    alone = [select_by_rank(one, settings, FISHER).fitness for one in several.groupings]
    found = select_by_rank(several, settings, FISHER)
    assert len(set(alone)) > 1
    assert found.fitness == pytest.approx(np.mean(alone) - 0.2 * 26 / 30, abs=1e-12)
    np.testing.assert_array_equal(found.mask, select_by_rank(first, settings, FISHER).mask)


def test_decisions_are_of_rankings_that_leave_each_fold_out(fitness: SubjectFoldFitness) -> None:
    settings = RankingSettings(
        bias=(0.0,), n_selected_values=(3,), C_values=(1.0,), criterion="balanced_hinge"
    )
    labels, folds = fitness.folds.labels, fitness.folds.folds
    decisions = np.empty((len(labels), 3))
    for fold in range(fitness.folds.n_folds):
        held = folds == fold
        mask = np.zeros((1, fitness.n_features), np.bool_)
        mask[0, FISHER(fitness.features[~held], labels[~held], 3)[:3]] = True
        decisions[held] = fitness.decisions(mask, [1.0])[0][fitness.folds.order][held]
    found = select_by_rank(fitness, settings, FISHER).fitness
    assert found == pytest.approx(balanced_hinge(decisions, labels), abs=1e-9)


def test_ranking_never_sees_the_fold_that_it_is_scored_on(fitness: SubjectFoldFitness) -> None:
    seen: list[int] = []

    def spy(features: Values, labels: Labels, n_wanted: int) -> Order:
        seen.append(len(features))
        return FISHER(features, labels, n_wanted)

    select_by_rank(fitness, RankingSettings(bias=(0.0,)), spy)
    counts = np.bincount(fitness.folds.folds)
    assert seen == [*(len(fitness.features) - counts), len(fitness.features)]


def test_more_features_than_there_are_is_all(fitness: SubjectFoldFitness) -> None:
    selection = select_by_rank(fitness, RankingSettings(bias=(0.0,), n_selected=1000), FISHER)
    assert selection.mask.all()


def test_inner_fold_that_leaves_one_class_is_scored(features: Features) -> None:
    # Without s01 all clips are of one class.
    labels = np.where(features.subjects == "s01", features.labels, 0)
    fitness = SubjectFoldFitness(features.values, labels, features.subjects)
    selection = select_by_rank(
        fitness, RankingSettings(bias=(0.0,), n_selected_values=(2, 30)), FISHER
    )
    assert 0 <= selection.fitness <= 1

"""Rules with what they decided, chosen and joined."""

import numpy as np
import pytest
from numpy.typing import NDArray

from merec_hpc.metrics import unweighted_f1
from merec_hpc.selection.rule.deciding import shares_of
from merec_hpc.selection.rule.family import Family, grid_of
from merec_hpc.selection.rule.inner import group_subjects
from merec_hpc.selection.rule.losses import balanced_log_loss
from merec_hpc.selection.rule.rules import Rules, joined, judge_rules

SETTINGS = Family(C_values=(0.1, 10.0), b_values=(0.0, 0.3), p_values=(0.0, 1.0))


@pytest.fixture
def labels(rng: np.random.Generator) -> NDArray[np.int64]:
    return rng.permutation(np.arange(24) % 3)


@pytest.fixture
def rules(rng: np.random.Generator, labels: NDArray[np.int64]) -> Rules:
    subjects = np.arange(24) % 4
    values = rng.normal(size=(24, 5)) + np.eye(5)[labels]
    genes, folds = grid_of(SETTINGS), group_subjects(labels, subjects)
    return judge_rules(values, subjects, genes, folds, 1)


def test_rules_are_judged_by_clips_in_the_order_that_they_were_given(
    rules: Rules, labels: NDArray[np.int64]
) -> None:
    np.testing.assert_array_equal(rules.losses, balanced_log_loss(rules.decisions, labels))
    for uf1, decisions in zip(rules.uf1, rules.decisions, strict=True):
        assert uf1 == pytest.approx(unweighted_f1(labels, decisions.argmax(axis=1)))


def test_best_rules_come_with_all_that_is_theirs(rules: Rules) -> None:
    best = rules.best(1 / 4)
    order = np.argsort(rules.losses)[:6]
    for name, array in vars(rules).items():
        np.testing.assert_array_equal(getattr(best, name), array[order])
    assert len(rules.best().genes) == 1


def test_rules_are_transductive_if_one_of_them_is(rules: Rules) -> None:
    assert rules.is_transductive
    assert not rules.take(np.flatnonzero(rules.genes[:, 0] == 0)).is_transductive


def test_shares_of_scales_make_means_in_units_of_each_rule(rules: Rules) -> None:
    two = rules.take(np.array([3, 9]))
    first, second = (rules.decisions[place] / rules.scales[place] for place in (3, 9))
    found = np.tensordot(shares_of(two.scales), two.decisions, 1)
    np.testing.assert_allclose(found, (first + second) / 2)


def test_generations_are_joined_in_their_order(rules: Rules) -> None:
    both = joined([rules.take(np.arange(5)), rules.take(np.arange(5, 24))])
    np.testing.assert_array_equal(both.genes, rules.genes)
    np.testing.assert_array_equal(both.decisions, rules.decisions)

"""Pooled criteria against the project's metrics, the paper's against its Tables V and VI.

Criteria of decisions against plain loops, and their laws.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from oracles import criteria as oracles

from merec_hpc.criteria import (
    OF_DECISIONS,
    balanced_hinge,
    balanced_log_loss,
    criteria_names,
    fold_accuracies,
    minimum,
    mu,
    mu_minus_deviation,
    mu_minus_variance,
    score_answers,
    score_predictions,
    statistics_of_two,
)
from merec_hpc.metrics import accuracy, unweighted_average_recall, unweighted_f1

LABELS = np.array([0, 0, 1, 2, 2, 2, 1, 0])
FOLDS = np.array([0, 0, 0, 1, 1, 2, 2, 2])
POOLED = {
    "pooled_accuracy": accuracy,
    "pooled_uar": unweighted_average_recall,
    "pooled_uf1": unweighted_f1,
}


@pytest.mark.parametrize("criterion", POOLED)
@settings(deadline=None, max_examples=30)
@given(rows=st.lists(st.lists(st.integers(-1, 2), min_size=8, max_size=8), min_size=1, max_size=4))
def test_pooled_criteria_are_the_metrics_of_all_clips(criterion: str, rows: list) -> None:
    predicted = np.array(rows)
    found = score_predictions(criterion, predicted, LABELS, FOLDS)
    expected = [POOLED[criterion](LABELS, row) for row in predicted]
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)


def test_accuracies_are_of_each_fold() -> None:
    predicted = np.array([[0, 0, 0, 2, 0, 2, 1, 0], np.full(8, -1)])
    accuracies = fold_accuracies(predicted, LABELS, FOLDS)
    np.testing.assert_array_equal(accuracies, [[2 / 3, 1 / 2, 1.0], [0, 0, 0]])
    np.testing.assert_array_equal(score_predictions("mu", predicted, LABELS, FOLDS), mu(accuracies))


def test_three_statistics_of_two_accuracies_are_those_of_figure_5() -> None:
    surfaces = statistics_of_two(10)
    assert {surface.shape for surface in surfaces.values()} == {(11, 11)}
    # Equal accuracies: all three are the mean. Accuracies 0 and 1: mean and deviation 1/2.
    for surface in surfaces.values():
        np.testing.assert_allclose(np.diag(surface), np.linspace(0, 1, 11))
    corner = {name: float(surface[0, 10]) for name, surface in surfaces.items()}
    assert corner == {"mu": 0.5, "mu_minus_deviation": 0.0, "mu_minus_variance": 0.25}


# Paper 1, Table V: values, mean and standard deviation in [0, 100], and their difference.
TABLE_V = [
    ((10, 20, 30), 20, 8.2, 11.8),
    ((20, 30, 80), 43.3, 26.2, 17.1),
    ((40, 50, 60), 50, 8.2, 41.8),
    ((20, 30, 100), 50, 35.6, 14.4),
    ((50, 50, 50), 50, 0, 50),
    ((70, 80, 90), 80, 8.2, 71.8),
]
# Table VI: the same in [0, 1], with mean, variance, and mean minus variance. Row 3 is misprinted
# there: values 0.3 0.4 0.5 and mean 0.4, but statistics of the 0.4 0.5 0.6 of Table V, whose mean
# is 0.5. The table truncates in some places where it rounds in others.
TABLE_VI = [
    ((0.1, 0.2, 0.3), "0.2", "0.007", "0.19"),
    ((0.2, 0.3, 0.8), "0.43", "0.069", "0.36"),
    ((0.4, 0.5, 0.6), "0.5", "0.007", "0.49"),
    ((0.2, 0.3, 1.0), "0.5", "0.13", "0.37"),
    ((0.5, 0.5, 0.5), "0.5", "0", "0.5"),
    ((0.7, 0.8, 0.9), "0.8", "0.007", "0.79"),
]


def assert_prints_as(value: float, printed: str) -> None:
    """Compare within one unit of the last printed digit, and exactly for a bare 0."""
    unit = 10.0 ** -len(printed.partition(".")[2]) if "." in printed else 1e-12
    assert abs(value - float(printed)) < unit


@pytest.mark.parametrize(("values", "mean", "deviation", "difference"), TABLE_V)
def test_mean_and_deviation_are_those_of_the_papers_table_5(
    values: tuple[float, ...], mean: float, deviation: float, difference: float
) -> None:
    accuracies = np.array([values]) / 100
    found_mean = mu(accuracies)[0]
    found_deviation = np.sqrt(found_mean - mu_minus_variance(accuracies)[0])
    assert round(100 * found_mean, 1) == mean
    assert round(100 * found_deviation, 1) == deviation
    assert round(100 * (found_mean - found_deviation), 1) == difference


@pytest.mark.parametrize(("values", "mean", "variance", "fitness"), TABLE_VI)
def test_fitness_is_that_of_the_papers_table_6(
    values: tuple[float, ...], mean: str, variance: str, fitness: str
) -> None:
    accuracies = np.array([values])
    assert_prints_as(mu(accuracies)[0], mean)
    assert_prints_as(mu(accuracies)[0] - mu_minus_variance(accuracies)[0], variance)
    assert_prints_as(mu_minus_variance(accuracies)[0], fitness)


@settings(deadline=None, max_examples=50)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_fitness_of_accuracies_is_between_zero_and_their_mean(accuracies: list[float]) -> None:
    rows = np.array([accuracies])
    assert 0 <= mu_minus_variance(rows)[0] <= mu(rows)[0] <= 1 + 1e-12


def test_each_individual_has_its_own_fitness() -> None:
    rows = np.array([[0.0, 1.0], [0.5, 0.5], [1.0, 1.0]])
    np.testing.assert_array_equal(mu(rows), [0.5, 0.5, 1.0])
    np.testing.assert_array_equal(mu_minus_variance(rows), [0.25, 0.5, 1.0])


def test_deviation_and_minimum_are_those_of_each_individual() -> None:
    rows = np.array([[0.0, 1.0, 0.5], [0.5, 0.5, 0.5], [0.2, 0.9, 1.0], [0.0, 0.0, 1.0]])
    means, deviations = [0.5, 0.5, 0.7], [(1 / 6) ** 0.5, 0, (0.38 / 3) ** 0.5]
    expected = [*(mean - spread for mean, spread in zip(means, deviations, strict=True)), 0.0]
    # Of the last the deviation is larger than the mean: 1/3 and 0.47.
    np.testing.assert_allclose(mu_minus_deviation(rows), expected)
    np.testing.assert_array_equal(minimum(rows), [0.0, 0.5, 0.2, 0.0])


def test_criteria_are_found_by_their_names() -> None:
    predicted = np.array([[0, 1, 1, 2, 0, 2, 1, 0], np.zeros(8, np.int64)])
    accuracies = fold_accuracies(predicted, LABELS, FOLDS)
    found = {
        name: score_predictions(name, predicted, LABELS, FOLDS).tolist()
        for name in ("mu", "mu_minus_variance", "mu_minus_deviation", "minimum")
    }
    assert found == {
        "mu": mu(accuracies).tolist(),
        "mu_minus_variance": mu_minus_variance(accuracies).tolist(),
        "mu_minus_deviation": mu_minus_deviation(accuracies).tolist(),
        "minimum": minimum(accuracies).tolist(),
    }
    assert len({scores[0] for scores in found.values()}) == 4


ORACLES = {"balanced_hinge": oracles.balanced_hinge, "balanced_log_loss": oracles.balanced_log_loss}
every_criterion_of_decisions = pytest.mark.parametrize("criterion", OF_DECISIONS)


def decided(seed: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Decisions of a few clips, small or large, with classes that some folds have not trained."""
    rng = np.random.default_rng(seed)
    n_clips, n_classes = int(rng.integers(2, 15)), int(rng.integers(2, 6))
    decisions = rng.normal(size=(n_clips, n_classes)) * 10.0 ** rng.uniform(-3, 1.5)
    decisions[rng.random((n_clips, n_classes)) < rng.choice([0.0, 0.2])] = -np.inf
    decisions[np.isneginf(decisions).all(axis=1), 0] = 0.0  # some class is always known
    return decisions, rng.integers(n_classes, size=n_clips)


@every_criterion_of_decisions
@settings(deadline=None, max_examples=60)
@given(seed=st.integers(0, 10**6))
def test_criteria_of_decisions_are_those_of_plain_loops(criterion: str, seed: int) -> None:
    decisions, labels = decided(seed)
    found = OF_DECISIONS[criterion](decisions, labels)
    assert found == pytest.approx(
        ORACLES[criterion](decisions.tolist(), labels.tolist()), abs=1e-12
    )
    assert 0 <= found <= 1


@every_criterion_of_decisions
@settings(deadline=None, max_examples=40)
@given(seed=st.integers(0, 10**6))
def test_the_order_of_clips_and_of_individuals_does_not_matter(criterion: str, seed: int) -> None:
    decisions, labels = decided(seed)
    order = np.random.default_rng(seed).permutation(len(labels))
    folds = np.zeros_like(labels)
    (found,) = score_answers(criterion, decisions[None], labels, folds)
    (other,) = score_answers(criterion, decisions[order][None], labels[order], folds)
    assert other == pytest.approx(found, abs=2e-9)  # a digit that is rounded away
    many = np.stack([decisions + 1, decisions, decisions * 2])
    assert score_answers(criterion, many, labels, folds)[1] == found


@every_criterion_of_decisions
@settings(deadline=None, max_examples=40)
@given(seed=st.integers(0, 10**6))
def test_better_decisions_are_worth_more(criterion: str, seed: int) -> None:
    decisions, labels = decided(seed)
    better = decisions.copy()
    clip = seed % len(labels)
    known = np.isfinite(decisions[clip])
    better[clip, known] += np.where(np.arange(decisions.shape[1]) == labels[clip], 0.5, -0.5)[known]
    score = OF_DECISIONS[criterion]
    assert score(better, labels) >= score(decisions, labels)
    # Where there is something to gain, it is gained.
    modest, own = np.full((4, 2), -0.25), np.array([0, 1, 1, 1])
    improved = modest.copy()
    improved[clip % 4, own[clip % 4]] = 0.25
    assert score(improved, own) > score(modest, own)


@every_criterion_of_decisions
def test_each_class_weighs_the_same(criterion: str) -> None:
    rng = np.random.default_rng(4)
    decisions, labels = rng.normal(size=(6, 3)), np.array([0, 0, 0, 1, 1, 2])
    score = OF_DECISIONS[criterion]
    repeated = np.concatenate([decisions, decisions[labels == 0], decisions[labels == 0]])
    assert score(repeated, np.append(labels, [0] * 6)) == pytest.approx(score(decisions, labels))


def test_criteria_of_decisions_have_known_values() -> None:
    labels = np.array([0, 1, 2, 2])
    nothing, signs = np.zeros((4, 3)), np.where(labels[:, None] == np.arange(3), 1.0, -1.0)
    assert balanced_hinge(nothing, labels) == 1 / 4
    assert balanced_log_loss(nothing, labels) == pytest.approx(1 / 3)
    assert balanced_hinge(signs, labels) == 1
    assert balanced_hinge(7 * signs, labels) == 1
    assert balanced_log_loss(signs, labels) == pytest.approx(1 / (1 + 2 * np.exp(-32)))
    # Wrong and sure of it: the smallest factor is the best, exp(-loss) is far below the inverse.
    assert balanced_hinge(-signs, labels) == 1 / (1 + 12)
    assert balanced_log_loss(-signs, labels) == pytest.approx(1 / (1 + 2 * np.e))


@every_criterion_of_decisions
def test_a_class_without_training_clips_costs_its_own_and_the_others_nothing(
    criterion: str,
) -> None:
    labels = np.array([0, 0, 1, 1, 2])
    decisions = np.random.default_rng(1).normal(size=(5, 3))
    decisions[4, 2] = -np.inf  # the only clip of its class
    score = OF_DECISIONS[criterion]
    changed = decisions.copy()
    changed[4, :2] += 9
    assert score(decisions, labels) == score(changed, labels) == score(decisions[:4], labels[:4])
    unknown = np.full((5, 3), -np.inf)
    assert score(unknown, labels) == 0
    assert score(np.full((5, 3), np.nan), labels) == 0


@every_criterion_of_decisions
def test_predictions_are_no_decisions(criterion: str) -> None:
    with pytest.raises(ValueError, match=r"decisions \(n, n_clips, n_classes\)"):
        score_answers(criterion, np.zeros((2, 8), np.int64), LABELS, FOLDS)


def test_every_criterion_has_a_name_of_its_own() -> None:
    names = criteria_names()
    assert len(set(names)) == len(names)
    assert {"mu_minus_variance", "pooled_uf1", "balanced_hinge", "balanced_log_loss"} <= {*names}

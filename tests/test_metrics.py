"""Figures of merit against numbers worked out by hand."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import ArrayLike
from sklearn.metrics import balanced_accuracy_score, f1_score

from merec_hpc.metrics import (
    accuracy,
    confusion,
    majority_share,
    resample_subjects,
    subject_bootstrap,
    subject_confusions,
    unweighted_average_recall,
    unweighted_f1,
)

Metric = Callable[[ArrayLike, ArrayLike], float]
METRICS = (accuracy, unweighted_f1, unweighted_average_recall)
every_metric = pytest.mark.parametrize("metric", METRICS)

# a: 3 hits, 2 false alarms; b: 1 hit of 2; c: none.
LABELS = ["a", "a", "a", "b", "b", "c"]
PREDICTED = ["a", "a", "a", "b", "a", "a"]


def test_figures_are_those_worked_out_by_hand() -> None:
    assert accuracy(LABELS, PREDICTED) == pytest.approx(4 / 6)
    assert unweighted_f1(LABELS, PREDICTED) == pytest.approx((6 / 8 + 2 / 3 + 0) / 3)
    assert unweighted_average_recall(LABELS, PREDICTED) == pytest.approx((1 + 1 / 2 + 0) / 3)


@every_metric
def test_names_of_classes_do_not_matter(metric: Metric) -> None:
    number = {"a": 7, "b": -1, "c": 3}
    assert metric([number[name] for name in LABELS], [number[name] for name in PREDICTED]) == (
        metric(LABELS, PREDICTED)
    )


@every_metric
@pytest.mark.parametrize(("predicted", "value"), [(LABELS, 1.0), (list("bbbcca"), 0.0)])
def test_all_right_is_one_and_all_wrong_is_zero(
    metric: Metric, predicted: list[str], value: float
) -> None:
    assert metric(LABELS, predicted) == value


def test_a_class_that_is_never_predicted_counts_as_zero() -> None:
    assert unweighted_f1([0, 0, 1], [0, 0, 0]) == pytest.approx((4 / 5 + 0) / 2)
    assert unweighted_average_recall([0, 0, 1], [0, 0, 0]) == pytest.approx(1 / 2)


def test_a_prediction_outside_the_labels_only_costs_recall() -> None:
    labels, predicted = ["a", "a", "b", "b"], ["a", "x", "b", "b"]
    assert unweighted_f1(labels, predicted) == pytest.approx((2 / 3 + 1) / 2)
    assert unweighted_average_recall(labels, predicted) == pytest.approx((1 / 2 + 1) / 2)


def test_a_lone_class_is_scored() -> None:
    assert unweighted_f1(["a", "a"], ["a", "b"]) == pytest.approx(2 / 3)
    assert unweighted_average_recall(["a", "a"], ["a", "b"]) == pytest.approx(1 / 2)


pairs = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 4)), min_size=1, max_size=20)


@settings(deadline=None)
@given(pairs)
def test_figures_are_those_of_their_definitions(drawn: list[tuple[int, int]]) -> None:
    labels = [label for label, _ in drawn]
    predicted = [found for _, found in drawn]
    f1s, recalls = [], []
    for known in set(labels):
        hits = sum(pair == (known, known) for pair in drawn)
        f1s.append(2 * hits / (labels.count(known) + predicted.count(known)))
        recalls.append(hits / labels.count(known))
    assert unweighted_f1(labels, predicted) == pytest.approx(np.mean(f1s))
    assert unweighted_average_recall(labels, predicted) == pytest.approx(np.mean(recalls))


@settings(deadline=None, max_examples=25)
@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("abc")), max_size=20))
def test_figures_are_those_of_scikit_learn_where_every_class_is_a_label(
    drawn: list[tuple[str, str]],
) -> None:
    labels, predicted = zip(*drawn, *zip("abc", "cab", strict=True), strict=True)
    expected = f1_score(labels, predicted, average="macro")
    assert unweighted_f1(labels, predicted) == pytest.approx(expected)
    expected = balanced_accuracy_score(labels, predicted)
    assert unweighted_average_recall(labels, predicted) == pytest.approx(expected)


@every_metric
@pytest.mark.parametrize(("labels", "predicted"), [([], []), ([1, 2], [1]), ([[1, 2]], [[1, 2]])])
def test_labels_without_one_prediction_each_are_refused(
    metric: Metric, labels: list[Any], predicted: list[Any]
) -> None:
    with pytest.raises(ValueError, match="one prediction per label expected"):
        metric(labels, predicted)


def test_confusion_has_labels_in_rows_and_predictions_in_columns() -> None:
    counts = confusion(LABELS, PREDICTED, ["c", "b", "a"])
    assert counts.tolist() == [[0, 0, 1], [0, 1, 1], [0, 0, 3]]


def test_majority_share_is_the_accuracy_of_the_most_frequent_class() -> None:
    assert majority_share(LABELS) == 1 / 2
    assert majority_share([4, 4, 4]) == 1.0


def bootstrap(seed: int, metric: Metric = accuracy) -> tuple[float, float]:
    """Return the interval for 12 subjects with 5 clips each, of which about 2 in 3 are right."""
    rng = np.random.default_rng(0)
    labels = rng.integers(3, size=60)
    predicted = np.where(rng.random(60) < 0.6, labels, rng.integers(3, size=60))
    subjects = np.repeat([f"s{index}" for index in range(12)], 5)
    interval = subject_bootstrap(metric, labels, predicted, subjects, 100, seed)
    assert interval.low < metric(labels, predicted) < interval.high
    return interval.low, interval.high


@every_metric
def test_the_bootstrap_covers_the_figure_and_depends_on_its_seed_alone(metric: Metric) -> None:
    low, high = bootstrap(1, metric)
    assert bootstrap(1, metric) == (low, high)
    assert bootstrap(2, metric) != (low, high)
    assert 0 <= low < high <= 1


def test_the_bootstrap_draws_whole_subjects() -> None:
    # One subject all right, one all wrong: a resample scores 0, 1/2 or 1, and 0 and 1 in a
    # quarter of them each; clips drawn one by one would seldom leave the middle.
    labels, predicted = [1] * 8, [1, 0, 1, 0, 1, 0, 1, 0]
    interval = subject_bootstrap(accuracy, labels, predicted, ["x", "y"] * 4, 200, 0)
    assert (interval.low, interval.high) == (0.0, 1.0)


def test_the_bootstrap_of_one_subject_is_a_point() -> None:
    interval = subject_bootstrap(accuracy, [0, 1, 1], [0, 1, 0], ["x"] * 3, 10, 0)
    assert interval.low == interval.high == pytest.approx(2 / 3)


def test_the_bootstrap_interval_is_that_of_the_binomial_for_many_subjects() -> None:
    # 400 subjects of one clip, 240 right: 0.6 +- 1.96 * sqrt(0.6 * 0.4 / 400).
    interval = subject_bootstrap(
        accuracy, np.ones(400, np.bool_), np.arange(400) < 240, np.arange(400), 4000, 0
    )
    assert interval.low == pytest.approx(0.6 - 0.048, abs=0.004)
    assert interval.high == pytest.approx(0.6 + 0.048, abs=0.004)


@pytest.mark.parametrize(
    ("predicted", "subjects"), [([1], ["x", "y"]), ([1, 2], ["x"]), ([1, 2], ["x", "y", "z"])]
)
def test_the_bootstrap_refuses_what_is_not_of_one_length(
    predicted: list[int], subjects: list[str]
) -> None:
    with pytest.raises(ValueError, match="one prediction and one subject per label expected"):
        subject_bootstrap(accuracy, [1, 2], predicted, subjects, 10, 0)


def test_the_bootstrap_scores_resamples_as_the_metric_does(rng: np.random.Generator) -> None:
    labels, predicted = rng.integers(3, size=30), rng.integers(3, size=30)
    subjects = np.repeat(np.arange(5), 6)
    drawn = np.random.default_rng(np.random.SeedSequence(7)).integers(5, size=(40, 5))
    for metric in (accuracy, unweighted_f1, unweighted_average_recall):
        values = []
        for draw in drawn:
            rows = np.concatenate([np.flatnonzero(subjects == owner) for owner in draw])
            values.append(metric(labels[rows], predicted[rows]))
        low, high = np.percentile(values, [2.5, 97.5])
        interval = subject_bootstrap(metric, labels, predicted, subjects, 40, 7)
        assert (interval.low, interval.high) == pytest.approx((low, high))


def test_subject_confusions_are_those_of_each_subject_sorted() -> None:
    counts = subject_confusions(LABELS, PREDICTED, list("yyxxzz"))
    assert counts.shape == (3, 3, 3)
    np.testing.assert_array_equal(counts[0], [[1, 0, 0], [0, 1, 0], [0, 0, 0]])
    np.testing.assert_array_equal(counts[1], [[2, 0, 0], [0, 0, 0], [0, 0, 0]])
    np.testing.assert_array_equal(counts.sum(axis=0), confusion(LABELS, PREDICTED))


def test_subject_confusions_have_the_classes_named() -> None:
    counts = subject_confusions(["a"], ["b"], ["x"], ["b", "c", "a"])
    np.testing.assert_array_equal(counts, [[[0, 0, 0], [0, 0, 0], [1, 0, 0]]])


def test_resampled_counts_are_sums_of_the_subjects_drawn(rng: np.random.Generator) -> None:
    counts = rng.integers(9, size=(6, 2, 2))
    drawn = np.random.default_rng(np.random.SeedSequence(5)).integers(6, size=(30, 6))
    expected = counts[drawn].sum(axis=1)
    np.testing.assert_array_equal(resample_subjects(counts, 30, 5), expected)

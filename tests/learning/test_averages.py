"""Averages over classes against numbers worked out by hand and against scikit-learn."""

from typing import Any, Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import precision_recall_fscore_support

from merec_hpc.learning.averages import Averages, class_averages, class_averages_of
from merec_hpc.metrics import accuracy, unweighted_average_recall, unweighted_f1

# a: 3 hits, 2 false alarms; b: 1 hit of 2; c: none.
LABELS = ["a", "a", "a", "b", "b", "c"]
PREDICTED = ["a", "a", "a", "b", "a", "a"]
Weighting = Literal["macro", "weighted"]
every_weighting = pytest.mark.parametrize("weighting", ["macro", "weighted"])
pairs = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 4)), min_size=1, max_size=20)


def values(averages: Averages) -> tuple[float, float, float]:
    return averages.precision, averages.recall, averages.f1


def test_averages_are_those_worked_out_by_hand() -> None:
    macro = class_averages(LABELS, PREDICTED, "macro")
    assert macro.precision == pytest.approx((3 / 5 + 1 + 0) / 3)
    assert macro.recall == pytest.approx((1 + 1 / 2 + 0) / 3)
    assert macro.f1 == pytest.approx((6 / 8 + 2 / 3 + 0) / 3)
    weighted = class_averages(LABELS, PREDICTED, "weighted")
    assert weighted.precision == pytest.approx((3 * 3 / 5 + 2 * 1 + 0) / 6)
    assert weighted.recall == pytest.approx((3 * 1 + 2 * 1 / 2 + 0) / 6)
    assert weighted.f1 == pytest.approx((3 * 6 / 8 + 2 * 2 / 3 + 0) / 6)


@every_weighting
@settings(deadline=None)
@given(drawn=pairs)
def test_averages_are_those_of_scikit_learn_over_the_classes_with_labels(
    weighting: Weighting, drawn: list[tuple[int, int]]
) -> None:
    labels, predicted = zip(*drawn, strict=True)
    expected = precision_recall_fscore_support(
        labels, predicted, labels=np.unique(labels), average=weighting, zero_division=0
    )[:3]
    assert values(class_averages(labels, predicted, weighting)) == pytest.approx(expected)


@settings(deadline=None)
@given(pairs)
def test_some_averages_have_names_of_their_own(drawn: list[tuple[int, int]]) -> None:
    labels, predicted = zip(*drawn, strict=True)
    macro = class_averages(labels, predicted, "macro")
    assert macro.recall == pytest.approx(unweighted_average_recall(labels, predicted))
    assert macro.f1 == pytest.approx(unweighted_f1(labels, predicted))
    weighted = class_averages(labels, predicted, "weighted")
    assert weighted.recall == pytest.approx(accuracy(labels, predicted))


@every_weighting
def test_counts_of_classes_without_labels_only_cost_recall(weighting: Weighting) -> None:
    counts = np.array([[2, 0, 1], [1, 3, 0], [0, 0, 0]])
    averages = class_averages_of(counts, weighting)
    shares = (3 / 7, 4 / 7) if weighting == "weighted" else (1 / 2, 1 / 2)
    assert averages.precision == pytest.approx(shares[0] * 2 / 3 + shares[1])
    assert averages.recall == pytest.approx(shares[0] * 2 / 3 + shares[1] * 3 / 4)


@pytest.mark.parametrize(("labels", "predicted"), [([], []), ([1, 2], [1]), ([[1, 2]], [[1, 2]])])
def test_labels_without_one_prediction_each_are_refused(
    labels: list[Any], predicted: list[Any]
) -> None:
    with pytest.raises(ValueError, match="one prediction per label expected"):
        class_averages(labels, predicted, "macro")

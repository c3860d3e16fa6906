"""The area under the ROC curve against its definition and against scikit-learn."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from merec_hpc.learning.auc import one_vs_rest_auc

INFINITE = float("-inf")


def test_auc_is_that_worked_out_by_hand() -> None:
    # Class 0: 1 of its 2 clips is ahead of both others, the other ties with one: 3.5 of 4 pairs.
    # Class 1: behind, behind; ahead, ahead: 2 of 4.
    decisions = [[3.0, 0.0], [1.0, 0.0], [1.0, -1.0], [0.0, 2.0]]
    assert one_vs_rest_auc([0, 0, 1, 1], decisions) == pytest.approx((3.5 / 4 + 2 / 4) / 2)


def test_perfect_decisions_are_one_inverted_ones_zero_and_equal_ones_a_half() -> None:
    labels = np.tile([0, 1, 2], 4)
    perfect = np.eye(3)[labels]
    assert one_vs_rest_auc(labels, perfect) == 1.0
    assert one_vs_rest_auc(labels, -perfect) == 0.0
    assert one_vs_rest_auc(labels, np.zeros((12, 3))) == 0.5


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 2), *[st.sampled_from([-2.0, -0.5, 0.0, 0.25, 3.0])] * 3),
        min_size=1,
        max_size=15,
    )
)
def test_auc_is_the_mean_of_scikit_learns(drawn: list[tuple[int, float, float, float]]) -> None:
    rows = [*drawn, (0, 0.0, 0.0, 1.0), (2, 1.0, 0.0, 0.0)]  # two classes at least, ties
    labels = np.array([row[0] for row in rows])
    decisions = np.array([row[1:] for row in rows])
    expected = [roc_auc_score(labels == known, decisions[:, known]) for known in np.unique(labels)]
    assert one_vs_rest_auc(labels, decisions) == pytest.approx(np.mean(expected))


def test_a_class_that_had_no_machine_is_behind_all_and_ties_with_itself(
    rng: np.random.Generator,
) -> None:
    labels = rng.integers(3, size=40)
    decisions = rng.normal(size=(40, 3))
    decisions[rng.random((40, 3)) < 0.3] = INFINITE
    finite = np.where(np.isinf(decisions), -1e9, decisions)
    assert one_vs_rest_auc(labels, decisions) == one_vs_rest_auc(labels, finite)


def test_a_class_without_labels_is_left_out(rng: np.random.Generator) -> None:
    labels, decisions = np.tile([0, 2], 5), rng.normal(size=(10, 3))
    decisions[:, 1] = INFINITE
    without = one_vs_rest_auc(labels // 2, decisions[:, [0, 2]])
    assert one_vs_rest_auc(labels, decisions) == without


def test_increasing_maps_change_nothing(rng: np.random.Generator) -> None:
    labels, decisions = rng.integers(3, size=30), rng.normal(size=(30, 3))
    mapped = np.exp(decisions)
    assert one_vs_rest_auc(labels, mapped) == one_vs_rest_auc(labels, decisions)


def test_columns_are_those_of_the_classes_named(rng: np.random.Generator) -> None:
    labels, decisions = np.tile([0, 1, 2], 5), rng.normal(size=(15, 3))
    names = np.array(["surprise", "negative", "positive"])
    expected = one_vs_rest_auc(labels, decisions)
    assert one_vs_rest_auc(names[labels], decisions, names) == expected


@pytest.mark.parametrize("decisions", [np.zeros(2), np.zeros((3, 2)), np.zeros((0, 2))])
def test_labels_without_a_row_each_are_refused(decisions: np.ndarray) -> None:
    with pytest.raises(ValueError, match="one row of decisions per label expected"):
        one_vs_rest_auc([0, 1], decisions)


@pytest.mark.parametrize(("labels", "classes"), [([0, 2], None), ([0, 1], [0, 1, 2])])
def test_a_label_or_class_without_a_column_is_refused(
    labels: list[int], classes: list[int] | None
) -> None:
    with pytest.raises(ValueError, match="one column of decisions per class expected"):
        one_vs_rest_auc(labels, np.zeros((2, 2)), classes)


@pytest.mark.parametrize("labels", [[1, 1], []])
def test_labels_of_fewer_than_two_classes_are_refused(labels: list[int]) -> None:
    with pytest.raises(ValueError, match="labels of at least two classes expected"):
        one_vs_rest_auc(labels, np.zeros((len(labels), 2)))


def test_decisions_that_are_no_numbers_are_refused() -> None:
    with pytest.raises(ValueError, match="numbers as decisions expected, found 1"):
        one_vs_rest_auc([0, 1], [[0.0, np.nan], [1.0, 0.0]])

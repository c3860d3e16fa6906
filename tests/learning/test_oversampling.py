"""SMOTE: the rows given stay, the rows added lie between neighbours of their class."""

import numpy as np
import pytest
from imblearn.over_sampling import SMOTE
from numpy.typing import NDArray

from merec_hpc.learning.oversampling import oversample

SIZES = {0: 9, 3: 4, 5: 12, 8: 1, 9: 2}
LABELS = np.repeat(list(SIZES), list(SIZES.values()))


@pytest.fixture
def values(rng: np.random.Generator) -> NDArray[np.float64]:
    drawn: NDArray[np.float64] = rng.normal(size=(len(LABELS), 4)) + LABELS[:, None]
    return drawn


def lies_between(row: NDArray[np.float64], known: NDArray[np.float64], n_neighbours: int) -> bool:
    """Whether a row is on a line from a known row to one of its nearest others."""
    for start in known:
        distances = np.linalg.norm(known - start, axis=1)
        for end in known[np.argsort(distances)[1 : n_neighbours + 1]]:
            whole = np.linalg.norm(end - start)
            parts = np.linalg.norm(row - start) + np.linalg.norm(end - row)
            if parts == pytest.approx(whole):
                return True
    return False


def test_none_changes_nothing(values: NDArray[np.float64]) -> None:
    features, labels = oversample(values, LABELS, "none", 0)
    np.testing.assert_array_equal(features, values)
    np.testing.assert_array_equal(labels, LABELS)


def test_all_classes_end_with_as_many_rows_as_the_largest(values: NDArray[np.float64]) -> None:
    features, labels = oversample(values, LABELS, "smote", 0)
    assert features.shape == (60, 4)
    classes, sizes = np.unique(labels, return_counts=True)
    assert dict(zip(classes.tolist(), sizes.tolist(), strict=True)) == dict.fromkeys(SIZES, 12)


def test_rows_given_come_first_and_unchanged(
    values: NDArray[np.float64], rng: np.random.Generator
) -> None:
    order = rng.permutation(len(LABELS))
    given, known = values[order], LABELS[order]
    features, labels = oversample(given.copy(), known.copy(), "smote", 0)
    np.testing.assert_array_equal(features[: len(known)], given)
    np.testing.assert_array_equal(labels[: len(known)], known)
    assert (np.diff(labels[len(known) :]) >= 0).all()


def test_rows_added_lie_between_neighbours_of_their_class(values: NDArray[np.float64]) -> None:
    features, labels = oversample(values, LABELS, "smote", 0)
    for row, label in zip(features[len(LABELS) :], labels[len(LABELS) :], strict=True):
        known = values[label == LABELS]
        if label == 8:
            np.testing.assert_array_equal(row, known[0])
        else:
            assert not (row == known).all(axis=1).any()
            assert lies_between(row, known, n_neighbours=5)


def test_rows_are_those_of_imbalanced_learn_where_it_finds_five_neighbours(
    values: NDArray[np.float64],
) -> None:
    kept = np.isin(LABELS, [0, 5])
    features, labels = oversample(values[kept], LABELS[kept], "smote", 7)
    expected = SMOTE(random_state=7).fit_resample(values[kept], LABELS[kept])
    np.testing.assert_array_equal(features, expected[0])
    np.testing.assert_array_equal(labels, expected[1])


def test_the_seed_alone_decides(values: NDArray[np.float64]) -> None:
    first = oversample(values, LABELS, "smote", 1)[0]
    np.testing.assert_array_equal(oversample(values, LABELS, "smote", 1)[0], first)
    assert (oversample(values, LABELS, "smote", 2)[0] != first).any()


@pytest.mark.parametrize("labels", [np.zeros(12, np.int64), np.tile([0, 1], 6)])
def test_balanced_classes_get_no_rows(labels: NDArray[np.int64]) -> None:
    values = np.arange(24.0).reshape(12, 2)
    features, grown = oversample(values, labels, "smote", 0)
    np.testing.assert_array_equal(features, values)
    np.testing.assert_array_equal(grown, labels)

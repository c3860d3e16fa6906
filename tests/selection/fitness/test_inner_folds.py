"""Who is left out, and how classes are weighed."""

import numpy as np
import pytest

from merec_hpc.selection.fitness.inner_folds import InnerFolds

LABELS = np.array(["b", "a", "b", "c", "a", "b", "b", "c"])
SUBJECTS = np.array(["t", "s", "s", "u", "t", "v", "u", "v"])


def test_clips_are_sorted_by_subject_and_keep_their_order() -> None:
    folds = InnerFolds.of(LABELS, SUBJECTS, None)
    assert folds.order.tolist() == [1, 2, 0, 4, 3, 6, 5, 7]
    assert folds.folds.tolist() == [0, 0, 1, 1, 2, 2, 3, 3]
    assert folds.edges.tolist() == [0, 2, 4, 6, 8]
    assert folds.classes[folds.labels].tolist() == LABELS[folds.order].tolist()


def test_groups_of_subjects_are_never_split() -> None:
    folds = InnerFolds.of(LABELS, SUBJECTS, 2)
    assert folds.n_folds == 2
    owners = SUBJECTS[folds.order]
    for subject in np.unique(owners):
        assert len(set(folds.folds[owners == subject].tolist())) == 1
    assert np.bincount(folds.folds).tolist() == [4, 4]


@pytest.mark.parametrize("n_folds", [0, 1, 5])
def test_a_number_of_folds_that_subjects_cannot_fill_is_refused(n_folds: int) -> None:
    with pytest.raises(ValueError, match="2 to 4 inner folds"):
        InnerFolds.of(LABELS, SUBJECTS, n_folds)


def test_two_classes_are_one_machine() -> None:
    folds = InnerFolds.of(np.array([1, 0, 1, 0]), np.arange(4), None)
    np.testing.assert_array_equal(folds.targets, [[-1, 1, -1, 1]])


def test_balanced_weights_are_of_the_positive_class() -> None:
    folds = InnerFolds.of(np.array([0, 0, 0, 1, 1, 2]), np.arange(6), None)
    weights = folds.balanced_weights(np.ones(6, np.bool_))
    np.testing.assert_allclose(weights[0], [2 / 3] * 3 + [1] * 3)
    np.testing.assert_allclose(weights[1], [1] * 3 + [1] * 2 + [1])
    np.testing.assert_allclose(weights[2], [1] * 5 + [2])


def test_balanced_weights_of_two_classes_are_of_both() -> None:
    folds = InnerFolds.of(np.array([0, 0, 0, 1, 1, 2]), np.arange(6), None)
    weights = folds.balanced_weights(np.arange(6) != 5)  # class 2 has no training clip
    expected = [5 / 6] * 3 + [5 / 4] * 2
    for machine in weights:
        np.testing.assert_allclose(machine[:5], expected)


def test_as_many_folds_as_subjects_leave_each_out_alone() -> None:
    folds = InnerFolds.of(LABELS, SUBJECTS, 4)
    assert folds.n_folds == 4
    owners = SUBJECTS[folds.order]
    assert all(len(set(owners[folds.folds == fold])) == 1 for fold in range(4))

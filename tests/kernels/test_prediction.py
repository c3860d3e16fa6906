"""Classes from decision values, and what is certain of them."""

import numpy as np
import pytest

from merec_hpc.kernels.prediction import predict

DECISIONS = np.array([[0.5, -1.0, 0.2], [0.4, -2.0, 0.2], [-1.0, -1.5, 0.1]])
TRAINED = np.ones((3, 3), np.bool_)


def predicted(
    decisions: np.ndarray, trained: np.ndarray, precision: float = 0.0
) -> tuple[list[int], bool]:
    classes = np.empty(decisions.shape[1], np.int64)
    certain = predict(decisions, np.ones_like(decisions), precision, trained, classes)
    return classes.tolist(), bool(certain)


def test_the_largest_decision_counts_and_of_equals_the_first() -> None:
    assert predicted(DECISIONS, TRAINED) == ([0, 0, 0], True)


def test_a_class_far_behind_that_is_known_the_least_is_in_doubt() -> None:
    reach = np.array([[0.0], [0.0], [5.8e6], [0.0]])
    found, classes = np.array([[1.4], [-5.1], [-2938.0], [-3.0]]), np.empty(1, np.int64)
    assert not predict(found, reach, 1.0, np.ones((1, 4), np.bool_), classes)
    assert predict(found, reach, 1e-5, np.ones((1, 4), np.bool_), classes)


def test_a_class_that_is_not_trained_never_counts() -> None:
    trained = TRAINED.copy()
    trained[:, 0] = False
    assert predicted(DECISIONS, trained)[0] == [1, 2, 1]


@pytest.mark.parametrize(("precision", "certain"), [(0.049, True), (0.051, False)])
def test_a_margin_must_exceed_the_doubt_of_both_classes(precision: float, certain: bool) -> None:
    clear = DECISIONS[:, :2]  # margins 0.1 and 0.5
    assert predicted(clear, TRAINED[:2], precision)[1] == certain


def test_the_second_best_is_found_after_the_best_and_before_it() -> None:
    rising = np.array([[0.0], [0.95], [1.0]])
    assert not predicted(rising, TRAINED[:1], 0.03)[1]
    assert not predicted(rising[::-1].copy(), TRAINED[:1], 0.03)[1]
    assert predicted(rising, TRAINED[:1], 0.02)[1]


def test_of_two_classes_one_machine_decides() -> None:
    machine = np.array([[0.5, -0.5, 0.01]])
    both = np.ones((3, 2), np.bool_)
    assert predicted(machine, both) == ([0, 1, 0], True)
    assert predicted(machine, both, 0.02) == ([0, 1, 0], False)
    assert predicted(machine, both, 0.005) == ([0, 1, 0], True)


def test_a_single_trained_class_is_certain() -> None:
    trained = np.zeros((3, 3), np.bool_)
    trained[:, 2] = True
    assert predicted(DECISIONS, trained, 1e9) == ([2, 2, 2], True)

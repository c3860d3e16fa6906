"""LIBLINEAR behind one class, against scikit-learn and against an exact solution."""

import numpy as np
import pytest
from numpy.typing import NDArray
from oracles.leave_out import svm_weights
from sklearn.svm import LinearSVC

from merec_hpc.learning.linear_svm import train_svm

LABELS = np.tile([0, 1, 2], 8)
# First the larger label, then the smaller, then the one between; not from 0, not in a row.
ORDERS = {
    "ascending": np.array([0, 1, 2]),
    "largest first": np.array([9, 2, 5]),
    "with gaps": np.array([3, 30, 300]),
}


@pytest.fixture
def values(rng: np.random.Generator) -> NDArray[np.float64]:
    drawn: NDArray[np.float64] = rng.normal(size=(24, 6)) + np.eye(3, 6)[LABELS]
    return drawn


def scikit(
    features: NDArray[np.float64], labels: NDArray[np.int64], C: float
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return decisions, one column a class, and classes."""
    machine = LinearSVC(
        C=C, loss="squared_hinge", dual=True, fit_intercept=False, tol=1e-8, max_iter=10**7
    ).fit(features, labels)
    decisions = machine.decision_function(features)
    if decisions.ndim == 1:
        decisions = np.stack([-decisions, decisions], axis=1)
    return decisions, machine.classes_


@pytest.mark.parametrize("C", [0.01, 1.0, 100.0])
@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("order", sorted(ORDERS))
def test_decisions_are_those_of_scikit_learn(
    values: NDArray[np.float64], C: float, n_classes: int, order: str
) -> None:
    kept = n_classes > LABELS
    labels = ORDERS[order][LABELS[kept]]
    machine = train_svm(values[kept], labels, C)
    decisions, classes = scikit(values[kept], labels, C)
    np.testing.assert_array_equal(machine.classes, classes)
    np.testing.assert_allclose(machine.decisions(values[kept]), decisions, rtol=0, atol=1e-4)
    np.testing.assert_array_equal(machine.predict(values[kept]), classes[decisions.argmax(axis=1)])


@pytest.mark.parametrize("n_features", [2, 60])
@pytest.mark.parametrize("C", [0.01, 1.0, 100.0])
def test_weights_are_those_of_the_exact_solution(
    rng: np.random.Generator, n_features: int, C: float
) -> None:
    features = rng.normal(size=(24, n_features))
    machine = train_svm(features, LABELS, C)
    for row, known in enumerate(machine.classes):
        expected = svm_weights(features, np.where(known == LABELS, 1.0, -1.0), C)
        np.testing.assert_allclose(machine.weights[row], expected, rtol=0, atol=1e-4)


@pytest.mark.parametrize("first", [0, 1])
def test_two_classes_have_opposite_weights_whichever_comes_first(first: int) -> None:
    features = np.array([[1.0], [-1.0], [2.0], [-3.0]])
    labels = np.array([first, 1 - first] * 2)
    machine = train_svm(features, labels, 1.0)
    np.testing.assert_array_equal(machine.classes, [0, 1])
    np.testing.assert_array_equal(machine.weights[0], -machine.weights[1])
    np.testing.assert_array_equal(machine.predict(features), labels)


def test_the_order_of_clips_does_not_matter(values: NDArray[np.float64]) -> None:
    machine = train_svm(values, LABELS, 1.0)
    reversed_machine = train_svm(values[::-1], LABELS[::-1], 1.0)
    np.testing.assert_array_equal(machine.classes, reversed_machine.classes)
    np.testing.assert_allclose(machine.weights, reversed_machine.weights, rtol=0, atol=1e-4)


def test_training_twice_gives_the_same_machine(values: NDArray[np.float64]) -> None:
    # Not the same bits: LIBLINEAR's random numbers go on from one training to the next.
    first, second = train_svm(values, LABELS, 1.0), train_svm(values, LABELS, 1.0)
    np.testing.assert_allclose(first.weights, second.weights, rtol=0, atol=1e-6)


def test_the_penalty_is_taken_exactly(values: NDArray[np.float64]) -> None:
    C = 0.1234567890123456
    machine = train_svm(values, LABELS, C)
    decisions, _ = scikit(values, LABELS, C)
    np.testing.assert_allclose(machine.decisions(values), decisions, rtol=0, atol=1e-5)


def test_a_large_label_is_kept(values: NDArray[np.float64]) -> None:
    labels = np.where(LABELS == 2, 10**6, LABELS)
    assert 10**6 in train_svm(values, labels, 10.0).predict(values)


def test_one_class_is_refused(values: NDArray[np.float64]) -> None:
    with pytest.raises(ValueError, match="at least two classes expected, found 1"):
        train_svm(values, np.ones(24, np.int64), 1.0)


def test_training_twice_gives_the_same_bits(rng: np.random.Generator) -> None:
    values, labels = rng.normal(size=(24, 6)), np.tile([0, 1, 2], 8)
    first = train_svm(values, labels, 1.0).weights
    train_svm(values[:11], labels[:11], 10.0)
    np.testing.assert_array_equal(train_svm(values, labels, 1.0).weights, first)


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("zero", [[4], [3, 4], [0], [0, 2, 4], [0, 1, 2, 3, 4]])
def test_features_that_are_0_have_no_weight_wherever_they_stand(
    rng: np.random.Generator, n_classes: int, zero: list[int]
) -> None:
    labels = np.arange(24) % n_classes
    features = rng.normal(size=(24, 5))
    features[:, zero] = 0
    others = [place for place in range(5) if place not in zero]
    found = train_svm(features, labels, 1.0)
    assert found.weights.shape == (n_classes, 5)
    assert (found.weights[:, zero] == 0).all()
    assert found.decisions(features).shape == (24, n_classes)
    if others:
        alone = train_svm(features[:, others], labels, 1.0)
        np.testing.assert_allclose(found.weights[:, others], alone.weights, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("zero", [[], [0], [4], [3, 4]])
def test_a_bias_is_a_constant_feature_in_units_of_the_clips_length(
    rng: np.random.Generator, n_classes: int, zero: list[int]
) -> None:
    labels = np.arange(24) % n_classes
    features = rng.normal(size=(24, 5)) + 1.0
    features[:, zero] = 0
    constant = 0.3 * np.sqrt(np.mean([clip @ clip for clip in features]))
    found = train_svm(features, labels, 1.0, bias=0.3)
    augmented = np.insert(features, 0, constant, axis=1)
    for row in range(n_classes):
        expected = svm_weights(augmented, np.where(labels == row, 1.0, -1.0), 1.0)
        np.testing.assert_allclose(found.weights[row], expected[1:], rtol=0, atol=1e-5)
        assert found.intercepts[row] == pytest.approx(constant * expected[0], abs=1e-5)
    values = features @ found.weights.T + found.intercepts
    np.testing.assert_allclose(found.decisions(features), values)


def test_without_a_bias_there_is_no_intercept(values: NDArray[np.float64]) -> None:
    assert train_svm(values, LABELS, 1.0).intercepts.tolist() == [0.0, 0.0, 0.0]


def test_features_that_are_all_0_have_no_unit(values: NDArray[np.float64]) -> None:
    assert train_svm(0 * values, LABELS, 1.0, bias=1.0).intercepts.tolist() == [0.0, 0.0, 0.0]


@pytest.mark.parametrize("bias", [-1.0, np.nan, np.inf])
def test_what_is_no_bias_is_refused(values: NDArray[np.float64], bias: float) -> None:
    with pytest.raises(ValueError, match="a bias of at least 0 expected"):
        train_svm(values, LABELS, 1.0, bias)

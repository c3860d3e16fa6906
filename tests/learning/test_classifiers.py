"""Two classifiers behind one protocol, each with the same laws."""

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.ensemble import RandomForestClassifier

from merec_hpc.learning.classifiers import (
    CLASSIFIERS,
    ClassifierName,
    train_classifier,
    train_forest,
)
from merec_hpc.learning.linear_svm import train_svm

LABELS = np.tile([2, 5, 9], 10)
every_classifier = pytest.mark.parametrize("name", CLASSIFIERS)


@pytest.fixture
def values(rng: np.random.Generator) -> NDArray[np.float64]:
    drawn: NDArray[np.float64] = rng.normal(size=(30, 6)) + 2 * np.eye(10, 6)[LABELS % 4]
    return drawn


@every_classifier
def test_a_prediction_is_the_class_of_the_largest_decision(
    values: NDArray[np.float64], name: ClassifierName
) -> None:
    machine = train_classifier(name, values[:21], LABELS[:21], C=1.0, seed=0)
    decisions = machine.decisions(values[21:])
    assert decisions.shape == (9, 3)
    np.testing.assert_array_equal(machine.classes, [2, 5, 9])
    expected = machine.classes[decisions.argmax(axis=1)]
    np.testing.assert_array_equal(machine.predict(values[21:]), expected)


@every_classifier
def test_what_is_plain_is_learnt(name: ClassifierName) -> None:
    plain = 5 * np.eye(10)[LABELS]
    machine = train_classifier(name, plain, LABELS, C=1.0, seed=0)
    np.testing.assert_array_equal(machine.predict(plain), LABELS)


@every_classifier
def test_two_classes_have_two_decisions(values: NDArray[np.float64], name: ClassifierName) -> None:
    kept = LABELS != 5
    machine = train_classifier(name, values[kept], LABELS[kept], C=1.0, seed=0)
    assert machine.decisions(values).shape == (30, 2)
    assert set(machine.predict(values)) == {2, 9}


@every_classifier
def test_the_same_seed_gives_the_same_bits(
    values: NDArray[np.float64], name: ClassifierName
) -> None:
    first = train_classifier(name, values, LABELS, C=1.0, seed=3).decisions(values)
    second = train_classifier(name, values, LABELS, C=1.0, seed=3).decisions(values)
    np.testing.assert_array_equal(first, second)


@every_classifier
def test_one_class_is_refused(values: NDArray[np.float64], name: ClassifierName) -> None:
    with pytest.raises(ValueError, match="at least two classes expected, found 1"):
        train_classifier(name, values, np.ones(30, np.int64), C=1.0, seed=0)


def test_an_unknown_name_is_refused(values: NDArray[np.float64]) -> None:
    with pytest.raises(AssertionError, match="oracle"):
        train_classifier("oracle", values, LABELS, C=1.0, seed=0)  # type: ignore[arg-type]


def test_the_svm_is_that_of_paper_1(values: NDArray[np.float64]) -> None:
    machine = train_classifier("linear_svm", values, LABELS, C=0.1, seed=0)
    expected = train_svm(values, LABELS, 0.1)
    np.testing.assert_array_equal(machine.decisions(values), expected.decisions(values))


def test_the_forest_is_scikit_learns_with_90_trees(values: NDArray[np.float64]) -> None:
    machine = train_forest(values[:21], LABELS[:21], seed=4)
    expected = RandomForestClassifier(90, random_state=4).fit(values[:21], LABELS[:21])
    np.testing.assert_array_equal(
        machine.decisions(values[21:]), expected.predict_proba(values[21:])
    )
    np.testing.assert_array_equal(machine.predict(values[21:]), expected.predict(values[21:]))


def test_decisions_of_the_forest_are_probabilities(values: NDArray[np.float64]) -> None:
    decisions = train_forest(values, LABELS, seed=0).decisions(values)
    assert ((decisions >= 0) & (decisions <= 1)).all()
    np.testing.assert_allclose(decisions.sum(axis=1), 1)


def test_another_seed_gives_another_forest_but_the_same_svm(values: NDArray[np.float64]) -> None:
    one, two = (
        {
            name: train_classifier(name, values, LABELS, 1.0, seed).decisions(values)
            for name in CLASSIFIERS
        }
        for seed in (0, 1)
    )
    assert (one["random_forest"] != two["random_forest"]).any()
    np.testing.assert_array_equal(one["linear_svm"], two["linear_svm"])

"""Other classifiers on the same inner folds."""

import numpy as np
import pytest

from merec_hpc.config.base import ClassifierName, Oversampling
from merec_hpc.learning.classifiers import train_classifier
from merec_hpc.learning.oversampling import oversample
from merec_hpc.records import Features
from merec_hpc.selection.fitness.any_classifier import ClassifierFitness
from merec_hpc.selection.fitness.subject_folds import SubjectFoldFitness


@pytest.fixture
def fitness(features: Features) -> SubjectFoldFitness:
    return SubjectFoldFitness(features.values, features.labels, features.subjects)


@pytest.fixture
def masks() -> np.ndarray:
    drawn: np.ndarray = np.random.default_rng(0).random((3, 30)) < 0.4
    drawn[2] = False
    return drawn


def test_svm_scores_as_the_fast_fitness(fitness: SubjectFoldFitness, masks: np.ndarray) -> None:
    slow = ClassifierFitness(fitness, "linear_svm", "none", seed=0)
    C = np.array([0.1, 1.0, 1.0])
    np.testing.assert_allclose(slow.score(masks, C, "mu"), fitness.score(masks, C, "mu"))
    np.testing.assert_allclose(
        slow.training_accuracies(masks[:2], C[:2]), fitness.training_accuracies(masks[:2], C[:2])
    )


@pytest.mark.parametrize("oversampling", ["none", "smote"])
@pytest.mark.parametrize("classifier", ["linear_svm", "random_forest"])
def test_every_fold_trains_on_the_others_alone(
    features: Features,
    fitness: SubjectFoldFitness,
    masks: np.ndarray,
    classifier: ClassifierName,
    oversampling: Oversampling,
) -> None:
    found = ClassifierFitness(fitness, classifier, oversampling, seed=3)
    hits = []
    for subject in np.unique(features.subjects):
        training, held = features.without(subject), features.only(subject)
        chosen = training.values[:, masks[0]].astype(np.float64)
        values, labels = oversample(chosen, training.labels, oversampling, 3)
        machine = train_classifier(classifier, values, labels, 1.0, 3)
        predicted = machine.predict(held.values[:, masks[0]].astype(np.float64))
        hits.append((predicted == held.labels).mean())
    score = found.score(masks[:1], np.array([1.0]), "mu")[0]
    assert score == pytest.approx(np.mean(hits))


def test_training_clips_of_a_single_class_name_that_class(features: Features) -> None:
    # Without s01 only class 0 is left.
    labels = np.where(features.subjects == "s01", np.arange(24) % 2, 0)
    fitness = SubjectFoldFitness(features.values, labels, features.subjects)
    slow = ClassifierFitness(fitness, "linear_svm", "none", seed=0)
    everything, C = np.ones((1, 30), np.bool_), np.ones(1)
    assert slow.score(everything, C, "minimum")[0] == 0.5
    np.testing.assert_allclose(slow.score(everything, C, "mu"), fitness.score(everything, C, "mu"))


def test_two_classes_are_told_apart(features: Features) -> None:
    labels = np.minimum(features.labels, 1)
    values = features.values + 9 * labels[:, None]
    fitness = SubjectFoldFitness(values - values.mean(axis=0), labels, features.subjects)
    slow = ClassifierFitness(fitness, "linear_svm", "none", seed=0)
    assert slow.score(np.ones((1, 30), np.bool_), np.ones(1), "mu")[0] == 1.0

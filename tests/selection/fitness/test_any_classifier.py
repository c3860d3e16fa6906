"""Other classifiers on the same inner folds."""

import numpy as np
import pytest

from merec_hpc.config.base import ClassifierName, Oversampling
from merec_hpc.criteria import balanced_log_loss
from merec_hpc.learning.classifiers import train_classifier
from merec_hpc.learning.oversampling import oversample
from merec_hpc.records import Features
from merec_hpc.selection.fitness.any_classifier import LEAST_PROBABILITY, ClassifierFitness
from merec_hpc.selection.fitness.grouped import GroupedFitness
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


@pytest.mark.parametrize("criterion", ["balanced_hinge", "balanced_log_loss"])
def test_svm_decides_as_the_fast_fitness(
    fitness: SubjectFoldFitness, masks: np.ndarray, criterion: str
) -> None:
    slow = ClassifierFitness(fitness, "linear_svm", "none", seed=0)
    C = np.array([0.1, 1.0, 1.0])
    found = slow.score(masks, C, criterion)
    np.testing.assert_allclose(found, fitness.score(masks, C, criterion), atol=1e-6)
    assert found[2] == 0  # nothing is selected
    assert (found[:2] > 0).all()


def test_a_forest_is_scored_by_its_probabilities(features: Features, masks: np.ndarray) -> None:
    # Class 2 is s02's alone: without s02 the forest knows two classes.
    labels = np.where(features.subjects == "s02", features.labels, np.arange(24) % 2)
    fitness = SubjectFoldFitness(features.values, labels, features.subjects)
    found = ClassifierFitness(fitness, "random_forest", "none", seed=5)
    decisions = np.full((24, 3), -np.inf)
    for subject in np.unique(features.subjects):
        held = features.subjects == subject
        chosen = features.values[:, masks[0]].astype(np.float64)
        machine = train_classifier("random_forest", chosen[~held], labels[~held], 1.0, 5)
        logs = np.log(np.maximum(machine.decisions(chosen[held]), LEAST_PROBABILITY))
        decisions[np.ix_(held, machine.classes)] = logs
    (score,) = found.score(masks[:1], np.array([1.0]), "balanced_log_loss")
    assert score == pytest.approx(balanced_log_loss(decisions, labels), abs=1e-9)
    assert 1 / 3 < score < 1


def test_training_clips_of_a_single_class_decide_nothing(features: Features) -> None:
    labels = np.where(features.subjects == "s01", np.arange(24) % 2, 0)
    fitness = SubjectFoldFitness(features.values, labels, features.subjects)
    slow = ClassifierFitness(fitness, "linear_svm", "none", seed=0)
    (score,) = slow.score(np.ones((1, 30), np.bool_), np.ones(1), "balanced_log_loss")
    assert 0 < score <= 1


def test_other_classifiers_are_scored_on_every_grouping(
    features: Features, masks: np.ndarray
) -> None:
    first = SubjectFoldFitness(features.values, features.labels, np.arange(24) // 3, n_folds=4)
    several = GroupedFitness(first, 2, 0.25)
    slow = ClassifierFitness(several, "linear_svm", "none", seed=0)
    C = np.ones(3)
    for criterion in ("mu", "balanced_hinge"):
        np.testing.assert_allclose(
            slow.score(masks, C, criterion), several.score(masks, C, criterion), atol=1e-6
        )

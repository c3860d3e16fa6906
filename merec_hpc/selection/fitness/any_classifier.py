"""Scores masks by any classifier, with or without SMOTE, on the same inner folds.

Every fold trains anew: for the linear SVM alone, ``SubjectFoldFitness`` says the same a
thousand times faster.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from merec_hpc.config.base import ClassifierName, Oversampling
from merec_hpc.config.selection import Criterion
from merec_hpc.criteria import OF_DECISIONS
from merec_hpc.learning.classifiers import Classifier, train_classifier
from merec_hpc.learning.oversampling import oversample
from merec_hpc.records import Masks
from merec_hpc.selection.fitness.genome import Genome, n_chosen_units
from merec_hpc.selection.fitness.inner_fitness import InnerFitness
from merec_hpc.selection.fitness.subject_folds import OwnMasks, SubjectFoldFitness

LEAST_PROBABILITY = 1e-3
"""Below what 90 trees can tell from nothing."""


class ClassifierFitness:
    """Inner folds of ``SubjectFoldFitness``, another classifier.

    The unit of a linear SVM's bias is that of the clips that it is trained on, SMOTE's among them.
    """

    def __init__(
        self,
        training: InnerFitness,
        classifier: ClassifierName,
        oversampling: Oversampling,
        seed: int,
    ) -> None:
        self._training = training
        self._classifier, self._oversampling, self._seed = classifier, oversampling, seed

    @property
    def n_features(self) -> int:
        """Number of features that a mask chooses from."""
        return self._training.n_features

    @property
    def genome(self) -> Genome | None:
        """What the genes of a mask stand for, where they are not features."""
        return self._training.genome

    def score(
        self,
        masks: Masks,
        C: NDArray[np.float64],
        criterion: Criterion,
        bias: NDArray[np.float64] | None = None,
    ) -> NDArray[np.float64]:
        """Return the fitness by a named criterion, in [0, 1], shape (n_individuals,).

        Criteria of decisions take logarithms of the random forest's probabilities, which are
        raised to ``LEAST_PROBABILITY`` before.
        """
        numbers = [grouping.folds.n_folds for grouping in self._training.groupings]
        own = [np.broadcast_to(masks, (number, *masks.shape)) for number in numbers]
        return self.score_own(own, C, criterion, bias)

    def score_own(
        self,
        own: OwnMasks,
        C: NDArray[np.float64],
        criterion: Criterion,
        bias: NDArray[np.float64] | None = None,
    ) -> NDArray[np.float64]:
        """Return ``score`` of what has a mask of its own in each inner fold, (n_individuals,)."""
        svms = list(zip(C.tolist(), (0 * C if bias is None else bias).tolist(), strict=True))
        scores = [
            self._score_on(grouping, masks, svms, criterion)
            for grouping, masks in zip(self._training.groupings, own, strict=True)
        ]
        sizes = n_chosen_units(self.genome, own[0][0])
        return self._training.combined(sizes, scores)

    def _score_on(
        self,
        grouping: SubjectFoldFitness,
        masks: NDArray[np.bool_],
        svms: Sequence[tuple[float, float]],
        criterion: Criterion,
    ) -> NDArray[np.float64]:
        """Return the fitness on the inner folds of one grouping, (n_individuals,)."""
        folds = grouping.folds
        shape = (len(svms), len(folds.labels))
        decides = criterion in OF_DECISIONS
        answers = np.full((*shape, len(folds.classes)), np.nan) if decides else np.full(shape, -1)
        for fold in range(folds.n_folds):
            is_held = folds.folds == fold
            for row, mask, svm in zip(answers, masks[fold], svms, strict=True):
                if not mask.any():
                    continue
                chosen = grouping.columns(mask)
                known = (chosen[~is_held], folds.labels[~is_held])
                if decides:
                    decided = self._decide(*known, svm, chosen[is_held])
                    row[is_held] = _by_class(*decided, len(folds.classes))
                else:
                    row[is_held] = self._predict(*known, svm, chosen[is_held])
        return grouping.judge(answers, criterion)

    def training_accuracies(
        self, masks: Masks, C: NDArray[np.float64], bias: NDArray[np.float64] | None = None
    ) -> NDArray[np.float64]:
        """Return the accuracy on the clips that are trained on, (n_individuals,)."""
        labels = self._training.folds.labels
        biases = np.zeros(len(masks)) if bias is None else bias
        individuals = [
            (self._training.columns(mask), svm) for mask, *svm in zip(masks, C, biases, strict=True)
        ]
        return np.array(
            [
                (self._predict(chosen, labels, svm, chosen) == labels).mean()
                for chosen, svm in individuals
            ]
        )

    def _predict(
        self,
        training: NDArray[np.float64],
        labels: NDArray[np.int64],
        svm: Sequence[float],
        wanted: NDArray[np.float64],
    ) -> NDArray[np.int64]:
        """Train on some clips, and on what SMOTE makes of them alone; predict others.

        C and bias are those of the SVM.
        """
        if len(np.unique(labels)) == 1:
            return np.full(len(wanted), labels[0])
        return self._trained(training, labels, svm).predict(wanted)

    def _decide(
        self,
        training: NDArray[np.float64],
        labels: NDArray[np.int64],
        svm: Sequence[float],
        wanted: NDArray[np.float64],
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Train as ``_predict``; return the classes, and decisions (n_wanted, n_classes).

        Of a single class, about which there is nothing to decide, 0.
        """
        if len(np.unique(labels)) == 1:
            return labels[:1], np.zeros((len(wanted), 1))
        machine = self._trained(training, labels, svm)
        decisions = machine.decisions(wanted)
        if self._classifier == "random_forest":
            decisions = np.log(np.maximum(decisions, LEAST_PROBABILITY))
        return machine.classes, decisions

    def _trained(
        self, training: NDArray[np.float64], labels: NDArray[np.int64], svm: Sequence[float]
    ) -> Classifier:
        C, bias = map(float, svm)
        values, known = oversample(training, labels, self._oversampling, self._seed)
        return train_classifier(self._classifier, values, known, C, self._seed, bias)


def _by_class(
    known: NDArray[np.int64], decisions: NDArray[np.float64], n_classes: int
) -> NDArray[np.float64]:
    """Return decisions with a column for every class, minus infinity for the unknown ones."""
    found = np.full((len(decisions), n_classes), -np.inf)
    found[:, known] = decisions
    return found

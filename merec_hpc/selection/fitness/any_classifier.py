"""Scores masks by any classifier, with or without SMOTE, on the same inner folds.

Every fold trains anew: for the linear SVM alone, ``SubjectFoldFitness`` says the same a
thousand times faster.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from merec_hpc.config.base import ClassifierName, Oversampling
from merec_hpc.config.selection import Criterion
from merec_hpc.learning.classifiers import train_classifier
from merec_hpc.learning.oversampling import oversample
from merec_hpc.records import Masks
from merec_hpc.selection.fitness.subject_folds import SubjectFoldFitness


class ClassifierFitness:
    """Inner folds of ``SubjectFoldFitness``, another classifier.

    The unit of a linear SVM's bias is that of the clips that it is trained on, SMOTE's among them.
    """

    def __init__(
        self,
        training: SubjectFoldFitness,
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

    def score(
        self,
        masks: Masks,
        C: NDArray[np.float64],
        criterion: Criterion,
        bias: NDArray[np.float64] | None = None,
    ) -> NDArray[np.float64]:
        """Return the fitness by a named criterion, in [0, 1], shape (n_individuals,)."""
        folds = self._training.folds
        biases = np.zeros(len(masks)) if bias is None else bias
        predicted = np.full((len(masks), len(folds.labels)), -1)
        for fold in range(folds.n_folds):
            is_held = folds.folds == fold
            for row, mask, *svm in zip(predicted, masks, C, biases, strict=True):
                if mask.any():
                    row[is_held] = self._predict(mask, svm, ~is_held, is_held)
        return self._training.judge(predicted, criterion)

    def training_accuracies(
        self, masks: Masks, C: NDArray[np.float64], bias: NDArray[np.float64] | None = None
    ) -> NDArray[np.float64]:
        """Return the accuracy on the clips that are trained on, (n_individuals,)."""
        labels = self._training.folds.labels
        everyone = np.ones(len(labels), np.bool_)
        biases = np.zeros(len(masks)) if bias is None else bias
        return np.array(
            [
                (self._predict(mask, svm, everyone, everyone) == labels).mean()
                for mask, *svm in zip(masks, C, biases, strict=True)
            ]
        )

    def _predict(
        self,
        mask: NDArray[np.bool_],
        svm: Sequence[float],
        training: NDArray[np.bool_],
        wanted: NDArray[np.bool_],
    ) -> NDArray[np.int64]:
        """Train on some clips, and on what SMOTE makes of them alone; predict others.

        C and bias are those of the SVM.
        """
        C, bias = map(float, svm)
        chosen = self._training.features[:, mask]
        labels = self._training.folds.labels[training]
        if len(np.unique(labels)) == 1:
            return np.full(int(wanted.sum()), labels[0])
        values, known = oversample(chosen[training], labels, self._oversampling, self._seed)
        machine = train_classifier(self._classifier, values, known, C, self._seed, bias)
        return machine.predict(chosen[wanted])

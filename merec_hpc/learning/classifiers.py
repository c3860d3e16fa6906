"""Trains a classifier by its name: the linear SVM of paper 1 or the random forest of paper 5."""

from dataclasses import dataclass
from typing import Any, Protocol, assert_never, get_args

import numpy as np
from numpy.typing import NDArray

from merec_hpc.config.base import ClassifierName
from merec_hpc.learning.linear_svm import train_svm

CLASSIFIERS: tuple[ClassifierName, ...] = get_args(ClassifierName)

_N_TREES = 90


class Classifier(Protocol):
    """A trained classifier."""

    @property
    def classes(self) -> NDArray[np.int64]:
        """The classes of the training clips, ascending, shape (n_classes,)."""

    def decisions(self, features: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return a value per clip and class, larger for likelier, shape (n_clips, n_classes)."""

    def predict(self, features: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return the class of the largest decision value, shape (n_clips,)."""


@dataclass(frozen=True)
class RandomForest:
    """Trained trees that vote by the class shares of their leaves."""

    trees: Any  # RandomForestClassifier, which has no types
    classes: NDArray[np.int64]  # (n_classes,), ascending

    def decisions(self, features: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return class probabilities of clips, rows of sum 1, shape (n_clips, n_classes)."""
        values: NDArray[np.float64] = self.trees.predict_proba(features)
        return values

    def predict(self, features: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return the likeliest class, of equally likely ones the first, shape (n_clips,)."""
        predicted: NDArray[np.int64] = self.classes[self.decisions(features).argmax(axis=1)]
        return predicted


def train_classifier(
    name: ClassifierName,
    features: NDArray[np.float64],
    labels: NDArray[np.int64],
    C: float,
    seed: int,
    bias: float = 0.0,
) -> Classifier:
    """Train a classifier on training clips.

    Parameters
    ----------
    features
        Shape (n_clips, n_features).
    labels
        Shape (n_clips,), at least two classes.
    C
        Penalty of the SVM, above 0; the forest has none.
    seed
        Of the forest, at least 0 and below 2**32; the SVM draws no random numbers.
    bias
        Of the SVM, as ``train_svm`` has it; 0 for none.

    Raises
    ------
    ValueError
        If all clips are of one class.
    """
    if name == "linear_svm":
        return train_svm(features, labels, C, bias)
    if name == "random_forest":
        return train_forest(features, labels, seed)
    assert_never(name)


def train_forest(
    features: NDArray[np.float64], labels: NDArray[np.int64], seed: int
) -> RandomForest:
    """Train 90 trees, each on clips drawn with replacement.

    All but the number of trees is scikit-learn's default: a split is the best by Gini impurity
    among sqrt(n_features) features, and trees grow until leaves are pure.

    Parameters
    ----------
    features
        Shape (n_clips, n_features).
    labels
        Shape (n_clips,), at least two classes.
    seed
        At least 0, below 2**32.

    Raises
    ------
    ValueError
        If all clips are of one class.

    References
    ----------
    Breiman: Random Forests, Machine Learning 45, 2001, doi:10.1023/A:1010933404324.
    """
    classes = np.unique(labels)
    if len(classes) < 2:
        msg = f"at least two classes expected, found {len(classes)}"
        raise ValueError(msg)
    from sklearn.ensemble import RandomForestClassifier  # noqa: PLC0415  # takes a second

    trees = RandomForestClassifier(n_estimators=_N_TREES, n_jobs=1, random_state=seed)
    return RandomForest(trees.fit(features, labels), classes)

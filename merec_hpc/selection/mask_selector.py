"""What all selectors have in common as scikit-learn estimators."""

from abc import abstractmethod
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.feature_selection import SelectorMixin
from sklearn.utils import Tags, check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_consistent_length, check_is_fitted, validate_data

from merec_hpc.learning.scaling import Scaling
from merec_hpc.records import Selection
from merec_hpc.selection.deciders import decide, deciding, trained
from merec_hpc.selection.fitness.subject_folds import SubjectFoldFitness


class MaskSelector(SelectorMixin, BaseEstimator):  # type: ignore[misc]  # without types
    """Selects features by scores of masks on groups that are left out, and predicts with them.

    A subclass has the parameters ``scaling``, ``class_weight``, ``n_folds`` and ``decider``, and
    a method ``_search`` that makes a ``Selection``.

    Attributes
    ----------
    support_
        The mask, shape (n_features_in_,).
    best_C_, best_bias_, best_fitness_, generation_
        Penalty, bias (0 for none) and fitness of the mask, and the generation (or step) it is from.
    history_
        One array of a row per generation for each quantity: what a ``DataFrame`` takes.
    hall_of_fame_
        The fittest individuals of the search: ``masks``, ``C``, ``bias`` and ``fitness``.
    classes_, n_features_in_
        What ``fit`` has seen.
    """

    def fit(self, X: ArrayLike, y: ArrayLike, groups: ArrayLike | None = None) -> Self:
        """Search a mask, and train the machines that ``predict`` asks.

        Parameters
        ----------
        X
            Features, shape (n_samples, n_features), finite.
        y
            Classes, shape (n_samples,), at least two.
        groups
            Whom each sample is of, shape (n_samples,), at least two; ``None`` takes every
            sample for its own group.

        Raises
        ------
        ValueError
            If a parameter or an array is not as it should be.
        """
        values, labels = validate_data(self, X, y, dtype=np.float64, ensure_min_samples=2)
        check_classification_targets(labels)
        owners = np.arange(len(labels)) if groups is None else np.asarray(groups)
        check_consistent_length(values, owners)
        fitness = SubjectFoldFitness(
            values,
            labels,
            owners,
            scaling=self.scaling,
            class_weight=self.class_weight,
            n_folds=self.n_folds,
        )
        selection = self._search(fitness)
        self.classes_ = fitness.classes
        self.support_ = selection.mask
        self.best_C_ = selection.C
        self.best_bias_ = selection.bias
        self.best_fitness_ = selection.fitness
        self.generation_ = selection.generation
        columns = vars(selection.history)
        self.history_ = {name: value for name, value in columns.items() if value.ndim == 1}
        self.hall_of_fame_ = selection.hall_of_fame
        self._scaling = Scaling.fit(values, self.scaling)
        self._machines = trained(fitness, deciding([selection], self.decider), self.decider)
        return self

    def decision_function(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return what speaks for each class, shape (n_samples, n_classes); of a vote its shares."""
        check_is_fitted(self)
        values = validate_data(self, X, dtype=np.float64, reset=False)
        return decide(self._machines, self._scaling.apply(values))

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """Return the class that most speaks for, of equals the first, shape (n_samples,)."""
        places = self.decision_function(X).argmax(axis=1)
        return np.asarray(self.classes_[places])

    @abstractmethod
    def _search(self, fitness: SubjectFoldFitness) -> Selection:
        """Return what the selector chooses on the samples that ``fitness`` holds."""

    def _seed(self) -> int:
        """Return the seed that ``random_state`` stands for."""
        if isinstance(self.random_state, int | np.integer):
            return int(self.random_state)
        return int(check_random_state(self.random_state).randint(np.iinfo(np.int32).max))

    def _get_support_mask(self) -> NDArray[np.bool_]:
        check_is_fitted(self)
        return self.support_

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        return tags

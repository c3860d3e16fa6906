"""What all selectors have in common as scikit-learn estimators."""

import warnings
from abc import abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, Self, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.feature_selection import SelectorMixin
from sklearn.utils import Tags, check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_consistent_length, check_is_fitted, validate_data

from merec_hpc.config.base import ClassWeight, ScalingName
from merec_hpc.config.evaluation import DECIDERS
from merec_hpc.learning.ranges import wild_range
from merec_hpc.learning.scaling import Scaling
from merec_hpc.records import Selection
from merec_hpc.selection.deciders import decide, deciding, trained
from merec_hpc.selection.fitness.class_weights import ClassWeightFitness
from merec_hpc.selection.fitness.genome import Genome, in_features
from merec_hpc.selection.fitness.subject_folds import SubjectFoldFitness
from merec_hpc.selection.fitness.unit_fitness import UnitClassWeightFitness, UnitFitness
from merec_hpc.selection.groups import owners_of
from merec_hpc.selection.parameters import choice, count_or_none, functions, switch
from merec_hpc.selection.units import Units
from merec_hpc.selection.watching import Watcher, columns_of, watcher_of

SearchOf = Callable[[SubjectFoldFitness, Watcher | None], Selection]


def _told(watcher: Watcher | None, genome: Genome | None) -> Watcher | None:
    """Return what tells a watcher of features, whatever genes stand for."""
    if watcher is None or genome is None:
        return watcher
    told = watcher
    return lambda history: told(genome.history(history))


class MaskSelector(ClassifierMixin, SelectorMixin, BaseEstimator):  # type: ignore[misc]  # untyped
    """Selects features by scores of masks on groups that are left out, and predicts with them.

    A classifier and a transformer. A subclass has the parameters ``scaling``, ``class_weight``,
    ``n_folds``, ``decider``, ``callbacks`` and ``verbose``, and a method ``_search`` that checks
    its own and returns what makes a ``Selection``.

    With metadata routing enabled, ``groups`` reach ``fit`` by themselves.

    Attributes
    ----------
    support_
        The mask, shape (n_features_in_,).
    weights_
        What scaled features are multiplied by before an SVM sees them, shape (n_features_in_,), 0
        outside of the mask; ``None`` where nothing is weighted. ``transform`` multiplies by them.
    best_C_, best_bias_, best_fitness_, generation_
        Penalty, bias (0 for none) and fitness of the mask, and the generation (or step) it is from.
    history_
        One array of a number per generation for each quantity, as ``columns_of`` makes it: what
        a ``DataFrame`` takes.
    hall_of_fame_
        The fittest individuals of the search: ``masks``, ``C``, ``bias`` and ``fitness``.
    front_
        Of a search for fitness and few features the individuals that no other beats in both, fewest
        features first: ``masks``, ``C``, ``bias`` and ``fitness``, of inner folds and so optimistic;
        else ``None``.
    classes_, n_features_in_, feature_names_in_
        What ``fit`` has seen; the names only of a table with names.
    """

    __metadata_request__fit = {"groups": True}  # noqa: RUF012  # the form that scikit-learn reads

    _unit = "generation"
    """What a row of the history is."""

    def fit(self, X: ArrayLike, y: ArrayLike, groups: ArrayLike | None = None) -> Self:
        """Search a mask, and train the machines that ``predict`` asks.

        Parameters
        ----------
        X
            Features, shape (n_samples, n_features), finite.
        y
            Classes, shape (n_samples,), at least two.
        groups
            Whom each sample is of, shape (n_samples,), at least two, none missing; ``None``
            takes every sample for its own group, with a warning.

        Raises
        ------
        ValueError
            If a parameter or an array is not as it should be.

        Warns
        -----
        UserWarning
            If there are no groups, or features of wildly different size are not scaled.
        """
        search, scaling = self._search(), self._scaling_name()
        decider = choice("decider", self.decider, DECIDERS)
        callbacks, verbose = functions("callbacks", self.callbacks), switch("verbose", self.verbose)
        values, labels = validate_data(self, X, y, dtype=np.float64, ensure_min_samples=2)
        check_classification_targets(labels)
        owners = owners_of(groups, len(labels))
        check_consistent_length(values, owners)
        genome = self._genome(values.shape[1])
        fitness = self._fitness(values, labels, owners, scaling, genome)
        note = wild_range(values, "scaling='standard'") if scaling == "none" else None
        if note is not None:
            warnings.warn(note, UserWarning, stacklevel=2)
        watcher = watcher_of(callbacks, self._unit, verbose=verbose)
        selection = in_features(genome, search(fitness, _told(watcher, genome)))
        self.classes_ = fitness.classes
        self.support_ = selection.mask
        self.weights_ = selection.weights
        self.best_C_ = selection.C
        self.best_bias_ = selection.bias
        self.best_fitness_ = selection.fitness
        self.generation_ = selection.generation
        self.history_ = columns_of(selection.history)
        self.hall_of_fame_ = selection.hall_of_fame
        self.front_ = selection.front
        self._scaling = Scaling.fit(values, scaling)
        self._machines = trained(fitness, deciding([selection], decider), decider)
        return self

    def decision_function(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return what speaks for each class, shape (n_samples, n_classes); of a vote its shares.

        Of two classes what speaks for the second, ``classes_[1]``, shape (n_samples,): positive
        where it is predicted; of a vote its share above one half.
        """
        check_is_fitted(self)
        values = validate_data(self, X, dtype=np.float64, reset=False)
        found = decide(self._machines, self._scaling.apply(values))
        return (found[:, 1] - found[:, 0]) / 2 if len(self.classes_) == 2 else found

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """Return the class that most speaks for, of equals the first, shape (n_samples,)."""
        found = self.decision_function(X)
        places = (found > 0).astype(np.int64) if found.ndim == 1 else found.argmax(axis=1)
        return np.asarray(self.classes_[places])

    def transform(self, X: ArrayLike) -> Any:
        """Return the chosen features, each multiplied by its weight if there are weights.

        Parameters
        ----------
        X
            Features, shape (n_samples, n_features).

        Returns
        -------
        array
            Shape (n_samples, n_selected).
        """
        found = super().transform(X)
        return found if self.weights_ is None else found * self.weights_[self.support_]

    def inverse_transform(self, X: ArrayLike) -> Any:
        """Return what ``transform`` was given, with 0 for the features that were left out."""
        check_is_fitted(self)
        if self.weights_ is not None:
            X = np.asarray(X) / self.weights_[self.support_]
        return super().inverse_transform(X)

    @abstractmethod
    def _search(self) -> SearchOf:
        """Return what the selector chooses by, on the samples that a fitness holds.

        Raises
        ------
        ValueError
            If one of its parameters is not as it should be.
        """

    def _scaling_name(self) -> ScalingName:
        names = get_args(ScalingName)
        return "none" if self.scaling is None else choice("scaling", self.scaling, names)

    def _genome(self, n_features: int) -> Genome | None:
        """Return what genes stand for by ``unit`` and ``genome``; ``None`` for features.

        Raises
        ------
        ValueError
            If ``unit`` is neither "feature" nor a label for each feature.
        """
        unit, weighs = getattr(self, "unit", "feature"), getattr(self, "genome", "") == "weights"
        if isinstance(unit, str) and unit == "feature":
            return Genome(np.arange(n_features), weighs=True) if weighs else None
        labels = np.asarray(unit)
        if labels.shape != (n_features,):
            found = repr(unit) if labels.ndim == 0 else f"an array of shape {labels.shape}"
            msg = f"unit: 'feature' or a label for each of {n_features} features expected, found {found}"
            raise ValueError(msg)
        return Genome(Units.of(labels.astype(str).tolist()).group_of, weighs)

    def _fitness(
        self,
        values: NDArray[np.float64],
        labels: NDArray[Any],
        owners: NDArray[Any],
        scaling: str,
        genome: Genome | None,
    ) -> SubjectFoldFitness:
        """Return what scores masks on these samples, as the parameters say."""
        n_folds = count_or_none("n_folds", self.n_folds, 2)
        options: dict[str, Any] = {"scaling": scaling, "n_folds": n_folds}
        of_dictionary: Callable[..., SubjectFoldFitness] = ClassWeightFitness
        of_name: Callable[..., SubjectFoldFitness] = SubjectFoldFitness
        if genome is not None:
            options["genome"] = genome
            of_dictionary, of_name = UnitClassWeightFitness, UnitFitness
        if isinstance(self.class_weight, Mapping):
            weights = self.class_weight
            return of_dictionary(values, labels, owners, class_weight=weights, **options)
        wanted: ClassWeight = "none"
        if self.class_weight is not None:
            names = get_args(ClassWeight)
            wanted = choice("class_weight", self.class_weight, names, "a dictionary")
        return of_name(values, labels, owners, class_weight=wanted, **options)

    def _seed(self) -> int:
        """Return the seed that ``random_state`` stands for."""
        return seed_of(self.random_state)

    def _get_support_mask(self) -> NDArray[np.bool_]:
        check_is_fitted(self)
        return self.support_

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        # Machines without intercept cannot prefer a class of noise, whatever it weighs, as a check
        # of scikit-learn's asks of all others; LinearSVC(fit_intercept=False) cannot either.
        tags.classifier_tags.poor_score = True
        return tags


def seed_of(random_state: Any) -> int:
    """Return the seed that a ``random_state`` stands for.

    Raises
    ------
    ValueError
        If it is neither a whole number of at least 0, a ``RandomState`` nor none.
    """
    if isinstance(random_state, int | np.integer) and random_state >= 0:
        return int(random_state)
    try:
        return int(check_random_state(random_state).randint(np.iinfo(np.int32).max))
    except ValueError:
        msg = "random_state: a whole number of at least 0, a RandomState or none expected, "
        msg += f"found {random_state!r}"
        raise ValueError(" ".join(msg.split())) from None

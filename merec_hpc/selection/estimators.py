"""Selectors as scikit-learn estimators."""

from collections.abc import Callable, Sequence
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.feature_selection import SelectorMixin
from sklearn.utils import Tags, check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_consistent_length, check_is_fitted, validate_data

from merec_hpc.arrays import History
from merec_hpc.config import ClassWeight, Criterion, GeneticSettings, Scaling
from merec_hpc.parallel.communicator import SerialCommunicator
from merec_hpc.selection.fitness import SubjectFoldFitness
from merec_hpc.selection.genetic.archipelago import evolve


class GeneticSelector(SelectorMixin, BaseEstimator):  # type: ignore[misc]  # without types
    """Select features by the genetic algorithm of paper 1, scored on groups that are left out.

    Every mask is scored by linear SVMs (L2 loss, one-vs-rest, no intercept) that leave each
    group out in turn. Only what ``fit`` is given is seen: in a pipeline inside a
    cross-validation the selection is honest.

    Parameters
    ----------
    n_islands, n_individuals, n_random_migrants, n_generations, founders, crossover_probability, \
mutation, mutation_rate, n_elites, hall_of_fame_size, topology, edges, migration_interval, \
n_emigrants, C_values, criterion, training_accuracy, flat_window, flat_range, steep_derivative
        As in ``config.yaml``, section ``genetic``; one population by default.
    scaling
        "standard" standardises features within every inner fold, by its training samples;
        it changes the scores, not what ``transform`` returns.
    class_weight
        "balanced" weighs C against the number of a class's samples.
    n_folds
        Inner folds of whole groups; ``None`` leaves one group out at a time.
    random_state
        Seed of the search.
    callbacks
        Each is called with the history after every generation.
    verbose
        Show how far the search has come.

    Attributes
    ----------
    support_
        The mask, shape (n_features_in_,).
    best_C_, best_fitness_, generation_
        Penalty and fitness of the mask, and the generation it is from.
    history_
        One array of a row per generation for each quantity: what a ``DataFrame`` takes.
    hall_of_fame_
        The fittest individuals of the search: ``masks``, ``C`` and ``fitness``.
    classes_, n_features_in_
        What ``fit`` has seen.

    References
    ----------
    Patel, Hong, Zhao: Selective deep features for micro-expression recognition, ICPR 2016,
    doi:10.1109/ICPR.2016.7899972.
    """

    def __init__(
        self,
        *,
        n_islands: int = 1,
        n_individuals: int = 50,
        n_random_migrants: int = 10,
        n_generations: int = 50,
        founders: Literal["random_count", "random_gene"] = "random_count",
        crossover_probability: float = 0.8,
        mutation: Literal["bit", "individual"] = "individual",
        mutation_rate: float = 0.05,
        n_elites: int = 1,
        hall_of_fame_size: int = 10,
        topology: Literal["ring", "torus", "full", "custom"] = "ring",
        edges: Sequence[tuple[int, int]] = (),
        migration_interval: int = 10,
        n_emigrants: int = 2,
        C_values: Sequence[float] = (0.01, 0.1, 1.0, 10.0, 100.0),
        criterion: Criterion = "mu_minus_variance",
        training_accuracy: Literal["resubstitution", "inner_folds"] = "resubstitution",
        flat_window: int | None = None,
        flat_range: float = 0.01,
        steep_derivative: float = 0.005,
        scaling: Scaling = "none",
        class_weight: ClassWeight = "none",
        n_folds: int | None = None,
        random_state: Any = None,
        callbacks: Sequence[Callable[[History], None]] = (),
        verbose: bool = False,
    ) -> None:
        self.n_islands = n_islands
        self.n_individuals = n_individuals
        self.n_random_migrants = n_random_migrants
        self.n_generations = n_generations
        self.founders = founders
        self.crossover_probability = crossover_probability
        self.mutation = mutation
        self.mutation_rate = mutation_rate
        self.n_elites = n_elites
        self.hall_of_fame_size = hall_of_fame_size
        self.topology = topology
        self.edges = edges
        self.migration_interval = migration_interval
        self.n_emigrants = n_emigrants
        self.C_values = C_values
        self.criterion = criterion
        self.training_accuracy = training_accuracy
        self.flat_window = flat_window
        self.flat_range = flat_range
        self.steep_derivative = steep_derivative
        self.scaling = scaling
        self.class_weight = class_weight
        self.n_folds = n_folds
        self.random_state = random_state
        self.callbacks = callbacks
        self.verbose = verbose

    def fit(self, X: ArrayLike, y: ArrayLike, groups: ArrayLike | None = None) -> Self:
        """Search a mask.

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
        selection = evolve(
            fitness,
            self._settings(),
            SerialCommunicator(),
            on_generation=self._report,
            shows_progress=self.verbose,
        )
        self.classes_ = fitness.classes
        self.support_ = selection.mask
        self.best_C_ = selection.C
        self.best_fitness_ = selection.fitness
        self.generation_ = selection.generation
        columns = vars(selection.history)
        self.history_ = {name: value for name, value in columns.items() if value.ndim == 1}
        self.hall_of_fame_ = selection.hall_of_fame
        return self

    def _settings(self) -> GeneticSettings:
        names = set(GeneticSettings.__dataclass_fields__) - {"seed", "n_inner_folds"}
        given = {name: getattr(self, name) for name in names}
        given["C_values"] = tuple(float(C) for C in self.C_values)
        given["edges"] = tuple((int(giver), int(taker)) for giver, taker in self.edges)
        if isinstance(self.random_state, int | np.integer):
            return GeneticSettings(seed=int(self.random_state), **given)
        drawn = check_random_state(self.random_state).randint(np.iinfo(np.int32).max)
        return GeneticSettings(seed=int(drawn), **given)

    def _report(self, history: History) -> None:
        for callback in self.callbacks:
            callback(history)

    def _get_support_mask(self) -> NDArray[np.bool_]:
        check_is_fitted(self)
        return self.support_

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        return tags

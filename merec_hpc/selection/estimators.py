"""Selectors as scikit-learn estimators."""

from collections.abc import Callable, Sequence
from typing import Any, Literal

from merec_hpc.config.base import ClassWeight, ScalingName
from merec_hpc.config.evaluation import Decider
from merec_hpc.config.selection import (
    AntColonySettings,
    Criterion,
    ForwardSettings,
    GeneticSettings,
    RankingSettings,
)
from merec_hpc.parallel.communicator import SerialCommunicator
from merec_hpc.records import History, Selection
from merec_hpc.selection.ant_colony import search_with_ants
from merec_hpc.selection.filters import select_by_rank
from merec_hpc.selection.fitness.grouped import grouped
from merec_hpc.selection.fitness.subject_folds import SubjectFoldFitness
from merec_hpc.selection.forward import search_forward
from merec_hpc.selection.genetic.archipelago import evolve
from merec_hpc.selection.mask_selector import MaskSelector
from merec_hpc.selection.ranking import find_ranking, fisher_score


class GeneticSelector(MaskSelector):
    """Select features by the genetic algorithm of paper 1, scored on groups that are left out.

    Every mask is scored by linear SVMs (L2 loss, one-vs-rest, no intercept) that leave each
    group out in turn. Only what ``fit`` is given is seen: in a pipeline inside a
    cross-validation the selection is honest.

    Parameters
    ----------
    n_islands, n_individuals, n_random_migrants, n_generations, founders, crossover_probability, \
mutation, mutation_rate, n_elites, hall_of_fame_size, topology, edges, migration_interval, \
n_emigrants, C_values, criterion, departure_penalty, n_groupings, training_accuracy, \
flat_window, flat_range, steep_derivative
        As in ``config.yaml``, section ``genetic``; one population by default.
    scaling
        "standard" standardises features within every inner fold, by its training samples;
        it changes the scores, not what ``transform`` returns.
    class_weight
        "balanced" weighs C against the number of a class's samples.
    n_folds
        Inner folds of whole groups; ``None`` leaves one group out at a time.
    decider
        What ``predict`` uses: the "champion", a vote of the "hall_of_fame", or the "ensemble" of
        the better half of the last population.
    random_state
        Seed of the search.
    callbacks
        Each is called with the history after every generation.
    verbose
        Show how far the search has come.

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
        departure_penalty: float = 0.0,
        n_groupings: int = 1,
        training_accuracy: Literal["resubstitution", "inner_folds"] = "resubstitution",
        flat_window: int | None = None,
        flat_range: float = 0.01,
        steep_derivative: float = 0.005,
        scaling: ScalingName = "none",
        class_weight: ClassWeight = "none",
        n_folds: int | None = None,
        decider: Decider = "champion",
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
        self.departure_penalty = departure_penalty
        self.n_groupings = n_groupings
        self.training_accuracy = training_accuracy
        self.flat_window = flat_window
        self.flat_range = flat_range
        self.steep_derivative = steep_derivative
        self.scaling = scaling
        self.class_weight = class_weight
        self.n_folds = n_folds
        self.decider = decider
        self.random_state = random_state
        self.callbacks = callbacks
        self.verbose = verbose

    def _search(self, fitness: SubjectFoldFitness) -> Selection:
        settings = self._settings()
        return evolve(
            grouped(fitness, settings),
            settings,
            SerialCommunicator(),
            on_generation=self._report,
            shows_progress=self.verbose,
        )

    def _settings(self) -> GeneticSettings:
        names = set(GeneticSettings.__dataclass_fields__) - {"seed", "n_inner_folds"}
        given = {name: getattr(self, name) for name in names}
        given["C_values"] = tuple(float(C) for C in self.C_values)
        given["departure_penalty"] = float(self.departure_penalty)
        given["edges"] = tuple((int(giver), int(taker)) for giver, taker in self.edges)
        return GeneticSettings(seed=self._seed(), n_inner_folds=_count(self.n_folds), **given)

    def _report(self, history: History) -> None:
        for callback in self.callbacks:
            callback(history)


class ForwardSelector(MaskSelector):
    """Add, or remove, one feature at a time by the score on groups that are left out.

    Parameters
    ----------
    search
        "forward", "backward", "stable_sfs", "local_greedy", or "ranked_forward_" and the name of
        a ranking, as ``merec select`` has them.
    n_steps, C_values, criterion, departure_penalty, n_groupings
        As in ``config.yaml``, section ``forward``.
    scaling, class_weight, n_folds, decider
        Same meaning as in ``GeneticSelector``.
    verbose
        Show how far the search has come.
    """

    def __init__(
        self,
        *,
        search: str = "forward",
        n_steps: int = 50,
        C_values: Sequence[float] = (0.01, 0.1, 1.0, 10.0, 100.0),
        criterion: Criterion = "mu_minus_variance",
        departure_penalty: float = 0.0,
        n_groupings: int = 1,
        scaling: ScalingName = "none",
        class_weight: ClassWeight = "none",
        n_folds: int | None = None,
        decider: Decider = "champion",
        verbose: bool = False,
    ) -> None:
        self.search = search
        self.n_steps = n_steps
        self.C_values = C_values
        self.criterion = criterion
        self.departure_penalty = departure_penalty
        self.n_groupings = n_groupings
        self.scaling = scaling
        self.class_weight = class_weight
        self.n_folds = n_folds
        self.decider = decider
        self.verbose = verbose

    def _search(self, fitness: SubjectFoldFitness) -> Selection:
        settings = ForwardSettings(
            n_steps=self.n_steps,
            C_values=_numbers(self.C_values),
            criterion=self.criterion,
            departure_penalty=float(self.departure_penalty),
            n_inner_folds=_count(self.n_folds),
            n_groupings=self.n_groupings,
        )
        several = grouped(fitness, settings)
        return search_forward(several, self.search, settings, shows_progress=self.verbose)


class RankingSelector(MaskSelector):
    """Keep the first features of a ranking; how many is chosen on groups that are left out.

    Parameters
    ----------
    ranking
        "fisher", "gini", "t_test", "lda_weight", "anova_f", "mutual_information", "mrmr" or
        "relieff".
    n_selected, n_selected_values, C_values, criterion, departure_penalty, n_groupings
        As in ``config.yaml``, section ``ranking``.
    scaling, class_weight, n_folds, decider
        Same meaning as in ``GeneticSelector``.
    """

    def __init__(
        self,
        *,
        ranking: str = "fisher",
        n_selected: int | None = None,
        n_selected_values: Sequence[int] = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000),
        C_values: Sequence[float] = (0.01, 0.1, 1.0, 10.0, 100.0),
        criterion: Criterion = "mu_minus_variance",
        departure_penalty: float = 0.0,
        n_groupings: int = 1,
        scaling: ScalingName = "none",
        class_weight: ClassWeight = "none",
        n_folds: int | None = None,
        decider: Decider = "champion",
    ) -> None:
        self.ranking = ranking
        self.n_selected = n_selected
        self.n_selected_values = n_selected_values
        self.C_values = C_values
        self.criterion = criterion
        self.departure_penalty = departure_penalty
        self.n_groupings = n_groupings
        self.scaling = scaling
        self.class_weight = class_weight
        self.n_folds = n_folds
        self.decider = decider

    def _search(self, fitness: SubjectFoldFitness) -> Selection:
        settings = RankingSettings(
            n_selected=self.n_selected,
            n_selected_values=tuple(int(number) for number in self.n_selected_values),
            C_values=_numbers(self.C_values),
            criterion=self.criterion,
            departure_penalty=float(self.departure_penalty),
            n_inner_folds=_count(self.n_folds),
            n_groupings=self.n_groupings,
        )
        return select_by_rank(grouped(fitness, settings), settings, find_ranking(self.ranking))


class AntColonySelector(MaskSelector):
    """Search features by the ant colony of paper 5, scored on groups that are left out.

    Parameters
    ----------
    n_ants, n_iterations, alpha, beta, q0, rho, n_selected, C_values, criterion, \
departure_penalty, n_groupings
        As in ``config.yaml``, section ``ant_colony``; the heuristic is Fisher's score.
    scaling, class_weight, n_folds, decider
        Same meaning as in ``GeneticSelector``.
    random_state
        Seed of the search.
    verbose
        Show how far the search has come.
    """

    def __init__(
        self,
        *,
        n_ants: int = 20,
        n_iterations: int = 3,
        alpha: float = 1.1,
        beta: float = 1.5,
        q0: float = 0.9,
        rho: float = 0.2,
        n_selected: int | None = None,
        C_values: Sequence[float] = (0.01, 0.1, 1.0, 10.0, 100.0),
        criterion: Criterion = "mu_minus_variance",
        departure_penalty: float = 0.0,
        n_groupings: int = 1,
        scaling: ScalingName = "none",
        class_weight: ClassWeight = "none",
        n_folds: int | None = None,
        decider: Decider = "champion",
        random_state: Any = None,
        verbose: bool = False,
    ) -> None:
        self.n_ants = n_ants
        self.n_iterations = n_iterations
        self.alpha = alpha
        self.beta = beta
        self.q0 = q0
        self.rho = rho
        self.n_selected = n_selected
        self.C_values = C_values
        self.criterion = criterion
        self.departure_penalty = departure_penalty
        self.n_groupings = n_groupings
        self.scaling = scaling
        self.class_weight = class_weight
        self.n_folds = n_folds
        self.decider = decider
        self.random_state = random_state
        self.verbose = verbose

    def _search(self, fitness: SubjectFoldFitness) -> Selection:
        settings = AntColonySettings(
            n_ants=self.n_ants,
            n_iterations=self.n_iterations,
            alpha=float(self.alpha),
            beta=float(self.beta),
            q0=float(self.q0),
            rho=float(self.rho),
            n_selected=self.n_selected,
            C_values=_numbers(self.C_values),
            criterion=self.criterion,
            departure_penalty=float(self.departure_penalty),
            n_inner_folds=_count(self.n_folds),
            n_groupings=self.n_groupings,
            seed=self._seed(),
        )
        heuristic = fisher_score(fitness.features, fitness.folds.labels)
        return search_with_ants(
            grouped(fitness, settings), heuristic, settings, shows_progress=self.verbose
        )


def _numbers(values: Sequence[float]) -> tuple[float, ...]:
    return tuple(float(value) for value in values)


def _count(number: int | None) -> int | None:
    return None if number is None else int(number)

"""Selectors as scikit-learn estimators.

Each is a classifier and a transformer: ``fit(X, y, groups)`` searches a mask, ``transform`` keeps
its features, ``predict`` asks a linear SVM on them. All parameters are checked in ``fit``; a wrong
value is one line of a ``ValueError``.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from merec_hpc.config.base import ClassWeight, ScalingName
from merec_hpc.config.evaluation import Decider
from merec_hpc.config.selection import (
    NO_BIAS,
    AntColonySettings,
    Criterion,
    ForwardSettings,
    GeneticSettings,
    Objective,
    RankingSettings,
)
from merec_hpc.parallel.communicator import SerialCommunicator
from merec_hpc.records import Selection
from merec_hpc.selection.ant_colony import Heuristics, search_with_ants
from merec_hpc.selection.filters import select_by_rank
from merec_hpc.selection.fitness.genome import group_of
from merec_hpc.selection.fitness.grouped import grouped
from merec_hpc.selection.fitness.subject_folds import SubjectFoldFitness
from merec_hpc.selection.forward import FORWARD_SEARCHES, search_forward
from merec_hpc.selection.genetic.archipelago import evolve
from merec_hpc.selection.mask_selector import MaskSelector, SearchOf
from merec_hpc.selection.parameters import choice, count_or_none, settings_of
from merec_hpc.selection.ranking import RANKINGS, find_ranking
from merec_hpc.selection.rule.estimator import RuleSelector
from merec_hpc.selection.watching import Callback, Watcher

__all__ = [
    "AntColonySelector",
    "ForwardSelector",
    "GeneticSelector",
    "RankingSelector",
    "RuleSelector",
]

_NOT_GIVEN = {"seed", "n_inner_folds", "unit", "unit_table"}  # as they are
BiasParameter = float | str | None | Sequence[float | str | None]


class GeneticSelector(MaskSelector):
    """Select features by the genetic algorithm of paper 1, scored on groups that are left out.

    Every mask is scored by linear SVMs (L2 loss, one-vs-rest) that leave each group out in turn.
    Only what ``fit`` is given is seen: in a pipeline inside a cross-validation the selection is
    honest.

    Parameters
    ----------
    n_islands
        Populations that evolve side by side and exchange individuals, at least 1 (default): the
        paper's single population.
    n_individuals
        Individuals of an island, at least 2, default 50. An individual is a mask and a C.
    n_random_migrants
        Newly drawn individuals that replace the worst of an island in every generation, at least
        0 and below ``n_individuals``, default 10.
    n_generations
        Generations after the founders, at least 0, default 50.
    founders
        How the first individuals are drawn: "random_count" (default) a count uniform in
        1..n_features, then that many features; "random_gene" each feature with probability 0.5.
    genome
        "mask" (default), or "weights": what each feature, or group of ``unit``, adds to the Gram
        matrix, 0, 1/2, 1 or 2 times; features are multiplied by the root of it, ``weights_``.
    crossover_probability
        Probability that two parents are crossed, in [0, 1], default 0.8.
    mutation
        What ``mutation_rate`` is the probability of: "individual" (default) that one random bit
        of a child flips, "bit" that each bit of a child flips.
    mutation_rate
        That probability, and that of a new C, in [0, 1], default 0.05.
    n_elites
        Best individuals that live on unchanged, at least 0 and below ``n_individuals``,
        default 1.
    hall_of_fame_size
        Best distinct individuals that are remembered, at least 1, default 10.
    topology
        From whom islands receive: "ring" (default) from the island before, "torus" from the
        neighbours on a grid, "full" from all, "custom" as ``edges`` say.
    edges
        Pairs (from, to) of islands counted from 0, only with the topology "custom"; default none.
    migration_interval
        Generations between two migrations, at least 1, default 10.
    n_emigrants
        Copies of an island's best that each receiver gets, at least 0, default 2; with those of
        all senders fewer than ``n_individuals``.
    C_values
        Penalties of the SVM to choose from, distinct, each above 0; by default powers of ten from
        0.01 to 100.
    criterion
        What the score of a mask is, of the accuracies on left-out groups: "mu_minus_variance"
        (default, paper 1), "mu", "mu_minus_deviation" or "minimum"; of all left-out samples at
        once "pooled_accuracy", "pooled_uar" or "pooled_uf1"; of their decisions, each class
        weighing the same, "balanced_hinge" or "balanced_log_loss".
    departure_penalty
        What a mask loses that leaves all features (groups of them, with ``unit``) out, in [0, 1],
        and others by their share; default 0.
    unit
        What is chosen: "feature" (default), or groups of features, all of each or none: a label
        for each feature, shape (n_features,). Numbers of features then count groups.
    n_groupings
        Groupings of the groups into ``n_folds`` folds, whose mean score is that of a mask, at
        least 1 (default); more need ``n_folds`` below the number of groups.
    training_accuracy
        What the rule that chooses the generation calls so: "resubstitution" (default), accuracy
        on the training samples themselves, or "inner_folds", its mean over left-out groups.
    flat_window
        End after so many generations in which best fitness and training accuracy both moved by
        less than ``flat_range``, at least 1; ``None`` (default) runs all generations.
    flat_range
        Range below which a series of the rule is flat, in [0, 1], default 0.01; if both are, the
        founders' best is chosen.
    steep_derivative
        Growth from one generation to the next above which it is steep, in [0, 1], default 0.005;
        of the series that moves more, the generation of the steepest growth is chosen, or if
        that is not steep that of the second steepest.
    objectives
        What to search for: ("fitness",) (default), or ("fitness", "n_features") for few features as
        well. Then the masks that no other beats in both survive, in place of an elite, parents are
        drawn by tournaments (NSGA-II), the champion is the fittest of the last generation, of
        equals that with the fewest features, and ``front_`` has the others; needs
        ``n_random_migrants`` at least 4 below ``n_individuals``, the default ``n_elites`` and
        no ``flat_window``.
    scaling
        "standard" (default) standardises features within every inner fold, by its training
        samples, and for ``predict`` by all samples; "none" or ``None`` takes them as they are.
        It changes the scores, not what ``transform`` returns.
    class_weight
        What C is multiplied by for the samples of a class: "balanced" n / (m n_k) for n_k of n
        training samples in one of m classes; a dictionary from classes to weights above 0, 1 if
        not named; "none" or ``None`` (default) weighs all alike. Of more than two classes it
        weighs the positive samples of the class's machine, as LIBLINEAR does.
    bias
        Of the SVMs: "none" or ``None``, as paper 1, or a number above 0: a regularised intercept,
        in units of the root of the mean square length of the training samples; or several of
        these (default), to choose from.
    n_folds
        Inner folds of whole groups, 2 to the number of groups; ``None`` (default) leaves one
        group out at a time.
    decider
        What ``predict`` uses: the "champion" (default), a vote of the "hall_of_fame", or the
        "ensemble" of the better half of the last population.
    random_state
        Seed of the search: a whole number of at least 0, a ``RandomState`` to draw it from, or
        ``None`` (default) for another one every time.
    callbacks
        Each is called with the history after every generation, as ``history_`` holds it; if one
        returns ``True`` or raises ``StopIteration``, the search ends with what it has found.
        Ready-made ones are in ``merec_hpc.selection.callbacks``; default none.
    verbose
        Print a line for every generation, default ``False``.

    References
    ----------
    Patel, Hong, Zhao: Selective deep features for micro-expression recognition, ICPR 2016,
    doi:10.1109/ICPR.2016.7899972. Of two objectives Deb, Pratap, Agarwal, Meyarivan: A fast and
    elitist multiobjective genetic algorithm: NSGA-II, IEEE Transactions on Evolutionary
    Computation 6(2), 2002, doi:10.1109/4235.996017.
    """

    def __init__(
        self,
        *,
        n_islands: int = 1,
        n_individuals: int = 50,
        n_random_migrants: int = 10,
        n_generations: int = 50,
        founders: Literal["random_count", "random_gene"] = "random_count",
        genome: Literal["mask", "weights"] = "mask",
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
        bias: BiasParameter = ("none", 0.03, 0.1, 0.3, 1.0),
        criterion: Criterion = "mu_minus_variance",
        departure_penalty: float = 0.0,
        unit: Any = "feature",
        n_groupings: int = 1,
        training_accuracy: Literal["resubstitution", "inner_folds"] = "resubstitution",
        flat_window: int | None = None,
        flat_range: float = 0.01,
        steep_derivative: float = 0.005,
        objectives: Sequence[Objective] = ("fitness",),
        scaling: ScalingName | None = "standard",
        class_weight: ClassWeight | Mapping[Any, float] | None = None,
        n_folds: int | None = None,
        decider: Decider = "champion",
        random_state: Any = None,
        callbacks: Sequence[Callback] = (),
        verbose: bool = False,
    ) -> None:
        self.n_islands = n_islands
        self.n_individuals = n_individuals
        self.n_random_migrants = n_random_migrants
        self.n_generations = n_generations
        self.founders = founders
        self.genome = genome
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
        self.bias = bias
        self.criterion = criterion
        self.departure_penalty = departure_penalty
        self.unit = unit
        self.n_groupings = n_groupings
        self.training_accuracy = training_accuracy
        self.flat_window = flat_window
        self.flat_range = flat_range
        self.steep_derivative = steep_derivative
        self.objectives = objectives
        self.scaling = scaling
        self.class_weight = class_weight
        self.n_folds = n_folds
        self.decider = decider
        self.random_state = random_state
        self.callbacks = callbacks
        self.verbose = verbose

    def _search(self) -> SearchOf:
        names = set(GeneticSettings.__dataclass_fields__) - _NOT_GIVEN
        given = {name: getattr(self, name) for name in sorted(names)} | _inner(self)
        given["seed"] = self._seed()
        settings = settings_of(GeneticSettings, "GeneticSelector", given)

        def search(fitness: SubjectFoldFitness, watcher: Watcher | None) -> Selection:
            alone = SerialCommunicator()
            several = grouped(fitness, settings)
            return evolve(several, settings, alone, on_generation=watcher, shows_progress=False)

        return search


class ForwardSelector(MaskSelector):
    """Add, or remove, one feature at a time by the score on groups that are left out.

    Parameters
    ----------
    search
        "forward" (default) adds the best feature to none, "backward" removes the worst from
        all; "stable_sfs" is "forward" by the mean less the deviation of accuracies over groups,
        "local_greedy" by their minimum, whatever ``criterion`` says; "ranked_forward_" and the
        name of a ranking, such as "ranked_forward_fisher", goes through the places of that
        ranking, which is learnt anew without each group that is left out, and keeps what improves
        the score; with "leaky_" before it, as is common, by the ranking of all samples that
        ``fit`` is given: its scores are too high, since it has seen the classes of the groups
        that are left out.
    n_steps
        Features to add or remove, at least 1, default 50; the best step is taken.
    C_values
        Penalties of the SVM to choose from, distinct, each above 0; by default powers of ten from
        0.01 to 100.
    criterion
        What the score of a mask is, of the accuracies on left-out groups: "mu_minus_variance"
        (default, paper 1), "mu", "mu_minus_deviation" or "minimum"; of all left-out samples at
        once "pooled_accuracy", "pooled_uar" or "pooled_uf1"; of their decisions, each class
        weighing the same, "balanced_hinge" or "balanced_log_loss".
    departure_penalty
        What a mask loses that leaves all features (groups of them, with ``unit``) out, in [0, 1],
        and others by their share; default 0.
    unit
        What is chosen: "feature" (default), or groups of features, all of each or none: a label
        for each feature, shape (n_features,). Numbers of features then count groups.
    n_groupings
        Groupings of the groups into ``n_folds`` folds, whose mean score is that of a mask, at
        least 1 (default); more need ``n_folds`` below the number of groups.
    scaling
        "standard" (default) standardises features within every inner fold, by its training
        samples, and for ``predict`` by all samples; "none" or ``None`` takes them as they are.
        It changes the scores, not what ``transform`` returns.
    class_weight
        What C is multiplied by for the samples of a class: "balanced" n / (m n_k) for n_k of n
        training samples in one of m classes; a dictionary from classes to weights above 0, 1 if
        not named; "none" or ``None`` (default) weighs all alike. Of more than two classes it
        weighs the positive samples of the class's machine, as LIBLINEAR does.
    bias
        Of the SVMs: "none" or ``None``, as paper 1, or a number above 0: a regularised intercept,
        in units of the root of the mean square length of the training samples; or several of
        these (default), to choose from.
    n_folds
        Inner folds of whole groups, 2 to the number of groups; ``None`` (default) leaves one
        group out at a time.
    decider
        What ``predict`` uses: the "champion" (default), a vote of the "hall_of_fame", or the
        "ensemble" of the better half of the last population.
    callbacks
        Each is called with the history after every step, as ``history_`` holds it; if one
        returns ``True`` or raises ``StopIteration``, the search ends with what it has found.
        Ready-made ones are in ``merec_hpc.selection.callbacks``; default none.
    verbose
        Print a line for every step, default ``False``.
    """

    _unit = "step"

    def __init__(
        self,
        *,
        search: str = "forward",
        n_steps: int = 50,
        C_values: Sequence[float] = (0.01, 0.1, 1.0, 10.0, 100.0),
        bias: BiasParameter = ("none", 0.03, 0.1, 0.3, 1.0),
        criterion: Criterion = "mu_minus_variance",
        departure_penalty: float = 0.0,
        unit: Any = "feature",
        n_groupings: int = 1,
        scaling: ScalingName | None = "standard",
        class_weight: ClassWeight | Mapping[Any, float] | None = None,
        n_folds: int | None = None,
        decider: Decider = "champion",
        callbacks: Sequence[Callback] = (),
        verbose: bool = False,
    ) -> None:
        self.search = search
        self.n_steps = n_steps
        self.C_values = C_values
        self.bias = bias
        self.criterion = criterion
        self.departure_penalty = departure_penalty
        self.unit = unit
        self.n_groupings = n_groupings
        self.scaling = scaling
        self.class_weight = class_weight
        self.n_folds = n_folds
        self.decider = decider
        self.callbacks = callbacks
        self.verbose = verbose

    def _search(self) -> SearchOf:
        name = choice("search", self.search, FORWARD_SEARCHES)
        given = _inner(self) | {"n_steps": self.n_steps}
        settings = settings_of(ForwardSettings, "ForwardSelector", given)

        def search(fitness: SubjectFoldFitness, watcher: Watcher | None) -> Selection:
            return search_forward(grouped(fitness, settings), name, settings, on_step=watcher)

        return search


class RankingSelector(MaskSelector):
    """Keep the first features of a ranking; how many is chosen on groups that are left out.

    Parameters
    ----------
    ranking
        "fisher" (default), "gini", "t_test", "lda_weight", "anova_f", "mutual_information",
        "mrmr" or "relieff".
    n_selected
        How many features to keep, at least 1; ``None`` (default) chooses from
        ``n_selected_values``. A number above that of the features means all of them.
    n_selected_values
        Numbers to choose from, distinct, each at least 1; by default twelve from 1 to 5000.
    C_values
        Penalties of the SVM to choose from, distinct, each above 0; by default powers of ten from
        0.01 to 100.
    criterion
        What the score of a mask is, of the accuracies on left-out groups: "mu_minus_variance"
        (default, paper 1), "mu", "mu_minus_deviation" or "minimum"; of all left-out samples at
        once "pooled_accuracy", "pooled_uar" or "pooled_uf1"; of their decisions, each class
        weighing the same, "balanced_hinge" or "balanced_log_loss".
    departure_penalty
        What a mask loses that leaves all features (groups of them, with ``unit``) out, in [0, 1],
        and others by their share; default 0.
    unit
        What is chosen: "feature" (default), or groups of features, all of each or none: a label
        for each feature, shape (n_features,). Numbers of features then count groups.
    n_groupings
        Groupings of the groups into ``n_folds`` folds, whose mean score is that of a mask, at
        least 1 (default); more need ``n_folds`` below the number of groups.
    scaling
        "standard" (default) standardises features within every inner fold, by its training
        samples, and for ``predict`` by all samples; "none" or ``None`` takes them as they are.
        It changes the scores, not what ``transform`` returns.
    class_weight
        What C is multiplied by for the samples of a class: "balanced" n / (m n_k) for n_k of n
        training samples in one of m classes; a dictionary from classes to weights above 0, 1 if
        not named; "none" or ``None`` (default) weighs all alike. Of more than two classes it
        weighs the positive samples of the class's machine, as LIBLINEAR does.
    bias
        Of the SVMs: "none" or ``None``, as paper 1, or a number above 0: a regularised intercept,
        in units of the root of the mean square length of the training samples; or several of
        these (default), to choose from.
    n_folds
        Inner folds of whole groups, 2 to the number of groups; ``None`` (default) leaves one
        group out at a time.
    decider
        What ``predict`` uses: the "champion" (default), a vote of the "hall_of_fame", or the
        "ensemble" of the better half of the last population.
    callbacks
        Each is called with the history after every step, as ``history_`` holds it; if one
        returns ``True`` or raises ``StopIteration``, the search ends with what it has found.
        Ready-made ones are in ``merec_hpc.selection.callbacks``; default none.
    verbose
        Print a line for every step, default ``False``. A step is a number of
        features, the smallest first; all are scored before the first is told.
    """

    _unit = "step"

    def __init__(
        self,
        *,
        ranking: str = "fisher",
        n_selected: int | None = None,
        n_selected_values: Sequence[int] = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000),
        C_values: Sequence[float] = (0.01, 0.1, 1.0, 10.0, 100.0),
        bias: BiasParameter = ("none", 0.03, 0.1, 0.3, 1.0),
        criterion: Criterion = "mu_minus_variance",
        departure_penalty: float = 0.0,
        unit: Any = "feature",
        n_groupings: int = 1,
        scaling: ScalingName | None = "standard",
        class_weight: ClassWeight | Mapping[Any, float] | None = None,
        n_folds: int | None = None,
        decider: Decider = "champion",
        callbacks: Sequence[Callback] = (),
        verbose: bool = False,
    ) -> None:
        self.ranking = ranking
        self.n_selected = n_selected
        self.n_selected_values = n_selected_values
        self.C_values = C_values
        self.bias = bias
        self.criterion = criterion
        self.departure_penalty = departure_penalty
        self.unit = unit
        self.n_groupings = n_groupings
        self.scaling = scaling
        self.class_weight = class_weight
        self.n_folds = n_folds
        self.decider = decider
        self.callbacks = callbacks
        self.verbose = verbose

    def _search(self) -> SearchOf:
        name = choice("ranking", self.ranking, RANKINGS)
        names = ("n_selected", "n_selected_values")
        given = _inner(self) | {name: getattr(self, name) for name in names}
        settings = settings_of(RankingSettings, "RankingSelector", given)

        def search(fitness: SubjectFoldFitness, watcher: Watcher | None) -> Selection:
            ranking, several = find_ranking(name, group_of(fitness)), grouped(fitness, settings)
            return select_by_rank(several, settings, ranking, on_step=watcher)

        return search


class AntColonySelector(MaskSelector):
    """Search features by the ant colony of paper 5, scored on groups that are left out.

    The heuristic is Fisher's score, learnt anew without each group that is left out.

    Parameters
    ----------
    n_ants
        Ants of an iteration, at least 1, default 20.
    n_iterations
        Iterations, at least 1, default 3.
    alpha
        Power of the pheromone in a feature's appeal, at least 0, default 1.1.
    beta
        Power of the heuristic in a feature's appeal, at least 0, default 1.5.
    q0
        Probability of taking the most appealing feature instead of drawing one, in [0, 1],
        default 0.9.
    rho
        Share of the pheromone that evaporates after an iteration, in [0, 1], default 0.2.
    n_selected
        Features that an ant gathers, at least 1; ``None`` (default) lets each ant draw how many.
    C_values
        Penalties of the SVM to choose from, distinct, each above 0; by default powers of ten from
        0.01 to 100.
    criterion
        What the score of a mask is, of the accuracies on left-out groups: "mu_minus_variance"
        (default, paper 1), "mu", "mu_minus_deviation" or "minimum"; of all left-out samples at
        once "pooled_accuracy", "pooled_uar" or "pooled_uf1"; of their decisions, each class
        weighing the same, "balanced_hinge" or "balanced_log_loss".
    departure_penalty
        What a mask loses that leaves all features (groups of them, with ``unit``) out, in [0, 1],
        and others by their share; default 0.
    unit
        What is chosen: "feature" (default), or groups of features, all of each or none: a label
        for each feature, shape (n_features,). Numbers of features then count groups.
    n_groupings
        Groupings of the groups into ``n_folds`` folds, whose mean score is that of a mask, at
        least 1 (default); more need ``n_folds`` below the number of groups.
    scaling
        "standard" (default) standardises features within every inner fold, by its training
        samples, and for ``predict`` by all samples; "none" or ``None`` takes them as they are.
        It changes the scores, not what ``transform`` returns.
    class_weight
        What C is multiplied by for the samples of a class: "balanced" n / (m n_k) for n_k of n
        training samples in one of m classes; a dictionary from classes to weights above 0, 1 if
        not named; "none" or ``None`` (default) weighs all alike. Of more than two classes it
        weighs the positive samples of the class's machine, as LIBLINEAR does.
    bias
        Of the SVMs: "none" or ``None``, as paper 1, or a number above 0: a regularised intercept,
        in units of the root of the mean square length of the training samples; or several of
        these (default), to choose from.
    n_folds
        Inner folds of whole groups, 2 to the number of groups; ``None`` (default) leaves one
        group out at a time.
    decider
        What ``predict`` uses: the "champion" (default), a vote of the "hall_of_fame", or the
        "ensemble" of the better half of the last population.
    random_state
        Seed of the search: a whole number of at least 0, a ``RandomState`` to draw it from, or
        ``None`` (default) for another one every time.
    callbacks
        Each is called with the history after every iteration, as ``history_`` holds it; if one
        returns ``True`` or raises ``StopIteration``, the search ends with what it has found.
        Ready-made ones are in ``merec_hpc.selection.callbacks``; default none.
    verbose
        Print a line for every iteration, default ``False``.
    """

    _unit = "iteration"

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
        bias: BiasParameter = ("none", 0.03, 0.1, 0.3, 1.0),
        criterion: Criterion = "mu_minus_variance",
        departure_penalty: float = 0.0,
        unit: Any = "feature",
        n_groupings: int = 1,
        scaling: ScalingName | None = "standard",
        class_weight: ClassWeight | Mapping[Any, float] | None = None,
        n_folds: int | None = None,
        decider: Decider = "champion",
        random_state: Any = None,
        callbacks: Sequence[Callback] = (),
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
        self.bias = bias
        self.criterion = criterion
        self.departure_penalty = departure_penalty
        self.unit = unit
        self.n_groupings = n_groupings
        self.scaling = scaling
        self.class_weight = class_weight
        self.n_folds = n_folds
        self.decider = decider
        self.random_state = random_state
        self.callbacks = callbacks
        self.verbose = verbose

    def _search(self) -> SearchOf:
        names = ("n_ants", "n_iterations", "alpha", "beta", "q0", "rho", "n_selected")
        given = _inner(self) | {name: getattr(self, name) for name in names}
        settings = settings_of(
            AntColonySettings, "AntColonySelector", given | {"seed": self._seed()}
        )

        def search(fitness: SubjectFoldFitness, watcher: Watcher | None) -> Selection:
            several = grouped(fitness, settings)
            heuristics = Heuristics.learn(several, settings.heuristic)
            return search_with_ants(several, heuristics, settings, on_iteration=watcher)

        return search


def _inner(selector: Any) -> dict[str, object]:
    """Return the parameters of how masks are scored, which every selector has."""
    names = ("C_values", "criterion", "departure_penalty", "n_groupings")
    given = {name: getattr(selector, name) for name in names} | {"bias": _named(selector.bias)}
    return given | {"n_inner_folds": count_or_none("n_folds", selector.n_folds, 2)}


def _named(bias: BiasParameter) -> object:
    """Return a bias, or several, with the name of none."""
    if bias is None or isinstance(bias, str | float | int):
        return NO_BIAS if bias is None else bias
    return [NO_BIAS if one is None else one for one in bias]

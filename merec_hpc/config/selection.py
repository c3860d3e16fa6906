"""How each selector searches, one dataclass each."""

from collections.abc import Sequence
from math import inf
from numbers import Real
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, PlainSerializer, PlainValidator
from pydantic.dataclasses import dataclass

from merec_hpc.config.base import (
    STRICT,
    ClassifierName,
    Count,
    Oversampling,
    Positive,
    Probability,
    UserPath,
    check_distinct,
    check_known,
)
from merec_hpc.criteria import criteria_names


def _check_criterion(name: str) -> str:
    return check_known("criterion", name, criteria_names())


NotNegative = Annotated[float, Field(ge=0.0)]
Share = Annotated[float, Field(gt=0.0, le=1.0)]
Criterion = Annotated[str, AfterValidator(_check_criterion)]


NO_BIAS = "none"
BiasValue = Literal["none"] | Positive
_BiasValues = Annotated[list[BiasValue], Field(min_length=1)]


def parse_bias(given: object) -> tuple[float, ...]:
    """Return the values that a bias may take, 0 for none, from one of them or a list.

    Raises
    ------
    ValueError
        If one is neither 'none' nor a number from 0, if there is none, or one twice.
    """
    several = given if isinstance(given, Sequence) and not isinstance(given, str) else [given]
    values = tuple(map(_bias_value, several))
    if not values:
        msg = "'none', a number above 0 or a list of those expected, found an empty list"
        raise ValueError(msg)
    check_distinct("bias", list(map(bias_text, values)))
    return values


def _bias_value(given: object) -> float:
    if given == NO_BIAS:
        return 0.0
    value = -1.0 if isinstance(given, bool) or not isinstance(given, Real) else float(given)
    if not 0 <= value < inf:
        msg = f"'none' or a number above 0 expected, found {given!r}"
        raise ValueError(msg)
    return value


def bias_text(value: float) -> str:
    """Return a bias as it is read: a number, or 'none' for 0."""
    return str(value) if value else NO_BIAS


def told_bias(values: tuple[float, ...]) -> object:
    """Return what ``parse_bias`` reads: one value by itself, several as a list."""
    told = [value or NO_BIAS for value in values]
    return told[0] if len(told) == 1 else told


Bias = Annotated[
    tuple[float, ...],
    PlainValidator(parse_bias, json_schema_input_type=BiasValue | _BiasValues),
    PlainSerializer(told_bias),
]


def _listed(edges: tuple[tuple[int, int], ...]) -> str:
    """Return edges as a configuration has them."""
    return str([list(edge) for edge in edges])


@dataclass(frozen=True, kw_only=True, config=STRICT)
class SvmSettings:
    """The linear SVM that scores masks and predicts."""

    bias: Bias = (0.0, 0.03, 0.1, 0.3, 1.0)
    """What its constant feature may be, 0 for none; see ``config.yaml``."""


@dataclass(frozen=True, kw_only=True, config=STRICT)
class InnerSettings:
    """What a selector is scored by on the training subjects of a fold."""

    C_values: tuple[Positive, ...] = Field(default=(0.01, 0.1, 1.0, 10.0, 100.0), min_length=1)
    criterion: Criterion = "mu_minus_variance"
    departure_penalty: Probability = 0.0
    n_inner_folds: int | None = Field(default=None, ge=2)
    n_groupings: Count = 1
    unit: Literal["feature", "channel", "cell", "block", "custom"] = "feature"
    unit_table: UserPath | None = None

    def __post_init__(self) -> None:
        """Check what involves more than one value."""
        check_distinct("C_values", list(map(str, self.C_values)))
        if self.n_groupings > 1 and self.n_inner_folds is None:
            msg = (
                f"n_groupings is {self.n_groupings}, must be 1 where n_inner_folds is null: one "
                "subject is left out at a time, in one way only"
            )
            raise ValueError(msg)
        if (self.unit == "custom") != (self.unit_table is not None):
            msg = (
                f"unit is {self.unit} and unit_table {self.unit_table or 'null'}, a table must be "
                "given with unit custom, and only then"
            )
            raise ValueError(msg)


@dataclass(frozen=True, kw_only=True, config=STRICT)
class SelectorSettings(SvmSettings, InnerSettings):
    """What the sections of all selectors have."""


@dataclass(frozen=True, kw_only=True, config=STRICT)
class AllFeaturesSettings(SelectorSettings):
    """All features, with C and bias chosen on the inner folds."""


@dataclass(frozen=True, kw_only=True, config=STRICT)
class RandomMasksSettings(SelectorSettings):
    """Random masks, a control of every search."""

    n_masks: Count = 100
    founders: Literal["random_count", "random_gene"] = "random_count"
    seed: int = Field(default=0, ge=0)


@dataclass(frozen=True, kw_only=True, config=STRICT)
class RankingSettings(SelectorSettings):
    """The best features by a criterion of each feature alone."""

    n_selected: int | None = Field(default=None, ge=1)
    n_selected_values: tuple[Count, ...] = Field(
        default=(1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000), min_length=1
    )

    def __post_init__(self) -> None:
        """Check what involves more than one field."""
        super().__post_init__()
        check_distinct("n_selected_values", list(map(str, self.n_selected_values)))


@dataclass(frozen=True, kw_only=True, config=STRICT)
class ForwardSettings(SelectorSettings):
    """Searches that add or remove one feature at a time."""

    n_steps: Count = 50


@dataclass(frozen=True, kw_only=True, config=STRICT)
class AntColonySettings(SelectorSettings):
    """The ant colony of paper 5."""

    n_ants: Count = 20
    n_iterations: Count = 3
    alpha: float = Field(default=1.1, ge=0.0)
    beta: float = Field(default=1.5, ge=0.0)
    q0: Probability = 0.9
    rho: Probability = 0.2
    n_selected: int | None = Field(default=None, ge=1)
    heuristic: Literal["fisher", "anova_f"] = "fisher"
    classifier: ClassifierName = "linear_svm"
    oversampling: Oversampling = "none"
    seed: int = Field(default=0, ge=0)

    def __post_init__(self) -> None:
        """Check what involves more than one field."""
        super().__post_init__()
        if self.classifier == "random_forest" and self.criterion == "balanced_hinge":
            msg = (
                "criterion is 'balanced_hinge', must be another with classifier random_forest, "
                "whose decisions are probabilities without margins"
            )
            raise ValueError(msg)


@dataclass(frozen=True, kw_only=True, config=STRICT)
class RuleSettings:
    """The rule of four genes: kappa, p, b and C; see ``selection.rule``.

    Takes nothing from ``svm`` and ``inner``: its intercept, its loss and its inner folds are its own.
    """

    kappa_values: tuple[NotNegative, ...] = Field(default=(0.0, 0.3, 1.0), min_length=1)
    p_values: tuple[NotNegative, ...] = Field(default=(0.0, 0.5, 1.0, 2.0), min_length=1)
    b_values: tuple[NotNegative, ...] = Field(default=(0.0, 0.03, 0.3), min_length=1)
    C_values: tuple[Positive, ...] = Field(
        default=(0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0), min_length=1
    )
    min_clips: int = Field(default=3, ge=2)
    n_inner_folds: int | None = Field(default=6, ge=2)
    ensemble_share: Share | None = None
    """Best share of the rules that decides; ``None`` is 1/8 of a grid and 1/4 of other rules."""
    n_individuals: Count = 12
    n_generations: Count = 7
    seed: int = Field(default=0, ge=0)

    def __post_init__(self) -> None:
        """Check that no value of a gene is there twice."""
        for key in ("kappa_values", "p_values", "b_values", "C_values"):
            check_distinct(key, list(map(str, getattr(self, key))))


AnySettings = SelectorSettings | RuleSettings
"""The section of a selector."""


Objective = Literal["fitness", "n_features"]
_N_ELITES = 1
_N_ENDS = 4  # a front that is cut keeps up to two ends of each objective


@dataclass(frozen=True, kw_only=True, config=STRICT)
class GeneticSettings(SelectorSettings):
    """The genetic algorithm of paper 1, on one population or on islands."""

    n_islands: Count = 4
    n_individuals: int = Field(default=50, ge=2)
    n_random_migrants: int = Field(default=10, ge=0)
    n_generations: int = Field(default=50, ge=0)
    founders: Literal["random_count", "random_gene"] = "random_count"
    genome: Literal["mask", "weights"] = "mask"
    crossover_probability: Probability = 0.8
    mutation: Literal["bit", "individual"] = "individual"
    mutation_rate: Probability = 0.05
    n_elites: int = Field(default=_N_ELITES, ge=0)
    hall_of_fame_size: Count = 10
    topology: Literal["ring", "torus", "full", "custom"] = "ring"
    edges: tuple[tuple[int, int], ...] = ()
    migration_interval: Count = 10
    n_emigrants: int = Field(default=2, ge=0)
    training_accuracy: Literal["resubstitution", "inner_folds"] = "resubstitution"
    flat_window: int | None = Field(default=None, ge=1)
    flat_range: Probability = 0.01
    steep_derivative: Probability = 0.005
    objectives: tuple[Objective, ...] = Field(default=("fitness",), min_length=1)
    seed: int = Field(default=0, ge=0)

    @property
    def weighs_two(self) -> bool:
        """Whether the number of features is an objective beside fitness."""
        return len(self.objectives) > 1

    @property
    def n_children(self) -> int:
        """How many an island breeds in a generation: with two objectives there is no elite."""
        return self.n_individuals - (0 if self.weighs_two else self.n_elites)

    def __post_init__(self) -> None:
        """Check what involves more than one field."""
        super().__post_init__()
        for key in ("n_random_migrants", "n_elites", "n_emigrants"):
            if getattr(self, key) >= self.n_individuals:
                msg = (
                    f"{key} is {getattr(self, key)}, "
                    f"must be below n_individuals ({self.n_individuals})"
                )
                raise ValueError(msg)
        if bool(self.edges) != (self.topology == "custom"):
            msg = f"edges are {_listed(self.edges)}, must be given with topology custom, and only then"
            raise ValueError(msg)
        named = sorted({island for edge in self.edges for island in edge})
        if named and not 0 <= named[0] <= named[-1] < self.n_islands:
            msg = f"edges name islands {named}, must be in 0..{self.n_islands - 1}"
            raise ValueError(msg)
        loops = [giver for giver, taker in self.edges if giver == taker]
        if loops:
            msg = f"edges hold [{loops[0]}, {loops[0]}], must lead from one island to another"
            raise ValueError(msg)
        if len(set(self.edges)) < len(self.edges):
            msg = f"edges are {_listed(self.edges)}, must name each once"
            raise ValueError(msg)
        takers = [taker for _, taker in self.edges]
        most = max(map(takers.count, takers), default=0)
        n_givers = {"ring": 1, "torus": 4, "full": self.n_islands - 1}.get(self.topology, most)
        if self.n_islands > 1 and n_givers * self.n_emigrants >= self.n_individuals:
            msg = (
                f"n_emigrants is {self.n_emigrants} from each of {n_givers} islands, "
                f"must in all be below n_individuals ({self.n_individuals})"
            )
            raise ValueError(msg)
        self._check_objectives()

    def _check_objectives(self) -> None:
        """Check the objectives, and that nothing is set that two of them leave no room for."""
        told = f"objectives are [{', '.join(self.objectives)}]"
        check_distinct("objectives", list(self.objectives))
        if self.objectives[0] != "fitness":
            msg = f"{told}, must begin with fitness"
            raise ValueError(msg)
        if not self.weighs_two:
            return
        if self.genome == "weights":
            msg = f"genome is weights, must be mask where {told}: genes would be counted twice"
            raise ValueError(msg)
        if self.n_elites != _N_ELITES:
            msg = (
                f"n_elites is {self.n_elites}, must be {_N_ELITES} where {told}: the front survives"
            )
            raise ValueError(msg)
        if self.flat_window is not None:
            msg = f"flat_window is {self.flat_window}, must be null where {told}"
            raise ValueError(msg)
        if self.n_individuals - self.n_random_migrants < _N_ENDS:
            msg = (
                f"n_random_migrants is {self.n_random_migrants}, must be at least {_N_ENDS} below "
                f"n_individuals ({self.n_individuals}) where {told}"
            )
            raise ValueError(msg)

"""Turns ``config.yaml`` into typed, frozen settings, one dataclass per section.

What changes results stands here; what only changes speed (ranks, threads, memory)
belongs to the rules and to ``slurm/``. Every key is explained in ``config.yaml``.
"""

import difflib
import json
from collections.abc import Mapping, Sequence
from dataclasses import field, fields, is_dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, get_args

from pydantic import AfterValidator, Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from merec_hpc.dataset_settings import (
    STRICT,
    Casme2Settings,
    Casme3Settings,
    CasmeSettings,
    CasmeSqSettings,
    CkplusSettings,
    CmuFacesSettings,
    DatasetName,
    Fer2013Settings,
    JaffeSettings,
    ManifestSettings,
    Megc2019Settings,
    MmewSettings,
    Positive,
    RafdbSettings,
    SammSettings,
    SfewSettings,
    SimulatedSettings,
    SmicSettings,
    check_distinct,
)
from merec_hpc.errors import MerecError

Count = Annotated[int, Field(ge=1)]
Probability = Annotated[float, Field(ge=0.0, le=1.0)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")]

NetworkName = Literal["mobilenet_v2"]
FeatureName = Literal["mobilenet_v2", "lbp_top"]
Statistic = Literal["mean", "variance", "std", "spatial_mean", "spatial_variance", "spatial_std"]
RankingName = Literal[
    "fisher",
    "gini",
    "t_test",
    "lda_weight",
    "anova_f",
    "mutual_information",
    "mrmr",
    "relieff",
]
RANKING_NAMES: tuple[RankingName, ...] = get_args(RankingName)
SEARCHES = ("forward", "backward", "stable_sfs", "local_greedy")
"""Searches that add or remove one feature at a time, beside ``ranked_forward_`` and a ranking."""
SELECTORS = (
    "all_features",
    "random_masks",
    *RANKING_NAMES,
    *SEARCHES,
    *(f"ranked_forward_{name}" for name in RANKING_NAMES),
    "ant_colony",
    "genetic",
)
Protocol = Literal["leave_one_subject_out", "subject_folds", "official_split"]
Classifier = Literal["linear_svm", "random_forest"]
Oversampling = Literal["none", "smote"]
Decider = Literal["champion", "hall_of_fame", "ensemble"]
DECIDERS: tuple[Decider, ...] = get_args(Decider)


def section_of(selector: str) -> str:
    """Return the section of the configuration that a selector is set by.

    Raises
    ------
    ValueError
        If there is no such selector.
    """
    if selector not in SELECTORS:
        msg = f"a selector of {', '.join(SELECTORS)} expected, found '{selector}'"
        raise ValueError(msg)
    if selector in RANKING_NAMES:
        return "ranking"
    if selector in SEARCHES or selector.startswith("ranked_forward_"):
        return "forward"
    return selector


def _check_method(method: str) -> str:
    """Check the name of a selector, or of one and a decider, as ``genetic+ensemble``."""
    selector, _, decider = method.partition("+")
    if selector not in SELECTORS or (decider or "champion") not in DECIDERS:
        nearest = difflib.get_close_matches(selector, SELECTORS, n=1, cutoff=0.0)[0]
        msg = f"method {method}: a selector (and a decider, as genetic+ensemble) expected; did you"
        msg += f" mean '{nearest}'?"
        raise ValueError(msg)
    return method


Method = Annotated[str, AfterValidator(_check_method)]
Scaling = Literal["none", "standard"]
Criterion = Literal[
    "mu_minus_variance",
    "mu",
    "mu_minus_deviation",
    "minimum",
    "pooled_accuracy",
    "pooled_uar",
    "pooled_uf1",
]
ClassWeight = Literal["none", "balanced"]


@dataclass(frozen=True, kw_only=True, config=STRICT)
class WeightSettings:
    """Local files to use in place of the packages that carry the weights."""

    mobilenet_v2: Path | None = None
    face_mesh: Path | None = None
    dlib: Path | None = None
    canonical_face: Path | None = None


@dataclass(frozen=True, kw_only=True, config=STRICT)
class FaceSettings:
    """Detection, landmarks and registration."""

    landmarks: Literal["face_mesh", "active_shape", "dlib", "table"] = "face_mesh"
    shape_model: Path | None = None
    landmark_tables: Path | None = None
    size_px: int = Field(default=224, ge=32)
    crop: Literal["eyes", "shape"] = "eyes"
    interocular_fraction: float = Field(default=0.36, gt=0.05, lt=0.8)
    eye_row_fraction: float = Field(default=0.36, gt=0.05, lt=0.95)
    shape_fraction: float = Field(default=0.8, gt=0.05, lt=2.0)
    registration: Literal["first_frame", "each_frame", "none"] = "first_frame"
    warp: Literal["similarity", "local_weighted_mean", "piecewise_affine"] = "similarity"
    reference: Path | None = None
    measure_jitter: bool = False
    min_detection_fraction: float = Field(default=0.15, gt=0.0, lt=1.0)

    def __post_init__(self) -> None:
        """Check what involves more than one field."""
        if self.registration == "none" and self.measure_jitter:
            msg = "registration none: measure_jitter false expected, found true"
            raise ValueError(msg)
        if self.landmarks != "table":
            return
        if self.landmark_tables is None:
            msg = "landmarks table: landmark_tables, a folder of tables, expected, found null"
            raise ValueError(msg)
        if self.measure_jitter and self.warp != "similarity":
            msg = (
                f"landmarks table with measure_jitter: warp similarity expected, found {self.warp}"
            )
            raise ValueError(msg)


@dataclass(frozen=True, kw_only=True, config=STRICT)
class InterpolationSettings:
    """Temporal interpolation (TIM)."""

    n_frames: Count = 20


@dataclass(frozen=True, kw_only=True, config=STRICT)
class FeatureSettings:
    """Deep features of a clip."""

    network: FeatureName = "mobilenet_v2"
    layer: str = "features.18"
    input_px: int | None = Field(default=None, ge=32)
    pooling: Literal["mean", "none"] = "mean"
    statistics: tuple[Statistic, ...] = Field(default=("mean", "std"), min_length=1)

    def __post_init__(self) -> None:
        """Check what involves more than one value."""
        check_distinct("statistics", self.statistics)


@dataclass(frozen=True, kw_only=True, config=STRICT)
class LbpTopSettings:
    """Local binary patterns on three orthogonal planes."""

    radius_x: Count = 1
    radius_y: Count = 1
    radius_t: Count = 4
    n_points: int = Field(default=4, ge=3, le=16)
    uniform: bool = True
    n_blocks: Count = 5


@dataclass(frozen=True, kw_only=True, config=STRICT)
class GeneticSettings:
    """The genetic algorithm of paper 1, on one population or on islands."""

    n_islands: Count = 4
    n_individuals: int = Field(default=50, ge=2)
    n_random_migrants: int = Field(default=10, ge=0)
    n_generations: int = Field(default=50, ge=0)
    founders: Literal["random_count", "random_gene"] = "random_count"
    crossover_probability: Probability = 0.8
    mutation: Literal["bit", "individual"] = "individual"
    mutation_rate: Probability = 0.05
    n_elites: int = Field(default=1, ge=0)
    hall_of_fame_size: Count = 10
    topology: Literal["ring", "torus", "full", "custom"] = "ring"
    edges: tuple[tuple[int, int], ...] = ()
    migration_interval: Count = 10
    n_emigrants: int = Field(default=2, ge=0)
    C_values: tuple[Positive, ...] = Field(default=(0.01, 0.1, 1.0, 10.0, 100.0), min_length=1)
    criterion: Criterion = "mu_minus_variance"
    n_inner_folds: int | None = Field(default=None, ge=2)
    training_accuracy: Literal["resubstitution", "inner_folds"] = "resubstitution"
    flat_window: int | None = Field(default=None, ge=1)
    flat_range: Probability = 0.01
    steep_derivative: Probability = 0.005
    seed: int = Field(default=0, ge=0)

    def __post_init__(self) -> None:
        """Check what involves more than one field."""
        for key in ("n_random_migrants", "n_elites", "n_emigrants"):
            if getattr(self, key) >= self.n_individuals:
                msg = (
                    f"{key} is {getattr(self, key)}, "
                    f"must be below n_individuals ({self.n_individuals})"
                )
                raise ValueError(msg)
        if bool(self.edges) != (self.topology == "custom"):
            msg = f"edges are {self.edges}, must be given with topology custom, and only then"
            raise ValueError(msg)
        named = {island for edge in self.edges for island in edge}
        if not named <= set(range(self.n_islands)):
            msg = f"edges name islands {sorted(named)}, must be in 0..{self.n_islands - 1}"
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


@dataclass(frozen=True, kw_only=True, config=STRICT)
class AllFeaturesSettings:
    """All features, with C chosen on the inner folds."""

    C_values: tuple[Positive, ...] = Field(default=(0.01, 0.1, 1.0, 10.0, 100.0), min_length=1)
    criterion: Criterion = "mu_minus_variance"
    n_inner_folds: int | None = Field(default=None, ge=2)


@dataclass(frozen=True, kw_only=True, config=STRICT)
class ForwardSettings:
    """Searches that add or remove one feature at a time."""

    n_steps: Count = 50
    C_values: tuple[Positive, ...] = Field(default=(0.01, 0.1, 1.0, 10.0, 100.0), min_length=1)
    criterion: Criterion = "mu_minus_variance"
    n_inner_folds: int | None = Field(default=None, ge=2)


@dataclass(frozen=True, kw_only=True, config=STRICT)
class RankingSettings:
    """The best features by a criterion of each feature alone."""

    n_selected: int | None = Field(default=None, ge=1)
    n_selected_values: tuple[Count, ...] = Field(
        default=(1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000), min_length=1
    )
    C_values: tuple[Positive, ...] = Field(default=(0.01, 0.1, 1.0, 10.0, 100.0), min_length=1)
    criterion: Criterion = "mu_minus_variance"
    n_inner_folds: int | None = Field(default=None, ge=2)


@dataclass(frozen=True, kw_only=True, config=STRICT)
class AntColonySettings:
    """The ant colony of paper 5."""

    n_ants: Count = 20
    n_iterations: Count = 3
    alpha: float = Field(default=1.1, ge=0.0)
    beta: float = Field(default=1.5, ge=0.0)
    q0: Probability = 0.9
    rho: Probability = 0.2
    n_selected: int | None = Field(default=None, ge=1)
    heuristic: Literal["fisher", "anova_f"] = "fisher"
    classifier: Classifier = "linear_svm"
    oversampling: Oversampling = "none"
    C_values: tuple[Positive, ...] = Field(default=(0.01, 0.1, 1.0, 10.0, 100.0), min_length=1)
    criterion: Criterion = "mu_minus_variance"
    n_inner_folds: int | None = Field(default=None, ge=2)
    seed: int = Field(default=0, ge=0)


@dataclass(frozen=True, kw_only=True, config=STRICT)
class RandomMasksSettings:
    """Random masks, a control of every search."""

    n_masks: Count = 100
    founders: Literal["random_count", "random_gene"] = "random_count"
    C_values: tuple[Positive, ...] = Field(default=(0.01, 0.1, 1.0, 10.0, 100.0), min_length=1)
    criterion: Criterion = "mu_minus_variance"
    n_inner_folds: int | None = Field(default=None, ge=2)
    seed: int = Field(default=0, ge=0)


@dataclass(frozen=True, kw_only=True, config=STRICT)
class SweepSettings:
    """Variants of the search; an empty list leaves the experiment's own value."""

    networks: tuple[NetworkName, ...] = ()
    layers: tuple[Name, ...] = ()
    statistics: tuple[Annotated[tuple[Statistic, ...], Field(min_length=1)], ...] = ()
    criteria: tuple[Criterion, ...] = ()
    seeds: tuple[Annotated[int, Field(ge=0)], ...] = ()

    def __post_init__(self) -> None:
        """Check what involves more than one value."""
        for key, values in vars(self).items():
            check_distinct(key, [str(value) for value in values])
        for names in self.statistics:
            check_distinct("statistics", names)


@dataclass(frozen=True, kw_only=True, config=STRICT)
class EvaluationSettings:
    """What is compared, and how its uncertainty is stated."""

    methods: tuple[Method, ...] = Field(default=("all_features", "genetic"), min_length=1)
    protocol: Protocol = "leave_one_subject_out"
    n_folds: int = Field(default=4, ge=2)
    held_out_split: Literal["test", "validation"] = "test"
    classifier: Classifier = "linear_svm"
    oversampling: Oversampling = "none"
    n_bootstraps: Count = 2000
    seed: int = Field(default=0, ge=0)

    def __post_init__(self) -> None:
        """Check what involves more than one value."""
        check_distinct("methods", self.methods)
        plain = self.classifier == "linear_svm" and self.oversampling == "none"
        decided = [method for method in self.methods if "+" in method]
        if decided and not plain:
            msg = (
                f"methods hold {decided[0]}, which needs classifier linear_svm without oversampling"
            )
            raise ValueError(msg)


@dataclass(frozen=True, kw_only=True, config=STRICT)
class PermutationSettings:
    """The whole of a method again, on labels permuted within subjects."""

    n_permutations: int = Field(default=0, ge=0)
    methods: tuple[Method, ...] = Field(default=("genetic",), min_length=1)
    permutations_per_job: Count = 20
    seed: int = Field(default=0, ge=0)

    def __post_init__(self) -> None:
        """Check what involves more than one value."""
        check_distinct("methods", self.methods)


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Config:
    """The whole of ``config.yaml``."""

    experiment: Name = "demo"
    dataset: DatasetName = "simulated"
    dataset_root: Path | None = None
    corrections: Path | None = None
    max_failed_fraction: Probability = 0.1
    simulated: SimulatedSettings = field(default_factory=SimulatedSettings)
    smic: SmicSettings = field(default_factory=SmicSettings)
    casme: CasmeSettings = field(default_factory=CasmeSettings)
    casme2: Casme2Settings = field(default_factory=Casme2Settings)
    samm: SammSettings = field(default_factory=SammSettings)
    casme_sq: CasmeSqSettings = field(default_factory=CasmeSqSettings)
    casme3: Casme3Settings = field(default_factory=Casme3Settings)
    mmew: MmewSettings = field(default_factory=MmewSettings)
    ckplus: CkplusSettings = field(default_factory=CkplusSettings)
    fer2013: Fer2013Settings = field(default_factory=Fer2013Settings)
    rafdb: RafdbSettings = field(default_factory=RafdbSettings)
    jaffe: JaffeSettings = field(default_factory=JaffeSettings)
    sfew: SfewSettings = field(default_factory=SfewSettings)
    cmu_faces: CmuFacesSettings = field(default_factory=CmuFacesSettings)
    megc2019: Megc2019Settings = field(default_factory=Megc2019Settings)
    manifest: ManifestSettings = field(default_factory=ManifestSettings)
    weights: WeightSettings = field(default_factory=WeightSettings)
    faces: FaceSettings = field(default_factory=FaceSettings)
    interpolation: InterpolationSettings = field(default_factory=InterpolationSettings)
    features: FeatureSettings = field(default_factory=FeatureSettings)
    lbp_top: LbpTopSettings = field(default_factory=LbpTopSettings)
    scaling: Scaling = "standard"
    all_features: AllFeaturesSettings = field(default_factory=AllFeaturesSettings)
    random_masks: RandomMasksSettings = field(default_factory=RandomMasksSettings)
    ranking: RankingSettings = field(default_factory=RankingSettings)
    forward: ForwardSettings = field(default_factory=ForwardSettings)
    ant_colony: AntColonySettings = field(default_factory=AntColonySettings)
    genetic: GeneticSettings = field(default_factory=GeneticSettings)
    sweep: SweepSettings = field(default_factory=SweepSettings)
    evaluation: EvaluationSettings = field(default_factory=EvaluationSettings)
    permutation: PermutationSettings = field(default_factory=PermutationSettings)

    def __post_init__(self) -> None:
        """Check what involves more than one field."""
        if self.dataset != "simulated" and self.dataset_root is None:
            msg = f"dataset_root is not given, dataset '{self.dataset}' needs its folder"
            raise ValueError(msg)
        sweeps = any(vars(self.sweep).values())
        if sweeps and self.features.network == "lbp_top" and not self.sweep.networks:
            msg = "sweep.networks is empty and features.network lbp_top, a sweep needs networks"
            raise ValueError(msg)

    def dataset_settings(self) -> object:
        """Return the section of the dataset that is in use."""
        return getattr(self, self.dataset)


Section = TypeVar("Section")


def parse_config(values: Mapping[str, Any], source: str = "config") -> Config:
    """Validate the values read from ``config.yaml``.

    Raises
    ------
    MerecError
        If a key is unknown, ill-typed or out of range; the message names the key and,
        for an unknown one, the nearest known key.
    """
    return from_json(Config, json.dumps(values, default=str), source)


def to_json(section: object) -> str:
    """Return a section as the text of ``--settings``, defaults included."""
    return TypeAdapter(type(section)).dump_json(section).decode()


def from_json(kind: type[Section], text: str, source: str = "--settings") -> Section:
    """Validate the text of ``--settings``.

    JSON, since pydantic's strict mode then takes a list for a tuple and text for a path,
    but still refuses ``"3"`` and ``true`` for an integer.
    """
    try:
        return TypeAdapter(kind).validate_json(text)
    except ValidationError as error:
        msg = f"{source}: {_explain(kind, error)}"
        raise MerecError(msg) from None


def _explain(kind: type, error: ValidationError) -> str:
    """Say in one line what the first error is, and how many more there are."""
    first, *others = error.errors()
    location = [str(part) for part in first["loc"]]
    key = ".".join(location) or "settings"
    if first["type"] == "unexpected_keyword_argument":
        known = _known_keys(kind, location[:-1])
        nearest = difflib.get_close_matches(location[-1], known, n=1, cutoff=0.0)
        said = f"unknown key '{key}'; did you mean '{'.'.join([*location[:-1], *nearest])}'?"
    elif first["type"] == "value_error":
        said = str(first["ctx"]["error"])
        said = f"in '{key}': {said}" if location else said
    else:
        said = f"'{key}' is {first['input']!r}, {_lower(first['msg'])}"
    return said + (f" (and {len(others)} more)" if others else "")


def _known_keys(kind: type, path: Sequence[str]) -> list[str]:
    """Return the keys of the section that ``path`` leads to."""
    for part in path:
        kinds = {known.name: known.type for known in fields(kind)}
        found = kinds.get(part)
        kind = found if isinstance(found, type) else next(iter(get_args(found)), object)
        if not is_dataclass(kind):
            return []
    return [known.name for known in fields(kind)]


def _lower(sentence: str) -> str:
    """Return a sentence of pydantic's as a part of ours."""
    return sentence[:1].lower() + sentence[1:]

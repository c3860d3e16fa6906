"""The whole of ``config.yaml``."""

import json
from collections.abc import Mapping
from dataclasses import field, fields, replace
from typing import Any

from pydantic import TypeAdapter
from pydantic.dataclasses import dataclass

from merec_hpc.config.base import (
    STRICT,
    Name,
    Probability,
    UserPath,
    check_known,
    from_json,
)
from merec_hpc.config.datasets import DATASET_SETTINGS, SimulatedSettings
from merec_hpc.config.evaluation import EvaluationSettings, PermutationSettings
from merec_hpc.config.faces import ClipSettings, FaceSettings, InterpolationSettings
from merec_hpc.config.features import FeatureSettings, LbpSettings, LbpTopSettings, check_input
from merec_hpc.config.motion import ApexSettings, FlowSettings
from merec_hpc.config.scaling import CalibrationSettings, ScalingKind
from merec_hpc.config.selection import (
    AllFeaturesSettings,
    AntColonySettings,
    ForwardSettings,
    GeneticSettings,
    InnerSettings,
    RandomMasksSettings,
    RankingSettings,
    RuleSettings,
    SelectorSettings,
    SvmSettings,
)
from merec_hpc.config.sweep import SweepSettings
from merec_hpc.errors import MerecError

DATASET_SECTION = "dataset_settings"


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Config:
    """The whole of ``config.yaml``."""

    experiment: Name = "demo"
    dataset: str = "simulated"
    dataset_root: UserPath | None = None
    corrections: UserPath | None = None
    max_failed_fraction: Probability = 0.1
    dataset_settings: Any = field(default_factory=SimulatedSettings)
    """Of the dataset in use; in a file the section bears the dataset's name."""
    weights: dict[str, UserPath | None] = field(default_factory=dict)
    faces: FaceSettings = field(default_factory=FaceSettings)
    apex: ApexSettings = field(default_factory=ApexSettings)
    interpolation: InterpolationSettings = field(default_factory=InterpolationSettings)
    clips: ClipSettings = field(default_factory=ClipSettings)
    features: FeatureSettings = field(default_factory=FeatureSettings)
    flow: FlowSettings = field(default_factory=FlowSettings)
    lbp: LbpSettings = field(default_factory=LbpSettings)
    lbp_top: LbpTopSettings = field(default_factory=LbpTopSettings)
    scaling: ScalingKind = "standard"
    calibration: CalibrationSettings = field(default_factory=CalibrationSettings)
    svm: SvmSettings = field(default_factory=SvmSettings)
    inner: InnerSettings = field(default_factory=InnerSettings)
    """What each selector's section takes that does not say otherwise: see ``parse_config``."""
    all_features: AllFeaturesSettings = field(default_factory=AllFeaturesSettings)
    random_masks: RandomMasksSettings = field(default_factory=RandomMasksSettings)
    ranking: RankingSettings = field(default_factory=RankingSettings)
    forward: ForwardSettings = field(default_factory=ForwardSettings)
    ant_colony: AntColonySettings = field(default_factory=AntColonySettings)
    rule: RuleSettings = field(default_factory=RuleSettings)
    genetic: GeneticSettings = field(default_factory=GeneticSettings)
    sweep: SweepSettings = field(default_factory=SweepSettings)
    evaluation: EvaluationSettings = field(default_factory=EvaluationSettings)
    permutation: PermutationSettings = field(default_factory=PermutationSettings)

    def __post_init__(self) -> None:
        """Check what involves more than one field."""
        check_known("dataset", self.dataset, DATASET_SETTINGS)
        if self.dataset != "simulated" and self.dataset_root is None:
            msg = f"dataset_root is not given, dataset '{self.dataset}' needs its folder"
            raise ValueError(msg)
        sweeps = any(vars(self.sweep).values())
        if sweeps and self.features.blocks:
            msg = "sweep has values and features.blocks too, a sweep is of one network's features"
            raise ValueError(msg)
        of_networks = self.sweep.layers or self.sweep.statistics
        if of_networks and self.features.extractor != "network" and not self.sweep.networks:
            msg = (
                f"sweep.networks is empty and features.extractor {self.features.extractor}, "
                "a sweep of layers or statistics needs networks"
            )
            raise ValueError(msg)
        for statistics in self.sweep.statistics:
            check_input(self.features.input, statistics)


SELECTOR_SECTIONS = tuple(
    known.name
    for known in fields(Config)
    if isinstance(known.type, type) and issubclass(known.type, SelectorSettings)
)
"""The sections that take from ``svm`` and ``inner`` what they do not say themselves."""


def parse_config(values: Mapping[str, Any], source: str = "config") -> Config:
    """Validate the values read from ``config.yaml``.

    Raises
    ------
    MerecError
        If a key is unknown, ill-typed or out of range; the message names the key and,
        for an unknown one, the nearest known key. A key of an earlier version is refused with
        the new one's name, and the section of a dataset that is not in use.
    """
    given = dict(values)
    _refuse_former(given, source)
    sections = {name: given.pop(name) for name in DATASET_SETTINGS if name in given}
    dataset = str(given.get("dataset", "simulated"))
    unused = [name for name in sections if name != dataset]
    if unused and dataset in DATASET_SETTINGS:
        msg = f"{source}: section '{unused[0]}' does nothing under dataset '{dataset}'"
        raise MerecError(msg)
    if DATASET_SECTION in given:
        msg = f"{source}: unknown key '{DATASET_SECTION}': the section is named after the dataset"
        raise MerecError(msg)
    text = _as_json(_with_shared(given, source), source)
    config = from_json(Config, text, source, others=DATASET_SETTINGS)
    section = _as_json(sections.get(dataset, {}), source)
    settings: Any = from_json(
        DATASET_SETTINGS[config.dataset], section, source, within=config.dataset
    )
    return replace(config, dataset_settings=settings)


def config_json(config: Config) -> str:
    """Return a configuration as JSON that ``parse_config`` reads, defaults included."""
    values = TypeAdapter(Config).dump_python(config, mode="json")
    section = values.pop(DATASET_SECTION)
    return json.dumps({**values, config.dataset: section})


def parse_config_json(text: str, source: str = "--settings") -> Config:
    """Read what ``config_json`` wrote.

    Raises
    ------
    MerecError
        If it is no JSON object, or as ``parse_config``.
    """
    try:
        values = json.loads(text)
    except json.JSONDecodeError as error:
        msg = f"{source}: a configuration as JSON expected, found: {error}"
        raise MerecError(msg) from None
    if not isinstance(values, dict):
        msg = f"{source}: a configuration as JSON expected, found {type(values).__name__}"
        raise MerecError(msg)
    return parse_config(values, source)


def _as_json(values: object, source: str) -> str:
    """Return values as JSON; a date, which YAML makes of a text, as that text."""
    try:
        return json.dumps(values, default=str)
    except (ValueError, TypeError, RecursionError) as error:  # an alias inside its own anchor
        msg = f"{source}: plain values expected, found: {error}"
        raise MerecError(msg) from None


def _with_shared(given: Mapping[str, Any], source: str) -> dict[str, Any]:
    """Let each selector's section take from ``svm`` and ``inner`` what it does not say itself."""
    shared: dict[str, Any] = {}
    for within, kind in (("svm", SvmSettings), ("inner", InnerSettings)):
        section = given.get(within)
        if isinstance(section, dict):
            from_json(kind, _as_json(section, source), source, within=within)
            shared |= section
    sections = {name: given.get(name, {}) for name in SELECTOR_SECTIONS}
    filled = {
        name: {**shared, **section}
        for name, section in sections.items()
        if isinstance(section, dict)
    }
    return {**given, **filled}


def _refuse_former(given: Mapping[str, Any], source: str) -> None:
    """Refuse what an earlier version took, with the name that it has now."""
    features = given.get("features")
    if isinstance(features, dict) and features.get("network") == "lbp_top":
        msg = f"{source}: 'features.network' is 'lbp_top': write 'features.extractor: lbp_top' now"
        raise MerecError(msg)

"""The whole of ``config.yaml``."""

import json
from collections.abc import Mapping
from dataclasses import field
from pathlib import Path
from typing import Any

from pydantic.dataclasses import dataclass

from merec_hpc.config.base import STRICT, Name, Probability, ScalingName, from_json
from merec_hpc.config.datasets import (
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
    RafdbSettings,
    SammSettings,
    SfewSettings,
    SimulatedSettings,
    SmicSettings,
)
from merec_hpc.config.evaluation import EvaluationSettings, PermutationSettings
from merec_hpc.config.faces import FaceSettings, InterpolationSettings
from merec_hpc.config.features import FeatureSettings, LbpTopSettings, WeightSettings
from merec_hpc.config.selection import (
    AllFeaturesSettings,
    AntColonySettings,
    ForwardSettings,
    GeneticSettings,
    RandomMasksSettings,
    RankingSettings,
)
from merec_hpc.config.sweep import SweepSettings


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
    scaling: ScalingName = "standard"
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


def parse_config(values: Mapping[str, Any], source: str = "config") -> Config:
    """Validate the values read from ``config.yaml``.

    Raises
    ------
    MerecError
        If a key is unknown, ill-typed or out of range; the message names the key and,
        for an unknown one, the nearest known key.
    """
    return from_json(Config, json.dumps(values, default=str), source)

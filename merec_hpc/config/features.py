"""Weights, and what of a clip becomes features."""

from pathlib import Path
from typing import Literal

from pydantic import Field
from pydantic.dataclasses import dataclass

from merec_hpc.config.base import STRICT, Count, check_distinct

NetworkName = Literal["mobilenet_v2"]
FeatureName = Literal["mobilenet_v2", "lbp_top"]
Statistic = Literal["mean", "variance", "std", "spatial_mean", "spatial_variance", "spatial_std"]


@dataclass(frozen=True, kw_only=True, config=STRICT)
class WeightSettings:
    """Local files to use in place of the packages that carry the weights."""

    mobilenet_v2: Path | None = None
    face_mesh: Path | None = None
    dlib: Path | None = None
    canonical_face: Path | None = None


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

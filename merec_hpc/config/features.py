"""What of a clip becomes features."""

from typing import Literal

from pydantic import Field
from pydantic.dataclasses import dataclass

from merec_hpc.config.base import STRICT, Count, Name, check_distinct

Statistic = Literal["mean", "variance", "std", "spatial_mean", "spatial_variance", "spatial_std"]


@dataclass(frozen=True, kw_only=True, config=STRICT)
class FeatureSettings:
    """What extracts features, and of a network's layer what."""

    extractor: Name = "network"
    network: Name = "mobilenet_v2"
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

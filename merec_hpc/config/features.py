"""What of a clip becomes features."""

from collections.abc import Iterable
from typing import Annotated, Any, Literal

from pydantic import Field
from pydantic.dataclasses import dataclass

from merec_hpc.config.base import STRICT, Count, Name, check_distinct

Statistic = Literal[
    "mean",
    "variance",
    "std",
    "spatial_mean",
    "spatial_variance",
    "spatial_std",
    "spatiotemporal_mean",
    "spatiotemporal_variance",
    "spatiotemporal_std",
    "apex_difference",
    "mean_difference",
    "max_difference",
]

Input = Literal["frames", "mean_removed", "subject_mean_removed", "differences"]

OVER_TIME = frozenset({"mean_removed", "differences"})
"""Inputs that only what changes within a clip has."""

Precision = Literal["float32", "bfloat16"]
"""Not float16: it ends at 65,504, which is less than the squares that VGG-F's normalisation sums."""

LEAST_WEIGHT, MOST_WEIGHT = 1e-6, 1e6
"""Of a block of features: beyond, double precision sees nothing of the other blocks."""
DIFFERENCES = frozenset({"apex_difference", "mean_difference", "max_difference"})
"""Statistics relative to the onset frame."""


@dataclass(frozen=True, kw_only=True, config=STRICT)
class FeatureBlock:
    """One of several extractions whose features stand side by side."""

    extractor: Name
    name: Name | None = None
    """Without one that of the network, or of the extractor."""
    weight: float | None = Field(default=None, ge=LEAST_WEIGHT, le=MOST_WEIGHT)
    """Of each of its scaled features; without one 1 / sqrt(their number)."""
    settings: dict[str, Any] = Field(default_factory=dict)
    """Keys of the extractor's own section that differ from it."""


@dataclass(frozen=True, kw_only=True, config=STRICT)
class FeatureSettings:
    """What extracts features, and of a network's layer what."""

    extractor: Name = "flow"
    blocks: tuple[FeatureBlock, ...] = ()
    network: Name = "mobilenet_v2"
    layer: str | Annotated[tuple[str, ...], Field(min_length=1)] = "features.18"
    """Or several, whose features stand one after another."""
    input_px: int | None = Field(default=None, ge=32)
    input: Input = "frames"
    pooling: Literal["mean", "none"] = "mean"
    statistics: tuple[Statistic, ...] = Field(default=("mean", "std"), min_length=1)
    normalised: bool = False
    """Whether each statistic of a clip is divided by its length."""
    batch_size: Count = 16
    """Frames that pass the network together, whatever clips they are of."""
    precision: Precision = "float32"
    """Of the network's layers; what enters and leaves it is float32."""

    def __post_init__(self) -> None:
        """Check what involves more than one value."""
        check_distinct("layer", self.layers)
        check_distinct("statistics", self.statistics)
        check_input(self.input, self.statistics)

    @property
    def layers(self) -> tuple[str, ...]:
        """The layers, of which there may be only one."""
        return (self.layer,) if isinstance(self.layer, str) else self.layer


def check_input(kind: Input, statistics: Iterable[str]) -> None:
    """Raise a ``ValueError`` if statistics relative to the onset are asked of what is no frame."""
    relative = [name for name in statistics if name in DIFFERENCES]
    if kind != "frames" and relative:
        msg = f"statistics hold {relative[0]}, which needs input frames, found {kind}"
        raise ValueError(msg)


@dataclass(frozen=True, kw_only=True, config=STRICT)
class LbpSettings:
    """Local binary patterns of each frame."""

    radius: Count = 1
    n_points: int = Field(default=8, ge=3, le=16)
    uniform: bool = True
    n_blocks: Count = 5
    statistics: tuple[Statistic, ...] = Field(default=("apex_difference",), min_length=1)

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

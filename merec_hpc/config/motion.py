"""How the apex of a clip is found, and how flow from the onset to it becomes features."""

from typing import Literal

from pydantic import Field
from pydantic.dataclasses import dataclass

from merec_hpc.config.base import STRICT, Count, check_distinct

ApexMethod = Literal["difference", "flow", "dc_rois"]
FlowMethod = Literal["dis", "farneback", "tvl1"]
FlowOutput = Literal["u", "v", "magnitude", "strain", "hoof", "mdmo"]


@dataclass(frozen=True, kw_only=True, config=STRICT)
class ApexSettings:
    """How the apex is found where neither a sheet nor the dataset gives it."""

    method: ApexMethod = "difference"


@dataclass(frozen=True, kw_only=True, config=STRICT)
class FlowSettings:
    """Optical flow from the onset to the apex, and what of it becomes features.

    ``preset`` is of ``dis``: OpenCV's own, or ``fine``, which goes down to single pixels.
    ``window`` is of ``farneback``.
    """

    method: FlowMethod = "dis"
    preset: Literal["ultrafast", "fast", "medium", "fine"] = "fine"
    window: int = Field(default=15, ge=5)
    outputs: tuple[FlowOutput, ...] = Field(default=("u", "v", "strain"), min_length=1)
    grid: Count = 28
    n_blocks: Count = 5
    n_bins: int = Field(default=8, ge=2)
    hoof_weights: Literal["none", "bi_woof"] = "none"

    def __post_init__(self) -> None:
        """Check what involves more than one value."""
        check_distinct("outputs", self.outputs)

"""How faces are found, registered and interpolated."""

from typing import Literal

from pydantic import Field
from pydantic.dataclasses import dataclass

from merec_hpc.config.base import STRICT, Count, UserPath


@dataclass(frozen=True, kw_only=True, config=STRICT)
class FaceSettings:
    """Detection, landmarks and registration."""

    landmarks: Literal["face_mesh", "active_shape", "dlib", "table"] = "face_mesh"
    shape_model: UserPath | None = None
    landmark_tables: UserPath | None = None
    size_px: int = Field(default=224, ge=32)
    crop: Literal["eyes", "shape"] = "eyes"
    interocular_fraction: float = Field(default=0.36, gt=0.05, lt=0.8)
    eye_row_fraction: float = Field(default=0.36, gt=0.05, lt=0.95)
    shape_fraction: float = Field(default=0.8, gt=0.05, lt=2.0)
    registration: Literal["first_frame", "each_frame", "none"] = "first_frame"
    warp: Literal["similarity", "local_weighted_mean", "piecewise_affine"] = "similarity"
    reference: UserPath | None = None
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
class ClipSettings:
    """Whether interpolated clips are kept as files, for those who want to look at them."""

    keep: bool = False
    format: Literal["uint8", "float16"] = "uint8"

"""How a dataset is read, one dataclass each."""

from typing import Literal

from pydantic import Field
from pydantic.dataclasses import dataclass

from merec_hpc.config.base import STRICT, Positive, check_distinct

Preset = Literal["vis", "hs", "casme2"]
Camera = Literal["HS", "VIS", "NIR"]
Release = Literal["raw", "cropped"]
Pose = Literal["left", "right", "straight", "up"]
Eyes = Literal["open", "sunglasses"]
Kind = Literal["micro-expression", "macro-expression"]


@dataclass(frozen=True, kw_only=True, config=STRICT)
class SimulatedSettings:
    """The embedded dataset: a real photograph with simulated identities and expressions."""

    preset: Preset = "vis"
    peak_displacement_px: tuple[Positive, Positive] = (2.0, 3.0)
    n_subjects: int | None = Field(default=None, ge=2)
    n_clips: int | None = Field(default=None, ge=3)
    seed: int = Field(default=0, ge=0)

    def __post_init__(self) -> None:
        """Check what involves more than one field."""
        low, high = self.peak_displacement_px
        if low > high:
            msg = f"peak_displacement_px is [{low}, {high}], must be [smallest, largest]"
            raise ValueError(msg)


@dataclass(frozen=True, kw_only=True, config=STRICT)
class SmicSettings:
    """SMIC: the clips, raw or cropped, or the extended release of long videos."""

    camera: Camera = "VIS"
    release: Literal["raw", "cropped", "extended"] = "raw"
    sheet: str | None = None
    scheme: str | None = None


@dataclass(frozen=True, kw_only=True, config=STRICT)
class CasmeSettings:
    """CASME."""

    release: Release = "raw"
    sheet: str | None = None
    scheme: str = "casme-4"


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Casme2Settings:
    """CASME II."""

    release: Release = "raw"
    sheet: str | None = None
    scheme: str = "casme2-5"


@dataclass(frozen=True, kw_only=True, config=STRICT)
class SammSettings:
    """SAMM."""

    release: Release = "raw"
    sheet: str | None = None
    scheme: str = "samm-5"


@dataclass(frozen=True, kw_only=True, config=STRICT)
class CasmeSqSettings:
    """CAS(ME)^2."""

    release: Literal["raw", "cropped", "selected"] = "raw"
    sheet: str | None = None
    kinds: tuple[Kind, ...] = Field(default=("micro-expression",), min_length=1)
    scheme: str = "casme-sq-4"

    def __post_init__(self) -> None:
        """Check what involves more than one value."""
        check_distinct("kinds", self.kinds)


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Casme3Settings:
    """CAS(ME)^3, part A or C."""

    part: Literal["A", "C"] = "A"
    sheet: str | None = None
    scheme: str | None = None


@dataclass(frozen=True, kw_only=True, config=STRICT)
class MmewSettings:
    """MMEW."""

    sheet: str | None = None
    scheme: str = "mmew-7"


@dataclass(frozen=True, kw_only=True, config=STRICT)
class CkplusSettings:
    """CK+."""

    scheme: str = "ckplus-7"


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Fer2013Settings:
    """FER-2013."""

    scheme: str = "fer2013-7"


@dataclass(frozen=True, kw_only=True, config=STRICT)
class RafdbSettings:
    """RAF-DB, basic emotions."""

    image: Literal["aligned", "original"] = "aligned"
    scheme: str = "rafdb-7"


@dataclass(frozen=True, kw_only=True, config=STRICT)
class JaffeSettings:
    """JAFFE."""

    scheme: str = "jaffe-7"


@dataclass(frozen=True, kw_only=True, config=STRICT)
class SfewSettings:
    """SFEW 2.0, aligned faces."""

    scheme: str = "sfew-7"


@dataclass(frozen=True, kw_only=True, config=STRICT)
class CmuFacesSettings:
    """CMU Face Images: a clip is the pair neutral, expression."""

    poses: tuple[Pose, ...] = Field(default=("straight",), min_length=1)
    eyes: tuple[Eyes, ...] = Field(default=("open",), min_length=1)

    def __post_init__(self) -> None:
        """Check what involves more than one value."""
        check_distinct("poses", self.poses)
        check_distinct("eyes", self.eyes)


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Megc2019Settings:
    """SMIC (HS), CASME II and SAMM in three folders below the root, as MEGC2019 joined them."""

    smic: str = "smic"
    casme2: str = "casme2"
    samm: str = "samm"
    casme2_sheet: str | None = None
    samm_sheet: str | None = None
    release: Release = "raw"
    scheme: str = "megc2019-3"


@dataclass(frozen=True, kw_only=True, config=STRICT)
class ManifestSettings:
    """Any labelled frame folders or videos, listed in one CSV."""

    file: str = "manifest.csv"
    labels: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Check what involves more than one value."""
        check_distinct("labels", self.labels)


DATASET_SETTINGS: dict[str, type] = {
    "simulated": SimulatedSettings,
    "smic": SmicSettings,
    "casme": CasmeSettings,
    "casme2": Casme2Settings,
    "samm": SammSettings,
    "casme_sq": CasmeSqSettings,
    "casme3": Casme3Settings,
    "mmew": MmewSettings,
    "ckplus": CkplusSettings,
    "fer2013": Fer2013Settings,
    "rafdb": RafdbSettings,
    "jaffe": JaffeSettings,
    "sfew": SfewSettings,
    "cmu_faces": CmuFacesSettings,
    "megc2019": Megc2019Settings,
    "manifest": ManifestSettings,
}
"""The section of each dataset; ``dataset.readers`` has its reader."""

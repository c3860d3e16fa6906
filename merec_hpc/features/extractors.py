"""Every extractor of features by its name: a network's layer, optical flow, LBP, LBP-TOP."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from merec_hpc.clips.face_clip import FaceClip
from merec_hpc.config.base import nearest
from merec_hpc.config.features import FeatureSettings, LbpSettings, LbpTopSettings
from merec_hpc.config.motion import FlowSettings
from merec_hpc.errors import MerecError

Row = NDArray[np.float32]  # (n_features,)
Names = NDArray[np.str_]  # (n_features,)


class Extractor(Protocol):
    """Turns clips into rows of features."""

    def extract(self, clips: Iterable[FaceClip], n_threads: int) -> Iterator[tuple[Row, Names]]:
        """Yield the features of each clip, and their names, in the order of the clips.

        Parameters
        ----------
        clips
            To be read one after the other: the frames of a clip may not be there any more when
            the next one has been asked for.
        n_threads
            Clips to work on at the same time; it changes no bit of the result.
        """
        ...


class ExtractorModule(Protocol):
    """What the module of an extractor has."""

    def open_extractor(self, settings: Any, weights: Path | None) -> Extractor:
        """Return the extractor of these settings, ready to work."""
        ...

    def count_features(self, settings: Any) -> int:
        """Return how many features of a clip there will be; without weights."""
        ...


@dataclass(frozen=True)
class ExtractorKind:
    """One way from clips to features."""

    section: str
    """Of the configuration."""
    settings: type
    """The type of that section."""
    module: str
    """Imported when it is used; an ``ExtractorModule``."""
    has_weights: bool = False
    """Whether it needs the weights of ``settings.network``."""
    of_motion: bool = False
    """Whether a clip of a single frame has none of its features."""
    memory_mb: int = 2000
    minutes: int = 30
    """What a job asks at first."""
    seconds_per_frame: float = 0.001
    """On one core, for plans; as measured on the simulated dataset."""

    def load(self) -> ExtractorModule:
        """Return the module."""
        found: Any = import_module(self.module)
        return found  # type: ignore[no-any-return]  # a module is what it has


NETWORK = "network"

EXTRACTORS: dict[str, ExtractorKind] = {
    NETWORK: ExtractorKind(
        "features",
        FeatureSettings,
        "merec_hpc.features.extraction",
        has_weights=True,
        memory_mb=4000,
        minutes=60,
        seconds_per_frame=0.03,
    ),
    "flow": ExtractorKind(
        "flow", FlowSettings, "merec_hpc.features.flow", of_motion=True, seconds_per_frame=0.0005
    ),
    "lbp": ExtractorKind("lbp", LbpSettings, "merec_hpc.features.lbp", seconds_per_frame=0.0005),
    "lbp_top": ExtractorKind(
        "lbp_top", LbpTopSettings, "merec_hpc.features.lbp_top", seconds_per_frame=0.0003
    ),
}


def find_extractor(name: str, source: str = "--extractor") -> ExtractorKind:
    """Return an extractor by its name.

    Raises
    ------
    MerecError
        If there is none of that name; ``source`` says where it was named.
    """
    if name not in EXTRACTORS:
        listed = ", ".join(EXTRACTORS)
        msg = f"{source}: an extractor of {listed} expected, found '{name}'"
        raise MerecError(msg + nearest(name, EXTRACTORS))
    return EXTRACTORS[name]

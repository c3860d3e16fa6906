"""Lists the clips of the embedded dataset, which lies in SMIC's or CASME II's layout."""

from pathlib import Path

from merec_hpc.config.datasets import SimulatedSettings
from merec_hpc.dataset.listing import Listing, Reader
from merec_hpc.dataset.readers import casme2, smic
from merec_hpc.dataset.simulated import PRESETS


def _read(root: Path, settings: SimulatedSettings) -> Listing:
    if settings.preset == "casme2":
        return casme2.list_clips(root, "raw", None)
    return smic.list_clips(root, PRESETS[settings.preset].camera)


def _scheme(settings: SimulatedSettings) -> str:
    return "casme2-5" if settings.preset == "casme2" else "smic-3"


READER = Reader(_read, _scheme)

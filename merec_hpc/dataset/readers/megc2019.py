"""Joins SMIC (HS), CASME II and SAMM as the MEGC2019 composite: 442 clips of 68 subjects.

See et al.: MEGC 2019, FG 2019, doi:10.1109/FG.2019.8756611.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from merec_hpc.config.datasets import Megc2019Settings
from merec_hpc.dataset.clip import Clip
from merec_hpc.dataset.listing import (
    WHOLE,
    Fault,
    Listing,
    Reader,
    chosen_scheme,
    with_marks_checked,
)
from merec_hpc.dataset.readers import casme2, samm, smic

# Candidates of CASME II's sheets that are not part of the composite.
NOT_OF_THE_COMPOSITE = {
    "sub04_EP12_01f": "its apex is '/'",
    "sub05_EP09_05f": "its apex is its onset",
    "sub24_EP02_07": "only the newer sheets have it",
}
_OMITTED_EMOTIONS = {
    "casme2": {"others", "sadness", "fear"},
    "samm": {"Other"},
    "smic": set[str](),
}


def list_clips(
    root: Path, folders: Mapping[str, str], release: str, sheets: Mapping[str, str | None]
) -> Listing:
    """List the clips of the three datasets, named ``smic_...``, ``casme2_...``, ``samm_...``.

    Parameters
    ----------
    folders
        Of "smic", "casme2" and "samm", below the root.
    release
        "raw" or "cropped".
    sheets
        Of "casme2" and "samm", where several lie there.

    Raises
    ------
    MerecError
        As the readers of the three datasets.
    """
    listings = {
        "smic": smic.list_clips(root / folders["smic"], "HS", release),
        "casme2": casme2.list_clips(root / folders["casme2"], release, sheets["casme2"]),
        "samm": samm.list_clips(root / folders["samm"], release, sheets["samm"]),
    }
    clips, faults = [], []
    for name, listing in listings.items():
        checked = with_marks_checked(listing) if name in sheets else listing
        for clip in listing.clips:
            own = _renamed(clip, name, folders[name])
            if name == "casme2" and clip.clip in NOT_OF_THE_COMPOSITE:
                said = f"not of the composite: {NOT_OF_THE_COMPOSITE[clip.clip]}"
                faults.append(Fault(own.clip, own.subject, "noted", said))
            elif clip.label in _OMITTED_EMOTIONS[name]:
                clips.append(replace(own, label=f"{clip.label} of {name}"))  # in no scheme: counted
            else:
                clips.append(own)
        faults += [_fault_renamed(fault, name) for fault in checked.faults]
    return Listing(clips, ", ".join(listing.source for listing in listings.values()), faults)


def _renamed(clip: Clip, dataset: str, folder: str) -> Clip:
    return replace(
        clip,
        clip=f"{dataset}_{clip.clip}",
        subject=f"{dataset}_{clip.subject}",
        source=clip.source.below(folder),
    )


def _fault_renamed(fault: Fault, dataset: str) -> Fault:
    """Return a fault of the clip as the composite names it; one of a whole dataset unchanged."""
    if fault.clip == WHOLE:
        return fault
    return replace(fault, clip=f"{dataset}_{fault.clip}", subject=f"{dataset}_{fault.subject}")


def _read(root: Path, settings: Megc2019Settings) -> Listing:
    folders = {"smic": settings.smic, "casme2": settings.casme2, "samm": settings.samm}
    sheets = {"casme2": settings.casme2_sheet, "samm": settings.samm_sheet}
    return list_clips(root, folders, settings.release, sheets)


READER = Reader(_read, chosen_scheme)

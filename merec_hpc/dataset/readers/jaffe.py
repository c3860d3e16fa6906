"""Lists the images of JAFFE: ``KA.AN1.39.tiff`` is subject, emotion and serial number.

Lyons et al.: Coding facial expressions with Gabor wavelets, FG 1998,
doi:10.1109/AFGR.1998.670949.
"""

import re
from pathlib import Path

from merec_hpc.dataset.clip import Clip
from merec_hpc.dataset.listing import WHOLE, Fault, Listing, Reader, chosen_scheme, names_in
from merec_hpc.dataset.sources import Images
from merec_hpc.errors import MerecError

EMOTIONS = {
    "AN": "angry",
    "DI": "disgust",
    "FE": "fear",
    "HA": "happy",
    "NE": "neutral",
    "SA": "sad",
    "SU": "surprise",
}
_NAME = re.compile(r"^([A-Z]{2})\.([A-Z]{2})\d*\.(\d+)\.tiff?$", re.IGNORECASE)


def list_clips(root: Path) -> Listing:
    """List the images, in the root or in a folder ``jaffe``, by subject and serial number.

    TIFF images with other names are noted.

    Raises
    ------
    MerecError
        If there is no image with such a name.
    """
    folder = root / "jaffe" if (root / "jaffe").is_dir() else root
    clips, faults = [], []
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() not in {".tif", ".tiff"} or path.name.startswith("."):
            continue
        matched = _NAME.match(path.name)
        if matched is None or matched[2].upper() not in EMOTIONS:
            said = (
                f"{path.relative_to(root).as_posix()}: a name like KA.AN1.39.tiff with one of "
                f"{', '.join(EMOTIONS)} expected, left unread"
            )
            faults.append(Fault(WHOLE, WHOLE, "noted", said))
            continue
        clips.append(
            Clip(
                clip=path.name.rsplit(".", 1)[0],
                subject=matched[1].upper(),
                label=EMOTIONS[matched[2].upper()],
                source=Images((path.relative_to(root).as_posix(),)),
            )
        )
    if not clips:
        msg = f"{folder}: images like KA.AN1.39.tiff expected, found {names_in(folder)}"
        raise MerecError(msg)
    return Listing(clips, str(folder), faults)


READER = Reader(lambda root, _: list_clips(root), chosen_scheme)

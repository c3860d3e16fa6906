"""Lists the clips of SMIC as released: ``{HS,VIS,NIR}/s1/micro/negative/s1_ne_01/*.bmp``.

Li et al.: A spontaneous micro-expression database, FG 2013, doi:10.1109/FG.2013.6553717.
"""

import re
from pathlib import Path

from merec_hpc.arrays import Clip
from merec_hpc.dataset.listing import names_in
from merec_hpc.errors import MerecError

FRAME_RATES_HZ = {"HS": 100.0, "VIS": 25.0, "NIR": 25.0}
EMOTIONS = ("negative", "positive", "surprise")
_CLIP_NAME = re.compile(r"^s(\d+)_(ne|po|sur)_(\d+)$")


def list_clips(root: Path, camera: str, release: str = "raw") -> list[Clip]:
    """List the micro-expression clips of one camera, by subject, class and number.

    The folder is the label and its frames are the clip, onset to offset; SMIC has no
    apex. Subjects and clips are named with two digits (``s03_ne_01``), as MEGC does;
    the release writes ``s3_ne_01``.

    Raises
    ------
    MerecError
        If there is no folder of this camera, or no clip in it.
    """
    folder = _camera_folder(root, camera, release)
    found = [
        _clip(root, path, matched, camera)
        for label in EMOTIONS
        for path in folder.glob(f"s*/micro/{label}/*")
        if path.is_dir() and (matched := _CLIP_NAME.match(path.name))
    ]
    if not found:
        msg = f"{folder}: clips like s1/micro/negative/s1_ne_01 expected, found none"
        raise MerecError(msg)
    return sorted(
        found,
        key=lambda clip: (clip.subject, EMOTIONS.index(clip.label), clip.clip),
    )


def _camera_folder(root: Path, camera: str, release: str) -> Path:
    """Return the folder of one camera, from the release's root or from one below it."""
    candidates = [*sorted(root.glob(f"SMIC*{release}/{camera}")), root / camera]
    if root.name == camera:
        candidates.append(root)
    for folder in candidates:
        if folder.is_dir():
            return folder
    msg = f"{root}: a folder '{camera}' of SMIC's clips release expected, found {names_in(root)}"
    raise MerecError(msg)


def _clip(root: Path, path: Path, matched: re.Match[str], camera: str) -> Clip:
    """Return the clip in one folder."""
    subject, kind, number = matched.groups()
    return Clip(
        clip=plain_name(subject, kind, number),
        subject=f"s{int(subject):02d}",
        label=path.parent.name,
        path=path.relative_to(root).as_posix(),
        frame_rate_hz=FRAME_RATES_HZ[camera],
    )


def plain_name(subject: str, kind: str, number: str) -> str:
    """Return a clip's name with two digits, as MEGC writes it."""
    return f"s{int(subject):02d}_{kind}_{int(number):02d}"

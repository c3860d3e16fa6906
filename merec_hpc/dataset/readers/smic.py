"""Lists the clips of SMIC as released: ``{HS,VIS,NIR}/s1/micro/negative/s1_ne_01/*.bmp``.

Li et al.: A spontaneous micro-expression database, FG 2013, doi:10.1109/FG.2013.6553717.
"""

import re
from pathlib import Path

from merec_hpc.config.datasets import SmicSettings
from merec_hpc.dataset.clip import Clip
from merec_hpc.dataset.listing import WHOLE, Fault, Listing, Reader, names_in
from merec_hpc.dataset.readers import smic_extended
from merec_hpc.dataset.readers.smic_names import EMOTIONS, FRAME_RATES_HZ, plain_name
from merec_hpc.dataset.sources import Folder
from merec_hpc.errors import MerecError

_CLIP_NAME = re.compile(r"^s(\d+)_(ne|po|sur)_(\d+)$")


def list_clips(root: Path, camera: str, release: str = "raw") -> Listing:
    """List the micro-expression clips of one camera, by subject, class and number.

    The folder is the label and its frames are the clip, onset to offset; SMIC has no
    apex. Subjects and clips are named with two digits (``s03_ne_01``), as MEGC does;
    the release writes ``s3_ne_01``. Folders that are no clips are noted, and clips that lie
    in the folder of another subject or class than their names say.

    Raises
    ------
    MerecError
        If there is no folder of this camera, or no clip in it.
    """
    folder = _camera_folder(root, camera, release)
    clips, faults = [], []
    for place in _folders_in(folder, "s*/micro/*"):
        if place.name not in EMOTIONS.values():
            faults.append(_unread(root, place, f"named {', '.join(EMOTIONS.values())}"))
            continue
        for path in _folders_in(place, "*"):
            matched = _CLIP_NAME.match(path.name)
            if matched is None:
                faults.append(_unread(root, path, "like s1_ne_01"))
                continue
            clip = _clip(root, path, matched, camera)
            clips.append(clip)
            faults += _misplaced(clip, path, matched)
    if not clips:
        msg = (
            f"{folder}: clips like s1/micro/negative/s1_ne_01 expected, "
            f"found none in {names_in(folder)}"
        )
        raise MerecError(msg)
    order = list(EMOTIONS.values())
    clips.sort(key=lambda clip: (clip.subject, order.index(clip.label), clip.clip))
    return Listing(clips, str(folder), faults)


def _folders_in(folder: Path, pattern: str) -> list[Path]:
    return [path for path in sorted(folder.glob(pattern)) if path.is_dir()]


def _unread(root: Path, folder: Path, expected: str) -> Fault:
    path = folder.relative_to(root).as_posix()
    return Fault(WHOLE, WHOLE, "noted", f"{path}: a folder {expected} expected, left unread")


def _misplaced(clip: Clip, path: Path, matched: re.Match[str]) -> list[Fault]:
    """Note another subject or class in the clip's name than in the folders above it."""
    named = f"s{int(matched[1])}/{EMOTIONS[matched[2]]}"
    owner = path.parents[2].name
    lies = f"{re.sub('^s0+', 's', owner)}/{path.parent.name}"
    if named == lies:
        return []
    said = f"the name {path.name} says {named}, the folder {lies}"
    return [Fault(clip.clip, clip.subject, "noted", said)]


def _camera_folder(root: Path, camera: str, release: str) -> Path:
    """Return the folder of one camera, from the release's root or from one below it."""
    top = root.parent if root.name == camera else root
    other = "cropped" if release == "raw" else "raw"
    if top.match(f"SMIC*{other}"):
        msg = f"{root}: SMIC's {release} clips expected, found a folder of the {other} ones"
        raise MerecError(msg)
    candidates = [*sorted(root.glob(f"SMIC*{release}/{camera}")), root / camera]
    if top is not root:
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
        source=Folder(path.relative_to(root).as_posix()),
        frame_rate_hz=FRAME_RATES_HZ[camera],
    )


def _read(root: Path, settings: SmicSettings) -> Listing:
    if settings.release == "extended":
        return smic_extended.list_clips(root, settings.camera, settings.sheet)
    return list_clips(root, settings.camera, settings.release)


def _scheme(settings: SmicSettings) -> str:
    if settings.release == "extended":  # rows were merged and dropped: other counts than the clips'
        return settings.scheme or "smic-3"
    return settings.scheme or f"smic-{settings.camera.lower()}-3"


READER = Reader(_read, _scheme)

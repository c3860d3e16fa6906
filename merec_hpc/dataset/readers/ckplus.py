"""Lists the labelled sequences of CK+: ``cohn-kanade-images/S005/001/S005_001_00000011.png``.

Lucey et al.: The extended Cohn-Kanade dataset, CVPR workshops 2010,
doi:10.1109/CVPRW.2010.5543262.
"""

from pathlib import Path

from merec_hpc.dataset.clip import Clip
from merec_hpc.dataset.images import frame_number
from merec_hpc.dataset.listing import Listing, Reader, chosen_scheme, needed_folder
from merec_hpc.dataset.sources import Folder
from merec_hpc.errors import MerecError

FOLDERS = ("cohn-kanade-images", "extended-cohn-kanade-images/cohn-kanade-images")
EMOTION_FOLDERS = ("Emotion", "Emotion_labels/Emotion")
EMOTIONS = ("neutral", "anger", "contempt", "disgust", "fear", "happy", "sadness", "surprise")


def list_clips(root: Path) -> Listing:
    """List the sequences that have an emotion; the first frame is neutral, the last the peak.

    Most sequences have an empty folder in place of a label, and are not listed.

    Raises
    ------
    MerecError
        If a folder is missing, or a label is not one of 0 to 7.
    """
    images = needed_folder(root, FOLDERS, "CK+")
    emotions = needed_folder(root, EMOTION_FOLDERS, "CK+")
    clips = []
    for label in sorted(emotions.glob("S*/*/*_emotion.txt")):
        subject, number = label.parts[-3:-1]
        last = frame_number(label.with_name(label.stem.removesuffix("_emotion")))
        clips.append(
            Clip(
                clip=f"{subject}_{number}",
                subject=subject,
                label=_emotion(label),
                source=Folder((images / subject / number).relative_to(root).as_posix()),
                apex=last,
            )
        )
    return Listing(clips, str(emotions))


def _emotion(path: Path) -> str:
    """Return the emotion of a file with one number, such as ``   3.0000000e+00``."""
    text = path.read_text(errors="replace").strip()
    try:
        code = float(text)
    except ValueError:
        code = -1.0
    if code not in range(len(EMOTIONS)):
        msg = f"{path}: a number from 0 to {len(EMOTIONS) - 1} expected, found '{text[:40]}'"
        raise MerecError(msg)
    return EMOTIONS[int(code)]


READER = Reader(lambda root, _: list_clips(root), chosen_scheme)

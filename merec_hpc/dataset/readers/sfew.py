"""Lists the images of SFEW 2.0: ``Train/Train_Aligned_Faces/Angry/Airheads_000519240_00000005.png``.

The test images have no labels, and are not listed. Subjects are not known; the film is part
of the name, and the same film may show the same face.

Dhall et al.: Video and image based emotion recognition challenges, ICMI 2015,
doi:10.1145/2818346.2829994.
"""

from pathlib import Path

from merec_hpc.dataset.clip import Clip
from merec_hpc.dataset.listing import Listing, Reader, chosen_scheme, entry_named, needed_folder
from merec_hpc.dataset.sources import Images
from merec_hpc.errors import MerecError

EMOTIONS = ("Angry", "Disgust", "Fear", "Happy", "Neutral", "Sad", "Surprise")
SPLITS = {
    "train": ("Train/Train_Aligned_Faces", "Train_Aligned_Faces"),
    "validation": (
        "Val/Val_Aligned_Faces",
        "Val/Val_Aligned_Faces_new",
        "Val_Aligned_Faces",
        "Val_Aligned_Faces_new",
    ),
}


def list_clips(root: Path) -> Listing:
    """List the aligned images of both labelled splits; the film stands for the subject.

    Raises
    ------
    MerecError
        If a split is missing or holds no image.
    """
    clips = []
    for split, names in SPLITS.items():
        folder = needed_folder(root, names, "SFEW 2.0")
        for emotion in EMOTIONS:
            images = entry_named(folder, emotion)
            for path in sorted(images.glob("*.png")) if images is not None else ():
                clips.append(
                    Clip(
                        clip=f"{split}_{path.stem}",
                        subject=path.name.split("_", maxsplit=1)[0],
                        label=emotion.lower(),
                        source=Images((path.relative_to(root).as_posix(),)),
                        split=split,
                    )
                )
    if not clips:
        msg = f"{root}: images like Angry/Airheads_000519240_00000005.png expected, found none"
        raise MerecError(msg)
    return Listing(clips, str(root))


READER = Reader(lambda root, _: list_clips(root), chosen_scheme, has_splits=True)

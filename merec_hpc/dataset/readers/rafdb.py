"""Lists the images of RAF-DB, basic emotions: ``basic/Image/aligned/train_00001_aligned.jpg``.

Li, Deng, Du: Reliable crowdsourcing, CVPR 2017, doi:10.1109/CVPR.2017.277.
"""

import re
from pathlib import Path

from merec_hpc.config.datasets import RafdbSettings
from merec_hpc.dataset.clip import Clip
from merec_hpc.dataset.listing import (
    Listing,
    Reader,
    block_name,
    chosen_scheme,
    folder_below,
    names_in,
)
from merec_hpc.dataset.sources import Images
from merec_hpc.errors import MerecError

EMOTIONS = ("surprise", "fear", "disgust", "happiness", "sadness", "anger", "neutral")
_LINE = re.compile(r"^((train|test)_\d+)\.jpg\s+([1-7])$")


def list_clips(root: Path, image: str) -> Listing:
    """List the lines of the label file (whose name is misspelt in the release).

    Parameters
    ----------
    image
        "aligned" (100x100) or "original".

    Raises
    ------
    MerecError
        If the folder or file is missing, or a line is not as it should be.
    """
    basic = folder_below(root, ("basic", "RAF-DB/basic"))
    labels = None if basic is None else basic / "EmoLabel" / "list_patition_label.txt"
    if basic is None or labels is None or not labels.is_file():
        msg = (
            f"{root}: basic/EmoLabel/list_patition_label.txt of RAF-DB expected, "
            f"found {names_in(root)}"
        )
        raise MerecError(msg)
    suffix = "_aligned.jpg" if image == "aligned" else ".jpg"
    clips = []
    for number, line in enumerate(labels.read_text(encoding="utf-8").splitlines(), start=1):
        matched = _LINE.match(line.strip())
        if matched is None:
            if not line.strip():
                continue
            msg = f"{labels}, line {number}: 'train_00001.jpg 5' expected, found '{line[:60]}'"
            raise MerecError(msg)
        name, split, code = matched.groups()
        file = basic / "Image" / image / f"{name}{suffix}"
        clips.append(
            Clip(
                clip=name,
                subject=block_name(split, number),
                label=EMOTIONS[int(code) - 1],
                source=Images((file.relative_to(root).as_posix(),)),
                split=split,
            )
        )
    return Listing(clips, str(labels))


def _read(root: Path, settings: RafdbSettings) -> Listing:
    return list_clips(root, settings.image)


READER = Reader(_read, chosen_scheme, has_splits=True)

"""Lists the images of FER-2013: ``fer2013.csv`` with emotion, pixels, Usage; 48x48, grey.

Goodfellow et al.: Challenges in representation learning, ICONIP 2013,
doi:10.1007/978-3-642-42051-1_16.
"""

import csv
from pathlib import Path

from merec_hpc.dataset.clip import Clip
from merec_hpc.dataset.listing import Listing, Reader, block_name, chosen_scheme, names_in
from merec_hpc.dataset.sources import TableRow
from merec_hpc.errors import MerecError
from merec_hpc.files.rows import long_cells

FILES = ("fer2013.csv", "fer2013/fer2013.csv", "icml_face_data.csv")
EMOTIONS = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
SPLITS = {"Training": "train", "PublicTest": "validation", "PrivateTest": "test"}


def list_clips(root: Path) -> Listing:
    """List the rows, each a clip of one image, with its official split.

    Subjects are not known: blocks of a split stand for them.

    Raises
    ------
    MerecError
        If there is no such file, or a row is not as it should be.
    """
    path = next((root / name for name in FILES if (root / name).is_file()), None)
    if path is None:
        msg = f"{root}: {FILES[0]} expected, found {names_in(root)}"
        raise MerecError(msg)
    clips = []
    with long_cells(), path.open(newline="", encoding="utf-8-sig") as file:
        reader = csv.DictReader(file)
        # One copy writes " Usage" and " pixels".
        names = {(name or "").strip().lower(): name for name in reader.fieldnames or []}
        missing = [name for name in ("emotion", "pixels", "usage") if name not in names]
        if missing:
            msg = f"{path}: column '{missing[0]}' expected, found {', '.join(names) or 'none'}"
            raise MerecError(msg)
        for number, row in enumerate(reader, start=1):
            emotion, usage = row[names["emotion"]].strip(), row[names["usage"]].strip()
            if emotion not in set("0123456") or usage not in SPLITS:
                msg = (
                    f"{path}, row {number}: emotion 0 to 6 and usage {', '.join(SPLITS)} expected, "
                    f"found '{emotion}' and '{usage}'"
                )
                raise MerecError(msg)
            clips.append(
                Clip(
                    clip=f"fer{number:05d}",
                    subject=block_name(SPLITS[usage], number),
                    label=EMOTIONS[int(emotion)],
                    source=TableRow(path.relative_to(root).as_posix(), number),
                    split=SPLITS[usage],
                )
            )
    return Listing(clips, str(path))


READER = Reader(lambda root, _: list_clips(root), chosen_scheme, has_splits=True)

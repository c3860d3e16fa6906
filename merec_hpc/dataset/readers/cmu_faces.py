"""Lists the clips of CMU Face Images: a clip is the pair neutral, expression.

``faces/{subject}/{subject}_{pose}_{expression}_{eyes}.pgm``; Mitchell, 1997, UCI Machine
Learning Repository, doi:10.24432/C5JC79, CC BY 4.0.
"""

from collections.abc import Sequence
from pathlib import Path

from merec_hpc.config.datasets import CmuFacesSettings
from merec_hpc.dataset.clip import Clip
from merec_hpc.dataset.listing import Listing, Reader
from merec_hpc.dataset.sources import Images
from merec_hpc.errors import MerecError

EXPRESSIONS = ("angry", "happy", "sad")


def list_clips(root: Path, poses: Sequence[str], eyes: Sequence[str]) -> list[Clip]:
    """List the pairs neutral, expression of the chosen poses and eyes, by subject.

    An expression that the release lacks is no clip; an expression without its neutral
    face is listed, and the audit reports the missing image.

    Raises
    ------
    MerecError
        If there is no folder of faces, or no such pair in it.
    """
    faces = root / "faces" if (root / "faces").is_dir() else root
    clips = [
        Clip(
            clip=expressive.stem,
            subject=folder.name,
            label=label,
            source=Images(
                tuple(path.relative_to(root).as_posix() for path in (neutral, expressive))
            ),
        )
        for folder in sorted(path for path in faces.iterdir() if path.is_dir())
        for pose in poses
        for covering in eyes
        for neutral in [folder / f"{folder.name}_{pose}_neutral_{covering}.pgm"]
        for label in EXPRESSIONS
        for expressive in [folder / f"{folder.name}_{pose}_{label}_{covering}.pgm"]
        if expressive.is_file()
    ]
    if not clips:
        msg = f"{faces}: images like an2i/an2i_straight_happy_open.pgm expected, found none"
        raise MerecError(msg)
    return clips


def _read(root: Path, settings: CmuFacesSettings) -> Listing:
    return Listing(list_clips(root, settings.poses, settings.eyes))


READER = Reader(_read, lambda _: "cmu-faces-3")

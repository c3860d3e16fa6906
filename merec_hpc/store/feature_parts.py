"""Keeps the features of each subject, so that only those of new clips are computed."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from merec_hpc.files.atomic import published
from merec_hpc.files.npz import UnreadableNpzError, opened_npz
from merec_hpc.records import FeaturePart


@dataclass(frozen=True)
class FeatureParts:
    """The parts of a feature store, one file a subject, next to the store."""

    folder: Path
    key: str
    """What the features depend on besides the clips: settings, weights, program."""

    def path(self, faces: Path, marks: str, faces_sha256: str) -> Path:
        """Return the part's file: named by the subject, the settings, the faces and their marks."""
        digest = hashlib.sha256(f"{self.key} {marks}".encode())
        digest.update(bytes.fromhex(faces_sha256))
        return self.folder / f"{faces.stem}.{digest.hexdigest()[:32]}.npz"

    def read(self, path: Path) -> FeaturePart | None:
        """Return the features of a subject's clips, if they were computed before.

        A damaged file counts as none: it is made again.
        """
        if not path.exists():
            return None
        try:
            with opened_npz(path) as arrays:
                return FeaturePart(arrays["values"], arrays["names"], arrays["clips"])
        except UnreadableNpzError:
            return None

    def write(self, path: Path, part: FeaturePart) -> None:
        """Keep the features of a subject's clips; those of former clips are removed."""
        with published(path) as partial, partial.open("wb") as file:
            np.savez(file, **vars(part))
        subject = path.name.rsplit(".", 2)[0]
        for former in self.folder.glob(f"{subject}.*.npz"):
            if former != path and former.name.count(".") == path.name.count("."):
                former.unlink()

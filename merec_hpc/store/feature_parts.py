"""Keeps the deep features of each subject, so that only those of new clips are computed."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from merec_hpc.files.atomic import published
from merec_hpc.records import FeaturePart


@dataclass(frozen=True)
class FeatureParts:
    """The parts of a feature store, one file a subject, next to the store."""

    folder: Path
    key: str
    """What the features depend on besides the clips: settings, weights, program."""

    def path(self, clips: Path) -> Path:
        """Return the part's file: named by the subject, the settings and the clips."""
        digest = hashlib.sha256(self.key.encode())
        with clips.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
        return self.folder / f"{clips.stem}.{digest.hexdigest()[:32]}.npz"

    def read(self, clips: Path) -> FeaturePart | None:
        """Return the features of a subject's clips, if they were computed before."""
        path = self.path(clips)
        if not path.exists():
            return None
        with np.load(path, allow_pickle=False) as arrays:
            return FeaturePart(arrays["values"], arrays["names"], arrays["clips"])

    def write(self, clips: Path, part: FeaturePart) -> None:
        """Keep the features of a subject's clips; those of former clips are removed."""
        path = self.path(clips)
        with published(path) as partial, partial.open("wb") as file:
            np.savez(file, **vars(part))
        for former in self.folder.glob(f"{clips.stem}.*.npz"):
            if former != path and former.name.count(".") == path.name.count("."):
                former.unlink()

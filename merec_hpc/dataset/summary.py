"""Describes a dataset as it lies on disk: paper 1's Table I."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from merec_hpc.dataset.clip import Clip
from merec_hpc.dataset.frames import frame_size
from merec_hpc.errors import MerecError


@dataclass(frozen=True)
class DatasetRow:
    """A row of paper 1's Table I."""

    dataset: str
    samples: int
    subjects: int
    fps: str
    image_size: str
    """Width x height of the first frame of the clips; several if they differ."""
    classes: str
    """Each class with its number of samples."""


def summarise(
    dataset: str, root: Path, clips: Sequence[Clip], classes: Sequence[str]
) -> DatasetRow:
    """Return the row of a dataset; the first frame of every clip is read for its size."""
    counts = Counter(clip.label for clip in clips)
    rates = sorted({clip.frame_rate_hz for clip in clips if clip.frame_rate_hz is not None})
    sizes = Counter(_size(root, clip) for clip in clips)
    return DatasetRow(
        dataset=dataset,
        samples=len(clips),
        subjects=len({clip.subject for clip in clips}),
        fps=", ".join(f"{rate:g}" for rate in rates) or "not known",
        image_size=", ".join(size for size, _ in sizes.most_common(3)) or "none",
        classes=", ".join(f"{name} {counts[name]}" for name in classes),
    )


def _size(root: Path, clip: Clip) -> str:
    try:
        height, width = frame_size(root, clip)
    except MerecError:
        return "unreadable"
    return f"{width}x{height}"

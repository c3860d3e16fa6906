"""Digests of what jobs read: where one changes, Snakemake runs again what depends on it."""

from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

from merec_hpc.dataset.clip import Clip
from merec_hpc.dataset.frames import file_states, folder_states


def folders_digest(root: Path) -> str:
    """Return a digest of a dataset's folders: a new subject, far below its root, is noticed."""
    return _digest(folder_states(root))


def pixels_digest(root: Path, clips: Sequence[Clip]) -> str:
    """Return a digest of what the pixels of clips depend on: their files, frames and names.

    Labels, apexes and splits are no part of it: another class scheme registers no face again.
    """
    return _digest([(clip.clip, clip.source, clip.span, file_states(root, clip)) for clip in clips])


def labels_digest(clips: Sequence[Clip]) -> str:
    """Return a digest of the labels of clips."""
    return _digest([(clip.clip, clip.label) for clip in clips])


def _digest(states: object) -> str:
    return sha256(repr(states).encode()).hexdigest()[:16]

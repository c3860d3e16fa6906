"""Writes and reads the interpolated clips of one subject."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from merec_hpc.config.base import to_json
from merec_hpc.config.faces import InterpolationSettings
from merec_hpc.records import InterpolatedClips, Text
from merec_hpc.store.schema import CLIPS, opened_store, read_array, write_store


def write_clips(path: Path, clips: InterpolatedClips, settings: InterpolationSettings) -> None:
    """Write the interpolated clips of a subject."""
    write_store(path, CLIPS, vars(clips), {"settings": to_json(settings)})


def read_clip_names(path: Path) -> Text:
    """Return the clips' names."""
    with opened_store(path, CLIPS) as file:
        return read_array(file, CLIPS, "clips")


def iterate_clips(path: Path) -> Iterator[NDArray[np.float32]]:
    """Yield each clip, (n_frames, size, size, 3), one at a time."""
    with opened_store(path, CLIPS) as file:
        for place in range(len(file["frames"])):
            yield np.asarray(file["frames"][place])

"""Writes and reads the interpolated clips of one subject."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from merec_hpc.config.base import to_json
from merec_hpc.config.faces import ClipSettings, InterpolationSettings
from merec_hpc.records import Text
from merec_hpc.store.reading import opened_store
from merec_hpc.store.schema import CLIPS
from merec_hpc.store.writing import written_store


def write_clips(
    path: Path,
    names: Text,
    clips: Iterator[NDArray[np.float32]],
    interpolation: InterpolationSettings,
    settings: ClipSettings,
) -> None:
    """Write the interpolated clips of a subject, (n_frames, size, size, 3) each, as they come."""
    attributes = {"settings": to_json(interpolation), "format": settings.format}
    with written_store(path, CLIPS, attributes) as store:
        rows = None
        for clip in clips:
            if rows is None:
                chunks = (1, *clip.shape[1:])
                rows = store.rows("frames", clip.shape, settings.format, chunks=chunks, gzip=1)
            rows.append(_as_format(clip, settings.format)[None])
        empty = np.empty((0, interpolation.n_frames, 0, 0, 3), settings.format)
        store.write({"clips": names, "frames": empty})


def _as_format(clip: NDArray[np.float32], kind: str) -> NDArray[np.generic]:
    if kind == "uint8":
        return np.clip(np.rint(clip), 0, 255).astype(np.uint8)
    return clip.astype(np.float16)


def read_clip_names(path: Path) -> Text:
    """Return the clips' names."""
    with opened_store(path, CLIPS) as store:
        return store.array("clips")


def iterate_clips(path: Path) -> Iterator[NDArray[np.float32]]:
    """Yield each clip, (n_frames, size, size, 3), one at a time."""
    with opened_store(path, CLIPS) as store:
        for clip in store.rows("frames"):
            yield clip.astype(np.float32)

"""Writes and reads the interpolated clips of one subject."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from merec_hpc.config.base import to_json
from merec_hpc.config.faces import ClipSettings, InterpolationSettings
from merec_hpc.records import Text
from merec_hpc.store.schema import CLIPS, opened_store, read_array, write_arrays, written_store


def write_clips(
    path: Path,
    names: Text,
    clips: Iterator[NDArray[np.float32]],
    interpolation: InterpolationSettings,
    settings: ClipSettings,
) -> None:
    """Write the interpolated clips of a subject, (n_frames, size, size, 3) each, as they come."""
    attributes = {"settings": to_json(interpolation), "format": settings.format}
    with written_store(path, CLIPS, attributes) as file:
        frames = None
        for clip in clips:
            if frames is None:
                frames = file.create_dataset(
                    "frames",
                    (len(names), *clip.shape),
                    settings.format,
                    chunks=(1, 1, *clip.shape[1:]),
                    compression="gzip",
                    compression_opts=1,
                    shuffle=True,
                )
                place = 0
            frames[place] = _as_format(clip, settings.format)
            place += 1
        empty = np.empty((0, interpolation.n_frames, 0, 0, 3), settings.format)
        write_arrays(file, CLIPS, {"clips": names, "frames": empty})


def _as_format(clip: NDArray[np.float32], kind: str) -> NDArray[np.generic]:
    if kind == "uint8":
        return np.clip(np.rint(clip), 0, 255).astype(np.uint8)
    return clip.astype(np.float16)


def read_clip_names(path: Path) -> Text:
    """Return the clips' names."""
    with opened_store(path, CLIPS) as file:
        return read_array(file, CLIPS, "clips")


def iterate_clips(path: Path) -> Iterator[NDArray[np.float32]]:
    """Yield each clip, (n_frames, size, size, 3), one at a time."""
    with opened_store(path, CLIPS) as file:
        for place in range(len(file["frames"])):
            yield np.asarray(file["frames"][place], np.float32)

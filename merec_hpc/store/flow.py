"""Writes and reads the optical flow of one subject's clips, as images for networks."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from merec_hpc.config.base import to_json
from merec_hpc.config.motion import FlowSettings
from merec_hpc.records import Text
from merec_hpc.store.schema import FLOW, opened_store, read_array, write_arrays, written_store

IMAGE_SIZES = (28, 224)
"""Sides of the images, in pixels: those of the networks of the field."""


def write_flow(
    path: Path,
    names: Text,
    clips: Iterable[tuple[NDArray[np.float32], ...]],
    settings: FlowSettings,
) -> None:
    """Write the images of each clip, one of each size, (size, size, 3): u, v, strain."""
    with written_store(path, FLOW, {"settings": to_json(settings)}) as file:
        arrays = [
            file.create_dataset(
                _name(size),
                (len(names), size, size, 3),
                np.float32,
                chunks=(1, size, size, 3),
                compression="gzip",
                shuffle=True,
            )
            for size in IMAGE_SIZES
        ]
        for place, images in enumerate(clips):
            for array, image in zip(arrays, images, strict=True):
                array[place] = image
        write_arrays(file, FLOW, {"clips": names})


def read_flow_names(path: Path) -> Text:
    """Return the clips' names."""
    with opened_store(path, FLOW) as file:
        return read_array(file, FLOW, "clips")


def iterate_flow(path: Path, size_px: int) -> Iterator[NDArray[np.float32]]:
    """Yield u, v and strain of each clip, (size, size, 3), of one of ``IMAGE_SIZES``."""
    with opened_store(path, FLOW) as file:
        for place in range(len(file["clips"])):
            yield np.asarray(file[_name(size_px)][place])


def _name(size: int) -> str:
    return f"images_{size}"

"""Writes and reads the optical flow of one subject's clips, as images for networks."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from merec_hpc.config.base import to_json
from merec_hpc.config.motion import FlowSettings
from merec_hpc.records import Text
from merec_hpc.store.reading import opened_store
from merec_hpc.store.schema import FLOW
from merec_hpc.store.writing import written_store

IMAGE_SIZES = (28, 224)
"""Sides of the images, in pixels: those of the networks of the field."""


def write_flow(
    path: Path,
    names: Text,
    clips: Iterable[tuple[NDArray[np.float32], ...]],
    settings: FlowSettings,
) -> None:
    """Write the images of each clip, one of each size, (size, size, 3): u, v, strain."""
    with written_store(path, FLOW, {"settings": to_json(settings)}) as store:
        arrays = [
            store.rows(_name(size), (size, size, 3), np.float32, gzip=4) for size in IMAGE_SIZES
        ]
        for images in clips:
            for array, image in zip(arrays, images, strict=True):
                array.append(image[None])
        store.write({"clips": names})


def read_flow_names(path: Path) -> Text:
    """Return the clips' names."""
    with opened_store(path, FLOW) as store:
        return store.array("clips")


def iterate_flow(path: Path, size_px: int) -> Iterator[NDArray[np.float32]]:
    """Yield u, v and strain of each clip, (size, size, 3), of one of ``IMAGE_SIZES``."""
    with opened_store(path, FLOW) as store:
        yield from store.rows(_name(size_px))


def _name(size: int) -> str:
    return f"images_{size}"

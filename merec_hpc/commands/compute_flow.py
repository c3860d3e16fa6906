"""Compute the optical flow of one subject's clips, as images."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
import typer
from numpy.typing import NDArray

from merec_hpc.commands.options import Catalog, Output, Settings
from merec_hpc.config.base import from_json
from merec_hpc.config.motion import FlowSettings
from merec_hpc.dataset.catalog import apexes_of, read_catalog
from merec_hpc.features.flow import onset_and_apex
from merec_hpc.motion.flow_images import flow_images
from merec_hpc.motion.optical_flow import open_flow
from merec_hpc.progress import track
from merec_hpc.store.faces import iterate_face_clips, read_face_index
from merec_hpc.store.flow import IMAGE_SIZES, write_flow


def run(
    catalog: Catalog,
    faces: Annotated[Path, typer.Option(help="Registered faces of a subject.")],
    settings: Settings,
    output: Output,
) -> None:
    """Compute the flow from onset to apex of one subject's clips: u, v and strain as images.

    The catalog is that of find-apexes. The images are of 28 x 28 and of 224 x 224 pixels, for
    networks; features of flow are made by extract-features.
    """
    cv2.setNumThreads(1)
    parsed = from_json(FlowSettings, settings)
    compute = open_flow(parsed)
    apexes = apexes_of(read_catalog(catalog))
    names = read_face_index(faces)[0]

    def images() -> Iterator[tuple[NDArray[np.float32], ...]]:
        clips = iterate_face_clips(faces, apexes, 1)
        for clip in track(clips, f"flow of {faces.stem}", len(names)):
            seen = onset_and_apex(clip)
            flow = compute(seen.onset, seen.apex)
            yield tuple(flow_images(flow, seen.was_filmed, size) for size in IMAGE_SIZES)

    write_flow(output, names, images(), parsed)

"""Train an Active Shape Model."""

import logging
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Annotated

import cv2
import typer

from merec_hpc.commands.options import Output, Threads
from merec_hpc.errors import MerecError
from merec_hpc.faces.active_shape import save_model, train
from merec_hpc.faces.shape_training.annotations import annotated_images, find_annotated_face
from merec_hpc.progress import track

log = logging.getLogger(__name__)


def run(
    faces: Annotated[Path, typer.Option(help="Folder of images with 68 landmarks each.")],
    output: Output,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the starts that are learnt from.")] = 0,
    threads: Threads = 1,
) -> None:
    """Train a shape model on annotated images, for faces.shape_model.

    Landmarks are .pts files beside the images (300-W, merec draw-faces), CK+'s *_landmarks.txt
    below the same folder, or landmarks.csv of the simulated dataset. Take faces of people that
    are not evaluated.
    """
    cv2.setNumThreads(1)
    images = annotated_images(faces)
    with ThreadPoolExecutor(threads) as pool:
        looked = pool.map(lambda pair: find_annotated_face(*pair), images)
        found = list(track(looked, "faces detected", len(images)))
    usable = [face for face in found if face is not None]
    for (path, _), face in zip(images, found, strict=True):
        if face is None:
            log.warning("%s left out: no detected box fits its landmarks", path)
    if len(usable) < 2:
        msg = f"{faces}: at least two faces that are detected expected, found {len(usable)}"
        raise MerecError(msg)
    log.info("training on %d of %d faces", len(usable), len(images))
    save_model(output, train(usable, seed))

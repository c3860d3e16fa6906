"""Draw faces to train a shape model on."""

import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
import typer

from merec_hpc.commands.options import Threads
from merec_hpc.errors import MerecError
from merec_hpc.faces.shape_training.annotations import write_points
from merec_hpc.faces.shape_training.drawn_faces import HeadShape, draw_face, load_head
from merec_hpc.files.atomic import make_folder, published
from merec_hpc.networks.weights import checked_digest
from merec_hpc.progress import track


def run(
    output: Annotated[Path, typer.Option(help="Folder to write images and landmarks to.")],
    head: Annotated[Path, typer.Option(help="The canonical face (merec fetch-weights).")],
    n_faces: Annotated[int, typer.Option(min=1, help="Faces to draw.")] = 3000,
    seed: Annotated[int, typer.Option(min=0, help="Seed of all that is random.")] = 0,
    threads: Threads = 1,
) -> None:
    """Draw faces with known landmarks, a PNG and a .pts each, for train-active-shape."""
    if output.is_dir() and any(output.iterdir()):
        msg = f"{output}: an empty folder expected, found one with files"
        raise MerecError(msg)
    if head.is_file():
        checked_digest("canonical_face", head)
    shape = load_head(head)
    cv2.setNumThreads(1)
    partial = output.with_name(output.name + ".partial")
    if partial.exists():  # of a run that was ended
        shutil.rmtree(partial)
    make_folder(partial)
    for _ in track(_draw(partial, shape, n_faces, seed, threads), "faces", n_faces):
        pass
    if output.is_dir():
        output.rmdir()
    partial.replace(output)


def _draw(
    folder: Path, shape: HeadShape, n_faces: int, seed: int, n_threads: int
) -> Iterator[Path]:
    """Write the faces and yield the path of each; the same on any number of threads."""

    def write(index: int) -> Path:
        rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(index,)))
        image, landmarks = draw_face(shape, rng)
        path = folder / f"face_{index:05d}.png"
        with published(path, is_synced=False) as partial:  # one of thousands
            partial.write_bytes(cv2.imencode(".png", image)[1].tobytes())
        write_points(path.with_suffix(".pts"), landmarks)
        return path

    with ThreadPoolExecutor(n_threads) as pool:
        yield from pool.map(write, range(n_faces))

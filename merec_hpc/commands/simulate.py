"""Make the embedded dataset."""

import logging
import shutil
from pathlib import Path
from typing import Annotated

import cv2
import typer

from merec_hpc.commands.options import Threads
from merec_hpc.config.base import from_json
from merec_hpc.config.datasets import SimulatedSettings
from merec_hpc.dataset.simulated import PRESETS, plan_clips, simulate, size_on_disk
from merec_hpc.errors import MerecError
from merec_hpc.files.atomic import make_folder
from merec_hpc.progress import track

log = logging.getLogger(__name__)


def run(
    output: Annotated[Path, typer.Option(help="Folder to write the released layout to.")],
    settings: Annotated[str, typer.Option(help="Section 'simulated', as JSON.")] = "{}",
    threads: Threads = 1,
) -> None:
    """Make the embedded dataset: real photograph, simulated identities and expressions."""
    parsed = from_json(SimulatedSettings, settings)
    clips = plan_clips(parsed)
    size = size_on_disk(clips, PRESETS[parsed.preset])
    n_frames = sum(clip.n_frames for clip in clips)
    log.info("%d clips, %d frames, %.0f MB on disk: %s", len(clips), n_frames, size / 1e6, parsed)
    if output.is_dir() and any(output.iterdir()):
        msg = f"{output}: an empty folder expected, found one with files (another dataset's?)"
        raise MerecError(msg)
    make_folder(output.parent)
    free = shutil.disk_usage(output.parent).free
    if free < size:
        msg = f"{output}: {size / 1e6:.0f} MB of free disk expected, found {free / 1e6:.0f} MB"
        raise MerecError(msg)
    cv2.setNumThreads(1)
    partial = output.with_name(output.name + ".partial")
    if partial.exists():  # of a run that was ended
        shutil.rmtree(partial)
    make_folder(partial)
    for _ in track(simulate(partial, clips, parsed, threads), "clips", len(clips)):
        pass
    partial.replace(output)

"""Bring one subject's clips to the same number of frames."""

from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from merec_hpc.clips.interpolation import interpolate_blocks
from merec_hpc.commands.options import Output, Settings
from merec_hpc.config.base import from_json
from merec_hpc.config.faces import InterpolationSettings
from merec_hpc.parallel.threads import limit_library_threads
from merec_hpc.records import InterpolatedClips
from merec_hpc.store.clips import write_clips
from merec_hpc.store.faces import iterate_faces, read_face_index


def run(
    faces: Annotated[Path, typer.Option(help="Registered faces of a subject.")],
    settings: Settings,
    output: Output,
) -> None:
    """Bring one subject's clips to the same number of frames (TIM)."""
    limit_library_threads()
    parsed = from_json(InterpolationSettings, settings)
    names, _ = read_face_index(faces)
    clips = [
        interpolate_blocks(registered.blocks(), len(registered), parsed.n_frames)
        for registered in iterate_faces(faces)
    ]
    frames = np.stack(clips) if clips else np.empty((0, parsed.n_frames, 0, 0, 3), np.float32)
    write_clips(output, InterpolatedClips(frames, names), parsed)

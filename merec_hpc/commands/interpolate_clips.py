"""Bring one subject's clips to the same number of frames, and keep them."""

from pathlib import Path
from typing import Annotated

import typer

from merec_hpc.clips.interpolation import interpolate_frames
from merec_hpc.commands.options import Output, Settings
from merec_hpc.config.base import from_json
from merec_hpc.config.faces import ClipSettings, InterpolationSettings
from merec_hpc.parallel.threads import limit_library_threads
from merec_hpc.store.clips import write_clips
from merec_hpc.store.faces import iterate_faces, read_face_index


def run(
    faces: Annotated[Path, typer.Option(help="Registered faces of a subject.")],
    settings: Settings,
    output: Output,
    clips: Annotated[str, typer.Option(help="Section clips, as JSON.")] = "{}",
) -> None:
    """Bring one subject's clips to the same number of frames (TIM), and keep them as a file.

    Nothing later needs the file: what is extracted from faces is interpolated on the way.
    """
    limit_library_threads()
    parsed = from_json(InterpolationSettings, settings)
    interpolated = (
        interpolate_frames(registered, parsed.n_frames) for registered in iterate_faces(faces)
    )
    names, _ = read_face_index(faces)
    write_clips(output, names, interpolated, parsed, from_json(ClipSettings, clips, "--clips"))

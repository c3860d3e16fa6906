"""Bring one subject's clips to the same number of frames."""

from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from numpy.typing import NDArray

from merec_hpc.clips.interpolation import interpolate_blocks
from merec_hpc.commands.options import Output, Settings
from merec_hpc.config.base import from_json
from merec_hpc.config.faces import InterpolationSettings
from merec_hpc.faces.contact_sheet import SheetRow, interpolated_row, write_contact_sheet
from merec_hpc.parallel.threads import limit_library_threads
from merec_hpc.records import InterpolatedClips
from merec_hpc.store.clips import write_clips
from merec_hpc.store.faces import iterate_faces, read_face_index


def run(
    faces: Annotated[Path, typer.Option(help="Registered faces of a subject.")],
    settings: Settings,
    output: Output,
    contact_sheet: Annotated[
        Path | None, typer.Option(help="Picture of interpolated frames to write.")
    ] = None,
) -> None:
    """Bring one subject's clips to the same number of frames (TIM)."""
    limit_library_threads()
    parsed = from_json(InterpolationSettings, settings)
    names, labels, _ = read_face_index(faces)
    clips: list[NDArray[np.float32]] = []
    rows: list[SheetRow] = []
    for name, label, registered in zip(names, labels, iterate_faces(faces), strict=True):
        blocks = registered.blocks()
        clips.append(interpolate_blocks(blocks, len(registered), parsed.n_frames))
        rows.append(interpolated_row(str(name), str(label), clips[-1], len(registered)))
    frames = np.stack(clips) if clips else np.empty((0, parsed.n_frames, 0, 0, 3), np.float32)
    if contact_sheet is not None:
        write_contact_sheet(contact_sheet, rows)
    write_clips(output, InterpolatedClips(frames, names, labels), parsed)

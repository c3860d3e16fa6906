"""Register the faces of one subject."""

import logging
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
import typer

from merec_hpc.arrays import Clip, Faces, Failure
from merec_hpc.commands.options import Catalog, Output, Root, Settings
from merec_hpc.config import FaceSettings, from_json
from merec_hpc.dataset.catalog import read_catalog
from merec_hpc.errors import MerecError
from merec_hpc.faces.contact_sheet import SheetRow, draw_row, failed_row, write_contact_sheet
from merec_hpc.faces.landmarks import FaceMesh
from merec_hpc.faces.registration import RegisteredClip, register_clip
from merec_hpc.frames import iterate_frames
from merec_hpc.networks.weights import sha256
from merec_hpc.progress import track
from merec_hpc.store.faces import write_faces
from merec_hpc.tables import write_rows

log = logging.getLogger(__name__)


def run(
    catalog: Catalog,
    root: Root,
    subject: Annotated[str, typer.Option(help="Subject to work on.")],
    landmark_weights: Annotated[Path, typer.Option(help="Weights of the landmark engine.")],
    settings: Settings,
    output: Output,
    contact_sheet: Annotated[Path, typer.Option(help="Picture to write.")],
    failures: Annotated[Path, typer.Option(help="Table of clips left out to write.")],
) -> None:
    """Register the faces of one subject's clips onto the reference face."""
    cv2.setNumThreads(1)
    parsed = from_json(FaceSettings, settings)
    engine = FaceMesh(landmark_weights)
    clips = [clip for clip in read_catalog(catalog) if clip.subject == subject]
    if not clips:
        msg = f"{catalog}: clips of subject '{subject}' expected, found none"
        raise MerecError(msg)
    done: list[tuple[Clip, RegisteredClip]] = []
    failed: list[Failure] = []
    rows: list[SheetRow] = []
    for clip in track(clips, f"faces of {subject}", len(clips)):
        try:
            face = register_clip(iterate_frames(root, clip), engine, parsed)
        except MerecError as error:
            log.warning("%s left out: %s", clip.clip, error)
            failed.append(Failure(clip.clip, subject, "register_faces", str(error)))
            rows.append(failed_row(clip.clip, str(error)))
            continue
        done.append((clip, face))
        rows.append(draw_row(clip.clip, clip.label, face))
    write_contact_sheet(contact_sheet, rows)
    write_rows(failures, Failure, failed)
    write_faces(output, _join(done, parsed.size_px), parsed, sha256(landmark_weights))


def _join(done: list[tuple[Clip, RegisteredClip]], size_px: int) -> Faces:
    """Put the frames of all clips one after the other."""
    frames = [np.empty((0, size_px, size_px, 3), np.uint8), *(face.frames for _, face in done)]
    landmarks = [np.empty((0, 68, 2), np.float32), *(face.landmarks for _, face in done)]
    lengths = [len(face.frames) for _, face in done]
    jitter = [face.jitter_px for _, face in done]
    return Faces(
        frames=np.concatenate(frames),
        landmarks=np.concatenate(landmarks),
        starts=np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
        clips=np.array([clip.clip for clip, _ in done], np.str_),
        labels=np.array([clip.label for clip, _ in done], np.str_),
        jitter_px=np.array(jitter, np.float32),
    )

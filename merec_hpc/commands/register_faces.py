"""Register the faces of one subject."""

import logging
from pathlib import Path
from typing import Annotated

import cv2
import typer

from merec_hpc.commands.options import Catalog, Output, Root, Settings
from merec_hpc.config.base import from_json
from merec_hpc.config.faces import FaceSettings
from merec_hpc.dataset.catalog import read_catalog
from merec_hpc.dataset.frames import frame_numbers, iterate_frames, read_ahead
from merec_hpc.errors import MerecError
from merec_hpc.faces.active_shape import shape_model_file
from merec_hpc.faces.contact_sheet import draw_detection
from merec_hpc.faces.engines import open_engine
from merec_hpc.faces.registration import register_frames
from merec_hpc.files.digest import sha256
from merec_hpc.files.rows import write_rows
from merec_hpc.networks.weights import checked_digest
from merec_hpc.progress import track
from merec_hpc.records import Failure
from merec_hpc.store.faces import written_faces

log = logging.getLogger(__name__)


def run(
    catalog: Catalog,
    root: Root,
    subject: Annotated[str, typer.Option(help="Subject to work on.")],
    settings: Settings,
    output: Output,
    failures: Annotated[Path, typer.Option(help="Table of clips left out to write.")],
    landmark_weights: Annotated[
        Path | None, typer.Option(help="Weights of the landmark engine face_mesh or dlib.")
    ] = None,
) -> None:
    """Register the faces of one subject's clips onto the reference face."""
    cv2.setNumThreads(1)
    parsed = from_json(FaceSettings, settings)
    digest = _digest(parsed, landmark_weights)  # before: a damaged network ends the process
    source_of = open_engine(parsed, landmark_weights)
    clips = [clip for clip in read_catalog(catalog, root) if clip.subject == subject]
    if not clips:
        msg = f"{catalog}: clips of subject '{subject}' expected, found none"
        raise MerecError(msg)
    failed: list[Failure] = []
    with written_faces(output, parsed, digest) as writer:
        for clip in track(clips, f"faces of {subject}", len(clips)):
            frames = read_ahead(iterate_frames(root, clip))
            try:
                face = register_frames(frames, source_of(clip.clip), parsed, writer.add)
            except MerecError as error:
                log.warning("%s left out: %s", clip.clip, error)
                writer.drop_clip()
                failed.append(Failure(clip.clip, subject, "register_faces", str(error)))
                continue
            writer.end_clip(
                clip.clip,
                face.landmarks,
                face.jitter_px,
                draw_detection(face),
                face.affines,
                face.first_frame.shape[:2],
                frame_numbers(root, clip, len(face.affines)),
            )
        write_rows(failures, Failure, failed)


def _digest(settings: FaceSettings, weights: Path | None) -> str:
    """Return the sha256 of the file that the landmark engine works by; empty for tables."""
    if settings.landmarks == "active_shape":
        with shape_model_file(settings.shape_model) as path:
            return sha256(path)
    if weights is None or settings.landmarks == "table" or not weights.is_file():
        return ""
    return checked_digest(settings.landmarks, weights)

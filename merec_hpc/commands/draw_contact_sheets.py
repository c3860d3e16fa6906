"""Draw pictures of one subject's clips: what was detected, registered, moves and is interpolated."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
import typer
from numpy.typing import NDArray

from merec_hpc.clips.face_clip import FaceClip
from merec_hpc.commands.options import Catalog, Interpolation
from merec_hpc.config.base import from_json
from merec_hpc.config.faces import InterpolationSettings
from merec_hpc.config.motion import FlowSettings
from merec_hpc.dataset.catalog import apexes_of, read_catalog
from merec_hpc.dataset.clip import Clip
from merec_hpc.errors import MerecError
from merec_hpc.faces.contact_sheet import (
    MOST_ROWS,
    Apex,
    SheetRow,
    failed_row,
    interpolated_row,
    registered_row,
    write_contact_sheet,
)
from merec_hpc.features.flow import onset_and_apex
from merec_hpc.files.rows import read_rows
from merec_hpc.motion.flow_picture import motion_pictures
from merec_hpc.motion.optical_flow import open_flow
from merec_hpc.records import Failure
from merec_hpc.store.faces import iterate_detections, iterate_face_clips, read_face_index


def run(
    catalog: Catalog,
    subject: Annotated[str, typer.Option(help="Subject to draw.")],
    faces: Annotated[Path, typer.Option(help="Registered faces of the subject.")],
    failures: Annotated[Path, typer.Option(help="Table of the subject's clips left out.")],
    faces_sheet: Annotated[Path, typer.Option(help="Picture of registered frames to write.")],
    clips_sheet: Annotated[Path, typer.Option(help="Picture of interpolated frames to write.")],
    interpolation: Interpolation = "{}",
    flow: Annotated[str, typer.Option(help="Section flow, as JSON.")] = "{}",
) -> None:
    """Draw one subject's registered and interpolated frames, with the clips' labels.

    The catalog is that of find-apexes. The apex has a frame of its own, and the flow from onset
    to apex is drawn beside it, by colour, and its strain.
    """
    cv2.setNumThreads(1)
    n_frames = from_json(InterpolationSettings, interpolation, "--interpolation").n_frames
    listed = {clip.clip: clip for clip in read_catalog(catalog) if clip.subject == subject}
    registered = read_face_index(faces)[0].tolist()
    unknown = [name for name in registered if name not in listed]
    if unknown:
        msg = f"{catalog}: clip '{unknown[0]}' of subject '{subject}' expected, found no such row"
        raise MerecError(msg)
    reasons = {row.clip: row.reason for row in read_rows(failures, Failure)}
    drawn = _Rows(listed, from_json(FlowSettings, flow, "--flow"))
    rows = {name: failed_row(name, reason) for name, reason in reasons.items()}
    shown = [*registered, *reasons][:MOST_ROWS]
    interpolated = []
    for name, clip, detection, jitter in _clips(faces, listed, n_frames):
        if name in shown:
            rows[name] = drawn.registered(clip, detection, jitter)
            interpolated.append(drawn.interpolated(clip))
    n_others = len(registered) + len(reasons) - len(shown)
    write_contact_sheet(faces_sheet, [rows[name] for name in shown], n_others)
    write_contact_sheet(clips_sheet, interpolated, len(registered) - len(interpolated))


def _clips(
    faces: Path, listed: Mapping[str, Clip], n_frames: int
) -> Iterator[tuple[str, FaceClip, NDArray[np.uint8] | None, float]]:
    names, jitter_px = read_face_index(faces)
    clips = iterate_face_clips(faces, apexes_of(listed.values()), n_frames)
    yield from zip(
        names.tolist(), clips, iterate_detections(faces), jitter_px.tolist(), strict=True
    )


class _Rows:
    """Draws the rows of clips."""

    def __init__(self, listed: Mapping[str, Clip], settings: FlowSettings) -> None:
        self._listed = listed
        self._flow = open_flow(settings)

    def registered(
        self, clip: FaceClip, detection: NDArray[np.uint8] | None, jitter_px: float
    ) -> SheetRow:
        known = self._listed[clip.name]
        motion: list[NDArray[np.uint8]] = []
        if len(clip.frames) > 1:
            seen = onset_and_apex(clip)
            motion = motion_pictures(self._flow(seen.onset, seen.apex), seen.was_filmed)
        return registered_row(
            clip.name,
            known.label,
            detection,
            clip.frames,
            clip.landmarks,
            jitter_px,
            Apex(clip.apex, known.apex or 0, known.apex_source or ""),
            motion,
        )

    def interpolated(self, clip: FaceClip) -> SheetRow:
        label = self._listed[clip.name].label
        return interpolated_row(clip.name, label, clip.interpolated(), len(clip.frames))

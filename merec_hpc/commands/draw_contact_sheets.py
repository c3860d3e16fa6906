"""Draw pictures of one subject's clips: what was detected, registered and interpolated."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import typer

from merec_hpc.commands.options import Catalog
from merec_hpc.dataset.catalog import read_catalog
from merec_hpc.errors import MerecError
from merec_hpc.faces.contact_sheet import (
    MOST_ROWS,
    SheetRow,
    failed_row,
    interpolated_row,
    registered_row,
    write_contact_sheet,
)
from merec_hpc.files.rows import read_rows
from merec_hpc.records import Failure
from merec_hpc.store.clips import iterate_clips, read_clip_names
from merec_hpc.store.faces import (
    iterate_detections,
    iterate_faces,
    read_face_index,
    read_face_landmarks,
)


def run(
    catalog: Catalog,
    subject: Annotated[str, typer.Option(help="Subject to draw.")],
    faces: Annotated[Path, typer.Option(help="Registered faces of the subject.")],
    failures: Annotated[Path, typer.Option(help="Table of the subject's clips left out.")],
    clips: Annotated[Path, typer.Option(help="Interpolated clips of the subject.")],
    faces_sheet: Annotated[Path, typer.Option(help="Picture of registered frames to write.")],
    clips_sheet: Annotated[Path, typer.Option(help="Picture of interpolated frames to write.")],
) -> None:
    """Draw one subject's registered and interpolated frames, with the clips' labels."""
    labels = {clip.clip: clip.label for clip in read_catalog(catalog) if clip.subject == subject}
    registered = read_face_index(faces)[0].tolist()
    interpolated = read_clip_names(clips).tolist()
    unknown = [name for name in (*registered, *interpolated) if name not in labels]
    if unknown:
        msg = f"{catalog}: clip '{unknown[0]}' of subject '{subject}' expected, found no such row"
        raise MerecError(msg)
    if registered != interpolated:
        msg = f"{clips}: the clips of {faces} expected, found others"
        raise MerecError(msg)
    reasons = {row.clip: row.reason for row in read_rows(failures, Failure)}
    rows = {name: failed_row(name, reason) for name, reason in reasons.items()}
    listed = [name for name in labels if name in {*registered, *reasons}]
    shown = listed[:MOST_ROWS]
    rows |= _registered_rows(faces, registered, {name: labels[name] for name in shown})
    write_contact_sheet(faces_sheet, [rows[name] for name in shown], len(listed) - len(shown))
    n_shown = min(len(registered), MOST_ROWS)
    drawn = _interpolated_rows(faces, clips, registered[:n_shown], labels)
    write_contact_sheet(clips_sheet, drawn, len(registered) - n_shown)


def _registered_rows(
    faces: Path, names: Sequence[str], labels: Mapping[str, str]
) -> dict[str, SheetRow]:
    """Return the rows of those registered clips that have a label here."""
    stored = zip(
        names,
        iterate_detections(faces),
        iterate_faces(faces),
        read_face_landmarks(faces),
        read_face_index(faces)[1].tolist(),
        strict=True,
    )
    return {
        name: registered_row(name, labels[name], *face) for name, *face in stored if name in labels
    }


def _interpolated_rows(
    faces: Path, clips: Path, names: Sequence[str], labels: Mapping[str, str]
) -> list[SheetRow]:
    """Return the rows of the first clips, which are named."""
    stored = zip(names, iterate_clips(clips), iterate_faces(faces), strict=False)
    return [
        interpolated_row(name, labels[name], frames, len(registered))
        for name, frames, registered in stored
    ]

"""Draws pictures of a subject's clips: what was detected, fitted, registered and interpolated."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from merec_hpc.faces.registration import RegisteredClip
from merec_hpc.files.atomic import published
from merec_hpc.records import TILE_PX, Frames

MOST_ROWS = 200
"""Of a sheet: a picture of more opens nowhere."""
_CAPTION_PX = 34
_N_REGISTERED = 4
_GREEN, _YELLOW, _RED = (60, 220, 60), (250, 220, 60), (230, 60, 50)
_WHITE, _BLACK = (255, 255, 255), (0, 0, 0)
_BLANK = np.zeros((TILE_PX, TILE_PX, 3), np.uint8)


@dataclass(frozen=True)
class SheetRow:
    """One clip of the sheet: tiles side by side above a caption."""

    tiles: list[NDArray[np.uint8]]
    caption: str


@dataclass(frozen=True)
class Apex:
    """The apex of a clip."""

    place: int
    """In its frames, from 0."""
    number: int
    """In the dataset's numbering."""
    source: str = ""
    """Where it is from: a sheet, or the method by which it was found."""


def draw_detection(face: RegisteredClip) -> NDArray[np.uint8]:
    """Return the first frame as filmed, shrunk to a tile, with box and landmarks.

    Of shape (TILE_PX, TILE_PX, 3), RGB.
    """
    frame = face.first_frame
    scale = TILE_PX / max(frame.shape[:2])
    height, width = round(frame.shape[0] * scale), round(frame.shape[1] * scale)
    tile = np.zeros((TILE_PX, TILE_PX, 3), np.uint8)
    tile[:height, :width] = cv2.resize(frame, (width, height), interpolation=cv2.INTER_AREA)
    corners = np.array([[face.box.left, face.box.top], [face.box.side, face.box.side]]) * scale
    (left, top), (side, _) = corners.round().astype(int).tolist()
    cv2.rectangle(tile, (left, top), (left + side, top + side), _YELLOW, 1)
    _draw_points(tile, face.first_landmarks * scale, 0)
    return tile


def registered_row(
    clip: str,
    label: str,
    detection: NDArray[np.uint8] | None,
    frames: Frames,
    landmarks: NDArray[np.float32],
    jitter_px: float,
    apex: Apex,
    motion: Sequence[NDArray[np.uint8]] = (),
) -> SheetRow:
    """Return the row of a registered clip.

    The first frame with the detected box and landmarks, then registered frames spread over
    the clip with their landmarks, (n_frames, 68, 2), among them the apex in a frame of its own,
    then pictures of the motion, (size, size, 3); the caption gives the apex and the jitter of
    the landmarks in pixels, if it was measured.
    """
    spread = np.linspace(0, len(frames) - 1, _N_REGISTERED).round().astype(int)
    if len(frames) > 2:  # of the middle ones the nearest gives way
        nearest = 1 + int(np.abs(spread[1:-1] - apex.place).argmin())
        spread[nearest] = apex.place
    tiles = [_BLANK if detection is None else detection]
    for place in np.unique(spread):
        tile = _registered_tile(frames[place], landmarks[place])
        if place == apex.place and len(frames) > 1:
            cv2.rectangle(tile, (0, 0), (TILE_PX - 1, TILE_PX - 1), _RED, 3)
        tiles.append(tile)
    jitter = "" if np.isnan(jitter_px) else f"  jitter {jitter_px:.2f} px"
    marked = f"apex {apex.number} ({apex.source})" if apex.source else f"apex {apex.number}"
    caption = f"{clip}  {label}  {len(frames)} frames  {marked}{jitter}"
    return SheetRow([*tiles, *map(_shrunk, motion)], caption)


def interpolated_row(clip: str, label: str, frames: NDArray[np.float32], n_before: int) -> SheetRow:
    """Return the row of an interpolated clip: frames spread over it, (n_frames, size, size, 3)."""
    places = np.unique(np.linspace(0, len(frames) - 1, _N_REGISTERED + 1).round().astype(int))
    seen = np.clip(np.rint(frames[places]), 0, 255).astype(np.uint8)
    return SheetRow(
        [_shrunk(frame) for frame in seen], f"{clip}  {label}  {n_before} -> {len(frames)}"
    )


def failed_row(clip: str, reason: str) -> SheetRow:
    """Return the row of a clip that was left out."""
    return SheetRow([_BLANK], f"{clip}  left out: {reason}")


def write_contact_sheet(path: Path, rows: Sequence[SheetRow], n_others: int = 0) -> None:
    """Write the rows one below the other as a PNG, and how many other clips are not shown."""
    n_columns = max([_N_REGISTERED + 1, *(len(row.tiles) for row in rows)])
    shown = list(rows)
    if n_others:
        shown.append(SheetRow([], f"and {n_others} clips that are not shown"))
    drawn = [_draw(row, n_columns * TILE_PX) for row in shown]
    sheet = np.concatenate(drawn or [np.full((_CAPTION_PX, n_columns * TILE_PX, 3), 255, np.uint8)])
    encoded = cv2.imencode(".png", sheet[..., ::-1])[1]
    with published(path) as partial:
        partial.write_bytes(encoded.tobytes())


def _draw(row: SheetRow, width: int) -> NDArray[np.uint8]:
    drawn = np.full((TILE_PX + _CAPTION_PX, width, 3), _WHITE, np.uint8)
    for column, tile in enumerate(row.tiles):
        left = column * TILE_PX
        drawn[:TILE_PX, left : left + TILE_PX] = tile
    place = (6, TILE_PX + 22)
    cv2.putText(
        drawn, row.caption[:110], place, cv2.FONT_HERSHEY_SIMPLEX, 0.45, _BLACK, 1, cv2.LINE_AA
    )
    return drawn


def _registered_tile(frame: NDArray[np.uint8], landmarks: NDArray[np.float32]) -> NDArray[np.uint8]:
    tile = _shrunk(frame)
    _draw_points(tile, landmarks * (TILE_PX / len(frame)), 1)
    return tile


def _shrunk(frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.asarray(cv2.resize(frame, (TILE_PX, TILE_PX), interpolation=cv2.INTER_AREA), np.uint8)


def _draw_points(tile: NDArray[np.uint8], points: NDArray[np.floating], radius: int) -> None:
    if not np.isfinite(points).all():  # faces.registration none
        return
    for x, y in points.round().astype(int).tolist():
        cv2.circle(tile, (x, y), radius, _GREEN, -1)

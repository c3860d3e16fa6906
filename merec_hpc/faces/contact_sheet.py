"""Draws pictures of a subject's clips: what was detected, fitted, registered and interpolated."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from merec_hpc.faces.registration import RegisteredClip
from merec_hpc.files.atomic import published

_TILE_PX = 160
_CAPTION_PX = 34
_N_REGISTERED = 4
_MOST_ROWS = 200  # a picture of more opens nowhere
_GREEN, _YELLOW, _WHITE, _BLACK = (60, 220, 60), (250, 220, 60), (255, 255, 255), (0, 0, 0)


@dataclass(frozen=True)
class SheetRow:
    """One clip of the sheet: tiles side by side above a caption."""

    tiles: list[NDArray[np.uint8]]
    caption: str


def draw_row(clip: str, label: str, face: RegisteredClip) -> SheetRow:
    """Return the row of one clip.

    The first frame with the detected box and landmarks, then registered frames spread over
    the clip with their landmarks; the caption gives the jitter of these in pixels, if it was
    measured.
    """
    places = np.unique(np.linspace(0, len(face.frames) - 1, _N_REGISTERED).round().astype(int))
    tiles = [_original_tile(face.first_frame, face)]
    tiles += [_registered_tile(face.frames[place], face.landmarks[place]) for place in places]
    jitter = "" if np.isnan(face.jitter_px) else f"  jitter {face.jitter_px:.2f} px"
    return SheetRow(tiles, f"{clip}  {label}  {len(face.frames)} frames{jitter}")


def interpolated_row(clip: str, label: str, frames: NDArray[np.float32], n_before: int) -> SheetRow:
    """Return the row of an interpolated clip: frames spread over it, (n_frames, size, size, 3)."""
    places = np.unique(np.linspace(0, len(frames) - 1, _N_REGISTERED + 1).round().astype(int))
    seen = np.clip(np.rint(frames[places]), 0, 255).astype(np.uint8)
    return SheetRow(
        [_shrunk(frame) for frame in seen], f"{clip}  {label}  {n_before} -> {len(frames)}"
    )


def failed_row(clip: str, reason: str) -> SheetRow:
    """Return the row of a clip that was left out."""
    return SheetRow([np.zeros((_TILE_PX, _TILE_PX, 3), np.uint8)], f"{clip}  left out: {reason}")


def write_contact_sheet(path: Path, rows: Sequence[SheetRow]) -> None:
    """Write the rows one below the other as a PNG; of very many the first."""
    n_columns = _N_REGISTERED + 1
    shown = list(rows[:_MOST_ROWS])
    if len(rows) > _MOST_ROWS:
        shown.append(SheetRow([], f"and {len(rows) - _MOST_ROWS} clips that are not shown"))
    drawn = [_draw(row, n_columns * _TILE_PX) for row in shown]
    sheet = np.concatenate(
        drawn or [np.full((_CAPTION_PX, n_columns * _TILE_PX, 3), 255, np.uint8)]
    )
    encoded = cv2.imencode(".png", sheet[..., ::-1])[1]
    with published(path) as partial:
        partial.write_bytes(encoded.tobytes())


def _draw(row: SheetRow, width: int) -> NDArray[np.uint8]:
    drawn = np.full((_TILE_PX + _CAPTION_PX, width, 3), _WHITE, np.uint8)
    for column, tile in enumerate(row.tiles):
        left = column * _TILE_PX
        drawn[:_TILE_PX, left : left + _TILE_PX] = tile
    place = (6, _TILE_PX + 22)
    cv2.putText(
        drawn, row.caption[:110], place, cv2.FONT_HERSHEY_SIMPLEX, 0.45, _BLACK, 1, cv2.LINE_AA
    )
    return drawn


def _original_tile(frame: NDArray[np.uint8], face: RegisteredClip) -> NDArray[np.uint8]:
    """Return the frame as filmed, shrunk to a tile, with box and landmarks."""
    scale = _TILE_PX / max(frame.shape[:2])
    height, width = round(frame.shape[0] * scale), round(frame.shape[1] * scale)
    tile = np.zeros((_TILE_PX, _TILE_PX, 3), np.uint8)
    tile[:height, :width] = cv2.resize(frame, (width, height), interpolation=cv2.INTER_AREA)
    corners = np.array([[face.box.left, face.box.top], [face.box.side, face.box.side]]) * scale
    (left, top), (side, _) = corners.round().astype(int).tolist()
    cv2.rectangle(tile, (left, top), (left + side, top + side), _YELLOW, 1)
    _draw_points(tile, face.first_landmarks * scale, 0)
    return tile


def _registered_tile(frame: NDArray[np.uint8], landmarks: NDArray[np.float32]) -> NDArray[np.uint8]:
    tile = _shrunk(frame)
    _draw_points(tile, landmarks * (_TILE_PX / len(frame)), 1)
    return tile


def _shrunk(frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.asarray(
        cv2.resize(frame, (_TILE_PX, _TILE_PX), interpolation=cv2.INTER_AREA), np.uint8
    )


def _draw_points(tile: NDArray[np.uint8], points: NDArray[np.floating], radius: int) -> None:
    if not np.isfinite(points).all():  # faces.registration none
        return
    for x, y in points.round().astype(int).tolist():
        cv2.circle(tile, (x, y), radius, _GREEN, -1)

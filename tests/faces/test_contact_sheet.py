from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from merec_hpc.faces.contact_sheet import (
    Apex,
    SheetRow,
    draw_detection,
    failed_row,
    interpolated_row,
    registered_row,
    write_contact_sheet,
)
from merec_hpc.faces.detection import Box
from merec_hpc.faces.registration import RegisteredClip

TILE_PX, ROW_PX, WIDTH_PX = 160, 194, 5 * 160
GREEN, YELLOW, RED = (60, 220, 60), (250, 220, 60), (230, 60, 50)


def _registered(n_frames: int) -> RegisteredClip:
    landmarks = np.full((n_frames, 68, 2), 60.0, np.float32)
    landmarks[1::2, :, 0] += 3.0  # every second frame lies 3 pixels to the right
    return RegisteredClip(
        frames=np.full((n_frames, 112, 112, 3), 100, np.uint8),
        landmarks=landmarks,
        box=Box(80.0, 40.0, 160.0),
        first_landmarks=np.full((68, 2), 120.0, np.float32),
        affines=np.tile(np.eye(2, 3), (n_frames, 1, 1)),
        first_frame=np.full((240, 320, 3), 50, np.uint8),
        jitter_px=3.0,
    )


def _row(n_frames: int, motion: Sequence[NDArray[np.uint8]] = ()) -> SheetRow:
    face = _registered(n_frames)
    apex = Apex(min(4, n_frames - 1), 104, "difference")
    return registered_row(
        "s1_ne_01",
        "negative",
        draw_detection(face),
        face.frames,
        face.landmarks,
        face.jitter_px,
        apex,
        motion,
    )


def _has(tile: NDArray[np.uint8], colour: tuple[int, int, int]) -> bool:
    return bool((tile == colour).all(axis=2).any())


def _written(path: Path) -> NDArray[np.uint8]:
    return np.asarray(cv2.imread(str(path), cv2.IMREAD_COLOR_RGB), np.uint8)


def test_row_shows_the_first_frame_and_four_registered_ones() -> None:
    row = _row(9)
    assert [tile.shape for tile in row.tiles] == [(TILE_PX, TILE_PX, 3)] * 5


@pytest.mark.parametrize("n_frames", [1, 2, 3])
def test_short_clip_shows_each_frame_once(n_frames: int) -> None:
    assert len(_row(n_frames).tiles) == 1 + n_frames


def test_first_frame_carries_the_box_where_it_was_found() -> None:
    tile = _row(4).tiles[0]
    ys, xs = np.nonzero((tile == YELLOW).all(axis=2))
    # 320x240 shrinks to 160x120: the box of 160 pixels at (80, 40) to one of 80 at (40, 20).
    assert (xs.min(), ys.min(), xs.max(), ys.max()) == (40, 20, 120, 100)


def test_first_frame_carries_its_landmarks() -> None:
    tile = _row(4).tiles[0]
    np.testing.assert_array_equal(tile[60, 60], GREEN)


def test_registered_frames_carry_their_landmarks() -> None:
    first, second = _row(2).tiles[1:]
    scale = TILE_PX / 112
    np.testing.assert_array_equal(first[round(60 * scale), round(60 * scale)], GREEN)
    np.testing.assert_array_equal(second[round(60 * scale), round(63 * scale)], GREEN)
    assert not _has(first[:, round(66 * scale) :], GREEN)


def test_caption_tells_clip_label_length_apex_and_jitter() -> None:
    expected = "s1_ne_01  negative  7 frames  apex 104 (difference)  jitter 3.00 px"
    assert _row(7).caption == expected


@pytest.mark.parametrize("n_frames", [2, 3, 5, 9, 30])
def test_apex_alone_is_framed(n_frames: int) -> None:
    framed = [bool((tile[0] == RED).all()) for tile in _row(n_frames).tiles[1:]]
    assert sum(framed) == 1
    # Every second frame's landmarks lie further right: those of the framed one are the apex's.
    place = min(4, n_frames - 1)
    tile = _row(n_frames).tiles[1:][framed.index(True)]
    scale = TILE_PX / 112
    x = 63 if place % 2 else 60
    np.testing.assert_array_equal(tile[round(60 * scale), round(x * scale)], GREEN)


def test_single_frame_is_not_framed() -> None:
    assert not _has(_row(1).tiles[1], RED)


def test_pictures_of_the_motion_stand_behind_the_frames(tmp_path: Path) -> None:
    pictures = [np.full((112, 112, 3), value, np.uint8) for value in (10, 20)]
    row = _row(9, pictures)
    assert [int(tile[0, 0, 0]) for tile in row.tiles[-2:]] == [10, 20]
    write_contact_sheet(tmp_path / "sheet.png", [row, _row(9)])
    assert _written(tmp_path / "sheet.png").shape == (2 * ROW_PX, 7 * TILE_PX, 3)


def test_frames_that_are_drawn_on_stay_as_they_were() -> None:
    face = _registered(3)
    registered_row(
        "clip", "label", draw_detection(face), face.frames, face.landmarks, 3.0, Apex(1, 1)
    )
    assert (face.first_frame == 50).all()
    assert (face.frames == 100).all()


def test_clip_without_a_picture_of_its_first_frame_gets_a_black_one() -> None:
    face = _registered(2)
    row = registered_row("clip", "label", None, face.frames, face.landmarks, 3.0, Apex(1, 1))
    assert (row.tiles[0] == 0).all()
    assert _has(row.tiles[1], GREEN)


def test_failed_clip_gets_a_row_with_its_reason() -> None:
    row = failed_row("s1_ne_02", "no face")
    assert row.caption == "s1_ne_02  left out: no face"
    assert [tile.shape for tile in row.tiles] == [(TILE_PX, TILE_PX, 3)]


def test_sheet_is_five_tiles_wide_and_a_row_per_clip_high(tmp_path: Path) -> None:
    path = tmp_path / "sheets" / "s1.png"
    write_contact_sheet(path, [_row(9), failed_row("s1_ne_02", "no face"), _row(1)])
    assert _written(path).shape == (3 * ROW_PX, WIDTH_PX, 3)


def test_sheet_keeps_the_colours(tmp_path: Path) -> None:
    tile = np.full((TILE_PX, TILE_PX, 3), (200, 30, 10), np.uint8)
    write_contact_sheet(tmp_path / "s1.png", [SheetRow([tile], "red")])
    np.testing.assert_array_equal(_written(tmp_path / "s1.png")[10, 10], [200, 30, 10])


def test_caption_is_drawn_below_the_tiles(tmp_path: Path) -> None:
    for name, caption in (("empty", ""), ("full", "clip  label")):
        tile = np.zeros((TILE_PX, TILE_PX, 3), np.uint8)
        write_contact_sheet(tmp_path / f"{name}.png", [SheetRow([tile], caption)])
    empty, full = _written(tmp_path / "empty.png"), _written(tmp_path / "full.png")
    np.testing.assert_array_equal(empty[:TILE_PX], full[:TILE_PX])
    assert (empty[TILE_PX:] == 255).all()
    assert (full[TILE_PX:] < 128).any()


def test_same_rows_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a.png", "b.png"):
        write_contact_sheet(tmp_path / name, [_row(5)])
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


def test_interpolated_frames_are_spread_over_the_clip() -> None:
    frames = np.repeat(np.linspace(-20, 300, 20, dtype=np.float32), 64 * 64 * 3)
    row = interpolated_row("s1_ne_01", "negative", frames.reshape(20, 64, 64, 3), 9)
    assert [tile.shape for tile in row.tiles] == [(TILE_PX, TILE_PX, 3)] * 5
    greys = [int(tile[0, 0, 0]) for tile in row.tiles]
    assert (greys[0], greys[-1]) == (0, 255)  # overshoots are shown as black and white
    assert greys == sorted(greys)
    assert "9 -> 20" in row.caption


def test_sheet_of_no_clips_can_be_written(tmp_path: Path) -> None:
    write_contact_sheet(tmp_path / "sheet.png", [])
    assert _written(tmp_path / "sheet.png").shape[1] == WIDTH_PX


def test_sheet_of_very_many_clips_says_how_many_it_leaves_out(tmp_path: Path) -> None:
    row = failed_row("clip", "no face")
    write_contact_sheet(tmp_path / "all.png", [row] * 200)
    write_contact_sheet(tmp_path / "many.png", [row] * 200, 800)
    assert len(_written(tmp_path / "all.png")) == 200 * ROW_PX
    assert len(_written(tmp_path / "many.png")) == 201 * ROW_PX

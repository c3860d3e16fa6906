import time
import weakref
from collections.abc import Iterator, Sequence
from pathlib import Path
from threading import Event

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from merec_hpc.dataset.clip import Clip
from merec_hpc.dataset.frames import (
    broken_frames,
    folder_states,
    frame_files,
    frame_numbers,
    iterate_frames,
    read_ahead,
    read_frames,
)
from merec_hpc.dataset.sources import Folder, Images, Source, TableRow, Video, find_source
from merec_hpc.errors import MerecError

HEIGHT, WIDTH = 24, 32
RED, GREEN, BLUE = (255, 0, 0), (0, 255, 0), (0, 0, 255)


def test_frames_are_sorted_by_number_not_by_name(tmp_path: Path) -> None:
    _write_images(tmp_path, ["frame9.png", "frame10.png", "frame100.png", "frame2.png"])
    assert _names(tmp_path) == ["frame2.png", "frame9.png", "frame10.png", "frame100.png"]


def test_padded_and_unpadded_numbers_are_one_sequence(tmp_path: Path) -> None:
    _write_images(tmp_path, ["image9999.bmp", "image010000.bmp", "image09998.bmp"])
    assert _names(tmp_path) == ["image09998.bmp", "image9999.bmp", "image010000.bmp"]


def test_frames_are_read_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    for number in (10, 9, 8):
        _write(tmp_path / "clip" / f"{number}.png", np.full((HEIGHT, WIDTH, 3), number))
    frames = read_frames(tmp_path, _clip())
    assert frames.shape == (3, HEIGHT, WIDTH, 3)
    assert frames.dtype == np.uint8
    np.testing.assert_array_equal(frames[:, 0, 0, 0], [8, 9, 10])


def test_last_run_of_digits_orders_the_frames(tmp_path: Path) -> None:
    _write_images(tmp_path, ["s2_01_img3.png", "s1_02_img4.png", "s3_00_img2.png"])
    assert _names(tmp_path) == ["s3_00_img2.png", "s2_01_img3.png", "s1_02_img4.png"]


def test_other_files_are_no_frames(tmp_path: Path) -> None:
    _write_images(tmp_path, ["1.png", "2.png"])
    for name in ("Thumbs.db", ".DS_Store", "notes3.txt", "4.csv", "cover.png", "5.png.partial"):
        (tmp_path / "clip" / name).write_bytes(b"junk")
    (tmp_path / "clip" / "6").mkdir()
    assert _names(tmp_path) == ["1.png", "2.png"]


def test_suffixes_may_be_upper_case(tmp_path: Path) -> None:
    _write_images(tmp_path, ["1.PNG", "2.Jpg", "3.BMP", "4.TIF"])
    assert _names(tmp_path) == ["1.PNG", "2.Jpg", "3.BMP", "4.TIF"]
    assert len(read_frames(tmp_path, _clip())) == 4


@pytest.mark.parametrize(
    ("onset", "offset", "numbers"),
    [
        (None, None, [7, 8, 9, 10, 11]),
        (8, 10, [8, 9, 10]),
        (10, None, [10, 11]),
        (None, 8, [7, 8]),
        (9, 9, [9]),
    ],
)
def test_onset_and_offset_are_numbers_of_frames(
    tmp_path: Path, onset: int | None, offset: int | None, numbers: list[int]
) -> None:
    _write_images(tmp_path, [f"img{number}.png" for number in range(7, 12)])
    expected = [f"img{number}.png" for number in numbers]
    assert _names(tmp_path, onset=onset, offset=offset) == expected


def test_gaps_in_a_folder_without_onset_and_offset_are_passed_over(tmp_path: Path) -> None:
    _write_images(tmp_path, ["1.png", "5.png", "3.png"])
    assert _names(tmp_path) == ["1.png", "3.png", "5.png"]


def test_missing_frames_are_named_by_number(tmp_path: Path) -> None:
    _write_images(tmp_path, ["1.png", "3.png", "5.png"])
    message = _refusal(tmp_path, _clip(onset=1, offset=6))
    assert "frames 1 to 6 expected, 2, 4, 6 missing" in message
    assert str(tmp_path / "clip") in message


def test_many_missing_frames_are_counted(tmp_path: Path) -> None:
    _write_images(tmp_path, ["1.png"])
    message = _refusal(tmp_path, _clip(onset=1, offset=10))
    assert "2, 3, 4, 5, 6 and 4 more missing" in message


def test_two_files_with_one_number_are_refused(tmp_path: Path) -> None:
    _write_images(tmp_path, ["img1.png", "img02.png", "img2.png"])
    message = _refusal(tmp_path, _clip())
    assert "img02.png" in message
    assert "img2.png" in message


def test_missing_folder_is_named(tmp_path: Path) -> None:
    assert str(tmp_path / "clip") in _refusal(tmp_path, _clip())


@pytest.mark.parametrize("names", [(), ("notes1.txt", "cover.png")])
def test_folder_without_numbered_images_is_refused(tmp_path: Path, names: Sequence[str]) -> None:
    (tmp_path / "clip").mkdir()
    for name in names:
        (tmp_path / "clip" / name).write_bytes(b"junk")
    assert "expected numbered images, found none" in _refusal(tmp_path, _clip())


@pytest.mark.parametrize("content", [b"", b"this is no image"])
def test_unreadable_image_is_named_with_its_size(tmp_path: Path, content: bytes) -> None:
    _write_images(tmp_path, ["1.png", "2.png"])
    (tmp_path / "clip" / "2.png").write_bytes(content)
    message = _refusal(tmp_path, _clip())
    assert str(tmp_path / "clip" / "2.png") in message
    assert f"found {len(content)} bytes" in message


def test_frames_of_different_sizes_are_refused(tmp_path: Path) -> None:
    _write(tmp_path / "clip" / "1.png", np.zeros((HEIGHT, WIDTH, 3)))
    _write(tmp_path / "clip" / "2.png", np.zeros((WIDTH, HEIGHT, 3)))
    message = _refusal(tmp_path, _clip())
    assert f"({HEIGHT}, {WIDTH}, 3)" in message
    assert f"({WIDTH}, {HEIGHT}, 3)" in message


def test_listed_images_keep_the_order_of_the_list(tmp_path: Path) -> None:
    for name, grey in (("b1.pgm", 10), ("sub/a2.pgm", 200)):
        _write(tmp_path / name, np.full((HEIGHT, WIDTH), grey))
    frames = read_frames(tmp_path, _clip("sub/a2.pgm;b1.pgm"))
    np.testing.assert_array_equal(frames[:, 0, 0], [[200] * 3, [10] * 3])


def test_missing_image_of_a_list_is_named(tmp_path: Path) -> None:
    _write(tmp_path / "a.pgm", np.zeros((HEIGHT, WIDTH)))
    assert str(tmp_path / "b.pgm") in _refusal(tmp_path, _clip("a.pgm;b.pgm"))


def test_grey_image_of_16_levels_becomes_three_equal_channels(tmp_path: Path) -> None:
    levels = np.arange(16)
    text = " ".join(map(str, levels))
    (tmp_path / "a.pgm").write_text(f"P2\n16 1\n15\n{text}\n")
    frame = read_frames(tmp_path, _clip("a.pgm;a.pgm"))[0]
    assert frame.shape == (1, 16, 3)
    np.testing.assert_array_equal(frame, np.repeat(frame[..., :1], 3, axis=2))
    np.testing.assert_array_equal(frame[0, :, 0], levels * 17)  # 15 is white


def test_channels_of_an_image_are_red_green_blue(tmp_path: Path) -> None:
    for number, colour in enumerate((RED, GREEN, BLUE)):
        _write(tmp_path / "clip" / f"{number}.png", _plain(colour))
    frames = read_frames(tmp_path, _clip())
    np.testing.assert_array_equal(frames[:, 0, 0], [RED, GREEN, BLUE])


def test_channels_of_a_video_are_red_green_blue(tmp_path: Path) -> None:
    _write_video(tmp_path / "clip.avi", [_plain(colour) for colour in (RED, GREEN, BLUE)])
    frames = read_frames(tmp_path, _clip("clip.avi"))
    assert frames.shape == (3, HEIGHT, WIDTH, 3)
    means = frames.mean(axis=(1, 2))
    np.testing.assert_allclose(means, [RED, GREEN, BLUE], atol=6)  # the codec is lossy


@pytest.mark.parametrize(
    ("onset", "offset", "numbers"),
    [
        (None, None, [0, 1, 2, 3, 4]),
        (1, 3, [1, 2, 3]),
        (3, None, [3, 4]),
        (None, 0, [0]),
        (4, 4, [4]),
    ],
)
def test_frames_of_a_video_count_from_0(
    tmp_path: Path, onset: int | None, offset: int | None, numbers: list[int]
) -> None:
    _write_video(tmp_path / "clip.AVI", [_plain((40 * n,) * 3) for n in range(5)])
    frames = read_frames(tmp_path, _clip("clip.AVI", onset, offset))
    np.testing.assert_allclose(frames.mean(axis=(1, 2, 3)) / 40, numbers, atol=0.1)


@pytest.mark.parametrize(
    ("onset", "offset", "wanted"), [(0, 5, "0 to 5"), (None, 9, "0 to 9"), (5, None, "from 5")]
)
def test_video_that_is_too_short_is_refused_with_its_length(
    tmp_path: Path, onset: int | None, offset: int | None, wanted: str
) -> None:
    _write_video(tmp_path / "clip.avi", [_plain(RED)] * 5)
    message = _refusal(tmp_path, _clip("clip.avi", onset, offset))
    assert f"frames {wanted} expected, the video ends after 5 frames" in message


def test_missing_video_is_named(tmp_path: Path) -> None:
    assert str(tmp_path / "clip.mp4") in _refusal(tmp_path, _clip("clip.mp4"))


def test_file_that_is_no_video_has_no_frames(tmp_path: Path) -> None:
    (tmp_path / "clip.avi").write_bytes(b"this is no video")
    assert "ends after 0 frames" in _refusal(tmp_path, _clip("clip.avi"))


def _clip(path: str = "clip", onset: int | None = None, offset: int | None = None) -> Clip:
    return Clip("c01", "s01", "happy", find_source(path), onset=onset, offset=offset)


def _names(root: Path, onset: int | None = None, offset: int | None = None) -> list[str]:
    return [path.name for path in frame_files(root, _clip(onset=onset, offset=offset))]


def _refusal(root: Path, clip: Clip) -> str:
    with pytest.raises(MerecError) as caught:
        read_frames(root, clip)
    return str(caught.value)


def _plain(colour: tuple[int, ...]) -> NDArray[np.uint8]:
    return np.broadcast_to(np.array(colour, np.uint8), (HEIGHT, WIDTH, 3)).copy()


def _write_images(root: Path, names: Sequence[str]) -> None:
    for name in names:
        _write(root / "clip" / name, np.zeros((HEIGHT, WIDTH, 3)))


def _write(path: Path, image: NDArray[np.generic]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = image.astype(np.uint8)
    encoded = cv2.imencode(path.suffix.lower(), pixels[..., ::-1] if pixels.ndim == 3 else pixels)
    path.write_bytes(encoded[1].tobytes())


def _write_video(path: Path, frames: Sequence[NDArray[np.uint8]]) -> None:
    codec = cv2.VideoWriter.fourcc(*"MJPG")
    video = cv2.VideoWriter(str(path), codec, 25.0, (WIDTH, HEIGHT))
    assert video.isOpened()
    for frame in frames:
        video.write(frame[..., ::-1].copy())
    video.release()


def test_hidden_files_are_no_frames(tmp_path: Path) -> None:
    for name in ("1.png", "2.png"):
        cv2.imwrite(str(tmp_path / name), np.zeros((4, 4, 3), np.uint8))
    (tmp_path / "._1.png").write_bytes(b"left by macOS")
    clip = Clip("c", "s", "x", Folder("."))
    assert [path.name for path in frame_files(tmp_path, clip)] == ["1.png", "2.png"]


@pytest.mark.parametrize(("onset", "offset"), [(10, None), (None, 0)])
def test_onset_and_offset_beyond_the_frames_are_refused(
    tmp_path: Path, onset: int | None, offset: int | None
) -> None:
    cv2.imwrite(str(tmp_path / "3.png"), np.zeros((4, 4, 3), np.uint8))
    clip = Clip("c", "s", "x", Folder("."), onset=onset, offset=offset)
    with pytest.raises(MerecError, match="expected, found 3 to 3"):
        frame_files(tmp_path, clip)


def test_a_new_folder_far_below_is_noticed_and_a_changed_frame_is_not(tmp_path: Path) -> None:
    frame = tmp_path / "VIS" / "s1" / "micro" / "clip" / "1.bmp"
    frame.parent.mkdir(parents=True)
    frame.touch()
    before = folder_states(tmp_path)
    assert [name for name, _ in before] == [
        ".",
        "VIS",
        "VIS/s1",
        "VIS/s1/micro",
        "VIS/s1/micro/clip",
    ]
    frame.write_bytes(b"changed")
    assert folder_states(tmp_path) == before
    (tmp_path / "VIS" / "s2").mkdir()
    assert folder_states(tmp_path) != before


def test_frames_read_ahead_are_the_same_and_in_order() -> None:
    frames = [np.full((HEIGHT, WIDTH, 3), number, np.uint8) for number in range(200)]
    assert [int(frame[0, 0, 0]) for frame in read_ahead(frames)] == list(range(200))
    assert list(read_ahead([])) == []


def test_mistake_while_reading_ahead_is_told_when_it_is_due() -> None:
    def broken() -> Iterator[NDArray[np.uint8]]:
        yield np.zeros((HEIGHT, WIDTH, 3), np.uint8)
        yield np.ones((HEIGHT, WIDTH, 3), np.uint8)
        msg = "the third frame is missing"
        raise MerecError(msg)

    read = read_ahead(broken())
    assert next(read).max() == 0
    assert next(read).max() == 1
    with pytest.raises(MerecError, match="the third frame is missing"):
        next(read)


def _n_alive(references: Sequence[weakref.ref[NDArray[np.uint8]]]) -> int:
    return sum(reference() is not None for reference in references)


def test_no_more_is_read_ahead_than_memory_allows() -> None:
    read: list[weakref.ref[NDArray[np.uint8]]] = []

    def large() -> Iterator[NDArray[np.uint8]]:
        for _ in range(40):
            frame = np.empty((4000, 2000, 3), np.uint8)  # 24 MB: two of them ahead
            read.append(weakref.ref(frame))
            yield frame

    most = 0
    for _ in read_ahead(large()):
        time.sleep(0.005)  # the thread reads on as far as it is let
        most = max(most, _n_alive(read))
    assert len(read) == 40
    # The first, which is kept, the one worked on, two ahead and one being handed over.
    assert most <= 5


def test_next_frame_is_read_while_one_is_worked_on() -> None:
    is_read = Event()

    def small() -> Iterator[NDArray[np.uint8]]:
        yield np.zeros((HEIGHT, WIDTH, 3), np.uint8)
        is_read.set()
        yield np.ones((HEIGHT, WIDTH, 3), np.uint8)

    frames = read_ahead(small())
    next(frames)
    assert is_read.wait(timeout=30)
    assert next(frames).min() == 1


def test_nothing_is_read_on_once_a_reader_is_left() -> None:
    n_read = 0

    def endless() -> Iterator[NDArray[np.uint8]]:
        nonlocal n_read
        while True:
            n_read += 1
            yield np.zeros((HEIGHT, WIDTH, 3), np.uint8)

    frames = read_ahead(endless())
    next(frames)
    frames.close()  # type: ignore[attr-defined]
    n_read_before = n_read
    time.sleep(0.01)
    assert n_read == n_read_before


@pytest.mark.parametrize("path", ["clip", "clip.avi"])
def test_frames_that_were_yielded_are_not_kept(tmp_path: Path, path: str) -> None:
    n_frames = 12
    _write_images(tmp_path, [f"{number}.png" for number in range(n_frames)])
    _write_video(tmp_path / "clip.avi", [_plain(RED)] * n_frames)
    seen: list[weakref.ref[NDArray[np.uint8]]] = []
    most = 0
    for frame in iterate_frames(tmp_path, _clip(path)):
        seen.append(weakref.ref(frame))
        most = max(most, _n_alive(seen))
    assert len(seen) == n_frames
    assert most <= 2


def test_undecodable_frames_of_a_video_are_numbered(tmp_path: Path) -> None:
    path = tmp_path / "clip.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 25.0, (WIDTH, HEIGHT))
    for number in range(10):
        writer.write(np.full((HEIGHT, WIDTH, 3), 20 * number, np.uint8))
    writer.release()
    clip = Clip("clip", "s", "x", Video("clip.avi"))
    assert broken_frames(tmp_path, clip) == []
    whole = path.read_bytes()
    # The container promises ten frames; from the middle of its pictures on there is nothing.
    end = whole.rfind(b"movi") + (whole.rfind(b"idx1") - whole.rfind(b"movi")) // 2
    path.write_bytes(whole[:end])
    lost = broken_frames(tmp_path, clip)
    assert lost
    assert lost == list(range(lost[0], 10))
    assert (
        broken_frames(tmp_path, Clip("clip", "s", "x", Video("clip.avi"), onset=0, offset=2)) == []
    )


@pytest.mark.parametrize(
    ("source", "marks", "n_frames", "expected"),
    [
        (Folder("clip"), {}, 4, [8, 9, 10, 12]),
        (Folder("clip"), {"onset": 9, "offset": 10}, 2, [9, 10]),
        (Video("clip.avi"), {}, 3, [0, 1, 2]),
        (Video("clip.avi"), {"onset": 5, "offset": 7}, 3, [5, 6, 7]),
        (Images(("neutral.png", "happy.png")), {}, 2, [0, 1]),
        (TableRow("faces.csv", 9), {}, 1, [0]),
    ],
)
def test_frames_have_the_numbers_that_onset_and_apex_count_by(
    tmp_path: Path, source: Source, marks: dict[str, int], n_frames: int, expected: list[int]
) -> None:
    _write_images(tmp_path, [f"img{number}.png" for number in (12, 9, 10, 8)])
    clip = Clip("clip", "s", "x", source, **marks)
    assert frame_numbers(tmp_path, clip, n_frames) == expected


def test_single_images_are_known_as_such() -> None:
    assert Images(("a.png",)).is_still
    assert TableRow("faces.csv", 1).is_still
    assert not Images(("a.png", "b.png")).is_still
    assert not Folder("clip").is_still
    assert not Video("clip.avi").is_still

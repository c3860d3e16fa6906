from pathlib import Path

import cv2
import numpy as np
import pytest

from merec_hpc.dataset.sources import (
    SOURCES,
    Folder,
    Images,
    Source,
    Span,
    TableRow,
    Video,
    find_source,
)
from merec_hpc.errors import MerecError

ALL = Span()
EVERY_KIND = [
    Folder("frames/c#1"),
    Images(("a;1.png", "b%2.png")),
    Video("films/c;1.avi"),
    TableRow("pixels.csv", 2),
]
each_kind = pytest.mark.parametrize("source", EVERY_KIND, ids=lambda source: source.kind)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A dataset with a clip of two frames, (24, 32), of every kind; the table's one is (2, 2)."""
    frames = [np.full((24, 32, 3), grey, np.uint8) for grey in (50, 200)]
    for path in ("frames/c#1/1.png", "frames/c#1/2.png", "a;1.png", "b%2.png"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(tmp_path / path), frames["2" in path])
    (tmp_path / "films").mkdir()
    codec = cv2.VideoWriter.fourcc(*"MJPG")
    video = cv2.VideoWriter(str(tmp_path / "films" / "c;1.avi"), codec, 25.0, (32, 24))
    for frame in frames:
        video.write(frame)
    video.release()
    (tmp_path / "pixels.csv").write_text("emotion, pixels\n0,1 2 3\n1,10 20 30 40\n2,\n")
    return tmp_path


@each_kind
def test_text_of_a_source_gives_it_back(source: Source) -> None:
    assert SOURCES[source.kind].parse(source.text) == source


@each_kind
def test_frames_are_read_and_the_first_has_the_size(root: Path, source: Source) -> None:
    frames = list(source.frames(root, ALL))
    assert {frame.shape for frame in frames} == {(*source.frame_size(root, ALL), 3)}
    assert len(frames) == (1 if isinstance(source, TableRow) else 2)
    assert source.broken_frames(root, ALL) == []


@each_kind
def test_source_seen_from_above_has_the_same_frames(root: Path, source: Source) -> None:
    above = source.below(root.name)
    assert type(above) is type(source)
    found, expected = above.frames(root.parent, ALL), source.frames(root, ALL)
    np.testing.assert_array_equal(list(found), list(expected))


@each_kind
def test_files_are_named_with_size_and_time(root: Path, source: Source) -> None:
    states = source.file_states(root, ALL)
    assert [name for name, _, _ in states] == [path.name for path in source.files(root, ALL)]
    assert states[0][1:] == (
        source.files(root, ALL)[0].stat().st_size,
        source.files(root, ALL)[0].stat().st_mtime_ns,
    )
    assert source.file_states(root / "absent", ALL) == []


@each_kind
def test_missing_source_is_one_line(tmp_path: Path, source: Source) -> None:
    with pytest.raises(MerecError, match="expected"):
        list(source.frames(tmp_path, ALL))
    with pytest.raises(MerecError, match="expected"):
        source.frame_size(tmp_path, ALL)


def test_broken_images_are_named_by_number_or_by_place(root: Path) -> None:
    (root / "frames" / "c#1" / "2.png").write_bytes(b"broken")
    (root / "plain.png").write_bytes(b"broken")
    assert Folder("frames/c#1").broken_frames(root, ALL) == [2]
    assert Images(("a;1.png", "plain.png")).broken_frames(root, ALL) == [1]


def test_row_of_a_table_is_a_grey_square(root: Path) -> None:
    (frame,) = TableRow("pixels.csv", 2).frames(root, ALL)
    np.testing.assert_array_equal(frame[..., 0], [[10, 20], [30, 40]])
    np.testing.assert_array_equal(frame, np.repeat(frame[..., :1], 3, axis=2))


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (1, "pixels.csv#1: a square of grey pixels expected, found 3 numbers"),
        (3, "pixels.csv#3: a square of grey pixels expected, found 0 numbers"),
        (4, "pixels.csv: row 4 expected, found 3 rows"),
    ],
)
def test_row_that_is_no_square_or_is_not_there_is_refused(
    root: Path, row: int, message: str
) -> None:
    with pytest.raises(MerecError) as caught:
        list(TableRow("pixels.csv", row).frames(root, ALL))
    assert str(caught.value) == f"{root}/{message}"


def test_table_without_pixels_is_refused(tmp_path: Path) -> None:
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    with pytest.raises(MerecError, match="column 'pixels' expected, found a, b"):
        list(TableRow("other.csv", 1).frames(tmp_path, ALL))


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("frames/c#1", Folder("frames/c#1")),
        ("a;1.png", Images(("a;1.png",))),
        ("films/c;1.avi", Video("films/c;1.avi")),
        ("pixels.csv#2", TableRow("pixels.csv", 2)),
        ("absent", Folder("absent")),
        ("absent.png", Folder("absent.png")),
        ("absent.AVI", Video("absent.AVI")),
        ("absent#2.avi", Video("absent#2.avi")),
        ("absent#2", Folder("absent#2")),
        ("absent.png;other.png", Images(("absent.png", "other.png"))),
    ],
)
def test_what_lies_there_decides_then_the_path_itself(
    root: Path, path: str, source: Source
) -> None:
    assert find_source(path, root) == source


def test_folder_named_like_a_row_or_a_video_is_a_folder(tmp_path: Path) -> None:
    for path in ("a.csv#7", "a.avi", "a;b"):
        (tmp_path / path).mkdir()
        assert find_source(path, tmp_path) == Folder(path)

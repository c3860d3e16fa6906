"""Reads the frames of one clip from image files or a video: (n_frames, h, w, 3), RGB."""

import csv
import os
import re
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from merec_hpc.errors import MerecError
from merec_hpc.files.rows import long_cells
from merec_hpc.records import Clip

IMAGE_SUFFIXES = frozenset({".bmp", ".jpg", ".jpeg", ".png", ".pgm", ".tif", ".tiff"})
VIDEO_SUFFIXES = frozenset({".avi", ".mp4", ".mov", ".mkv"})
_BYTES_AHEAD = 64_000_000  # of frames in memory at most, before they are asked for
_MOST_AHEAD = 64
_LAST_NUMBER = re.compile(r"(\d+)\D*$")


def read_frames(root: Path, clip: Clip) -> NDArray[np.uint8]:
    """Return the frames of a clip from onset to offset.

    Parameters
    ----------
    root
        Folder that the clip's path is relative to.
    clip
        A folder of numbered images, a video (frames count from 0), images joined by ``;``, or
        ``file.csv#row`` of a table with a column of grey pixels.

    Returns
    -------
    NDArray[np.uint8]
        Frames in the order of their numbers, shape (n_frames, h, w, 3), RGB.

    Raises
    ------
    MerecError
        If the clip, a frame between onset and offset, or an image's content is missing or
        broken, or if sizes differ.
    """
    return np.stack(list(iterate_frames(root, clip)))


def iterate_frames(root: Path, clip: Clip) -> Iterator[NDArray[np.uint8]]:
    """Yield the frames of a clip as ``read_frames`` returns them, one at a time.

    Raises
    ------
    MerecError
        As ``read_frames``, when the frame that is missing, broken or of another size is due.
    """
    if "#" in clip.path:
        yield _read_row(root, clip)
    elif is_video(root, clip):
        yield from _iterate_video(root / clip.path, clip)
    else:
        size = None
        for path in frame_files(root, clip):
            frame = read_image(path)
            size = size or frame.shape
            if frame.shape != size:
                known, other = sorted([size, frame.shape])
                msg = f"{root / clip.path}: frames of one size expected, found {known} and {other}"
                raise MerecError(msg)
            yield frame


def read_ahead(frames: Iterable[NDArray[np.uint8]]) -> Iterator[NDArray[np.uint8]]:
    """Yield frames that a thread of its own reads while others are worked on."""
    coming = iter(frames)
    first = next(coming, None)
    if first is None:
        return
    with ThreadPoolExecutor(1) as reader:
        n_ahead = min(max(2, _BYTES_AHEAD // first.nbytes), _MOST_AHEAD)
        waiting = deque(reader.submit(next, coming, None) for _ in range(n_ahead))
        try:
            yield first
            while (frame := waiting.popleft().result()) is not None:
                waiting.append(reader.submit(next, coming, None))
                yield frame
        finally:
            reader.shutdown(cancel_futures=True)


def frame_size(root: Path, clip: Clip) -> tuple[int, int]:
    """Return height and width of the first frame of a clip.

    Raises
    ------
    MerecError
        If it cannot be read.
    """
    if is_video(root, clip):
        video = cv2.VideoCapture(str(root / clip.path))
        width, height = (int(video.get(key)) for key in (3, 4))
        video.release()
        if not width or not height:
            msg = f"{root / clip.path}: expected a video, found none that can be read"
            raise MerecError(msg)
        return height, width
    image = _read_row(root, clip) if "#" in clip.path else read_image(frame_files(root, clip)[0])
    return image.shape[0], image.shape[1]


def broken_frames(root: Path, clip: Clip) -> list[int]:
    """Return the numbers of a clip's frames that do not decode, or are of another size.

    Of a video those that its container promises after the last one that decodes.
    """
    if "#" in clip.path:
        return []
    if is_video(root, clip):
        return _undecoded_frames(root / clip.path, clip)
    broken, size = [], None
    for place, path in enumerate(frame_files(root, clip)):
        number = frame_number(path)
        try:
            image = read_image(path)
        except MerecError:
            image = None
        if image is None or image.shape != (size := size or image.shape):
            broken.append(number if number is not None else place)
    return broken


def is_video(root: Path, clip: Clip) -> bool:
    """Return whether a clip's path is that of a video, there or not."""
    path = root / clip.path
    return ";" not in clip.path and path.suffix.lower() in VIDEO_SUFFIXES and not path.is_dir()


def file_states(root: Path, clip: Clip) -> list[tuple[str, int, int]]:
    """Return name, size and time of change (ns) of a clip's files; none if they are missing."""
    try:
        files = [root / clip.path] if is_video(root, clip) else frame_files(root, clip)
        states = [(path.name, path.stat()) for path in files]
    except (MerecError, OSError):
        return []
    return [(name, state.st_size, state.st_mtime_ns) for name, state in states]


def folder_states(root: Path) -> list[tuple[str, int]]:
    """Return every folder below ``root`` with the time of its last change (ns), sorted.

    A folder changes when something is added to it or removed. Frames are not looked at:
    where a filesystem counts a folder's folders in its links, leaves are not even listed.
    """
    states, waiting = [], [root]
    while waiting:
        folder = waiting.pop()
        state = folder.stat()
        states.append((folder.relative_to(root).as_posix(), state.st_mtime_ns))
        if state.st_nlink != 2:
            with os.scandir(folder) as entries:
                waiting += [Path(entry.path) for entry in entries if entry.is_dir()]
    return sorted(states)


def frame_files(root: Path, clip: Clip) -> list[Path]:
    """Return the image files of a clip, sorted by frame number, from onset to offset.

    Raises
    ------
    MerecError
        If the folder or a frame is missing, or two files carry the same number.
    """
    if ";" in clip.path or "#" in clip.path or _is_image(root / clip.path):
        files = [root / part.split("#")[0] for part in clip.path.split(";")]
        missing = [path for path in files if not path.is_file()]
        if missing:
            msg = f"{missing[0]}: expected an image, found no such file"
            raise MerecError(msg)
        return files
    folder = root / clip.path
    numbered = _numbered_images(folder)
    if clip.onset is None and clip.offset is None:
        return [numbered[number] for number in sorted(numbered)]
    first = clip.onset if clip.onset is not None else min(numbered)
    last = clip.offset if clip.offset is not None else max(numbered)
    if first > last:
        msg = (
            f"{folder}: frames {first} to {last} expected, found {min(numbered)} to {max(numbered)}"
        )
        raise MerecError(msg)
    n_absent = last - first + 1 - sum(first <= number <= last for number in numbered)
    if n_absent:
        absent = (number for number in range(first, last + 1) if number not in numbered)
        msg = f"{folder}: frames {first} to {last} expected, {_listing(absent, n_absent)} missing"
        raise MerecError(msg)
    return [numbered[number] for number in range(first, last + 1)]


def frame_number(path: Path) -> int | None:
    """Return the last number in a file's name: names hold other digits before it."""
    found = _LAST_NUMBER.search(path.stem)
    return int(found.group(1)) if found else None


def _numbered_images(folder: Path) -> dict[int, Path]:
    """Return the images of a folder by frame number; other files are not frames."""
    if not folder.is_dir():
        found = "one file of another kind" if folder.exists() else "nothing"
        msg = f"{folder}: expected a folder of frames or a video, found {found}"
        raise MerecError(msg)
    numbered: dict[int, Path] = {}
    for path in sorted(folder.iterdir()):
        number = frame_number(path)
        is_hidden = path.name.startswith(".")  # macOS leaves a ._1.png beside each 1.png
        if path.suffix.lower() not in IMAGE_SUFFIXES or number is None or is_hidden:
            continue
        if number in numbered:
            msg = f"{folder}: one file per frame expected, {numbered[number].name} and {path.name}"
            raise MerecError(msg)
        numbered[number] = path
    if not numbered:
        msg = f"{folder}: expected numbered images, found none"
        raise MerecError(msg)
    return numbered


def _is_image(path: Path) -> bool:
    return path.suffix.lower() in IMAGE_SUFFIXES and path.is_file()


def _read_row(root: Path, clip: Clip) -> NDArray[np.uint8]:
    """Return the image of a row of a table of pixels, (h, w, 3)."""
    name, number = clip.path.rsplit("#", 1)
    pixels = _pixel_column(root / name)[int(number) - 1]
    try:
        values = np.array(pixels.split(), np.uint8)
    except (ValueError, OverflowError):
        values = np.empty(0, np.uint8)
    side = round(len(values) ** 0.5)
    if side == 0 or side * side != len(values):
        msg = f"{root / clip.path}: a square of grey pixels expected, found {len(values)} numbers"
        raise MerecError(msg)
    return np.repeat(values.reshape(side, side, 1), 3, axis=2)


@lru_cache(maxsize=2)
def _pixel_column(path: Path) -> list[str]:
    """Return the column of pixels of a table, read once."""
    with long_cells(), path.open(newline="", encoding="utf-8-sig") as file:
        reader = csv.reader(file)
        place = [name.strip().lower() for name in next(reader)].index("pixels")
        return [row[place] for row in reader]


def read_image(path: Path) -> NDArray[np.uint8]:
    """Return one image, (h, w, 3), RGB."""
    # Decoding bytes read by us: cv2.imread writes its own warnings to standard error.
    encoded = np.fromfile(path, np.uint8)
    image = cv2.imdecode(encoded, cv2.IMREAD_COLOR_RGB) if encoded.size else None
    if image is None:
        msg = f"{path}: expected an image, found {encoded.size} bytes that do not decode"
        raise MerecError(msg)
    return np.asarray(image, np.uint8)


def _iterate_video(path: Path, clip: Clip) -> Iterator[NDArray[np.uint8]]:
    """Yield the frames of a video from onset to offset, counted from 0."""
    if not path.is_file():
        msg = f"{path}: expected a video, found no such file"
        raise MerecError(msg)
    video = cv2.VideoCapture(str(path))
    first = clip.onset if clip.onset is not None else 0
    number = 0
    try:
        while clip.offset is None or number <= clip.offset:
            read, frame = video.read()
            if not read:
                break
            if number >= first:
                yield np.asarray(cv2.cvtColor(frame, cv2.COLOR_BGR2RGB), np.uint8)
            number += 1
    finally:
        video.release()
    if number <= first or (clip.offset is not None and number <= clip.offset):
        wanted = f"{first} to {clip.offset}" if clip.offset is not None else f"from {first}"
        msg = f"{path}: frames {wanted} expected, the video ends after {number} frames"
        raise MerecError(msg)


def _undecoded_frames(path: Path, clip: Clip) -> list[int]:
    """Return the numbers, from 0, of a video's frames that cannot be decoded."""
    video = cv2.VideoCapture(str(path))
    promised = int(video.get(cv2.CAP_PROP_FRAME_COUNT))
    last = promised if clip.offset is None else min(promised, clip.offset + 1)
    number = 0
    while number < last and video.grab():
        number += 1
    video.release()
    return list(range(number, last))


def _listing(numbers: Iterable[int], count: int) -> str:
    """Return the first of ``count`` numbers in words."""
    shown = ", ".join(str(number) for number in islice(numbers, 5))
    return shown + (f" and {count - 5} more" if count > 5 else "")

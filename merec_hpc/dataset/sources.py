"""Where the frames of a clip lie: a folder, images, a video, or a row of a table of pixels."""

import csv
import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import ClassVar, NamedTuple, Self

import cv2
import numpy as np
from numpy.typing import NDArray

from merec_hpc.dataset.images import IMAGE_SUFFIXES, frame_number, numbered_images, read_image
from merec_hpc.errors import MerecError
from merec_hpc.files.rows import long_cells

VIDEO_SUFFIXES = frozenset({".avi", ".mp4", ".mov", ".mkv"})
_TABLE_ROW = re.compile(r"^(.+\.csv)#(\d+)$", re.IGNORECASE | re.DOTALL)


class Span(NamedTuple):
    """The frames of a clip, from one number to another; ``None`` is the first or last there is."""

    first: int | None = None
    last: int | None = None


class Source(ABC):
    """Where the frames of a clip lie, relative to the dataset's root."""

    kind: ClassVar[str]
    """Its name in the catalog."""

    @property
    def is_still(self) -> bool:
        """Whether it is known to be a single image."""
        return False

    @property
    @abstractmethod
    def text(self) -> str:
        """Return what stands in the catalog beside the kind."""

    @classmethod
    @abstractmethod
    def parse(cls, text: str) -> Self:
        """Return the source of a text of the catalog, or raise a ``ValueError``."""

    @abstractmethod
    def below(self, folder: str) -> Self:
        """Return the same source as seen from a root that holds this one's root as ``folder``."""

    @abstractmethod
    def files(self, root: Path, span: Span, /) -> list[Path]:
        """Return the files that hold the frames, in their order, or raise a ``MerecError``."""

    @abstractmethod
    def frames(self, root: Path, span: Span, /) -> Iterator[NDArray[np.uint8]]:
        """Yield the frames, (h, w, 3), RGB; raise a ``MerecError`` when a bad one is due."""

    @abstractmethod
    def frame_size(self, root: Path, span: Span, /) -> tuple[int, int]:
        """Return height and width of the first frame, or raise a ``MerecError``."""

    @abstractmethod
    def broken_frames(self, root: Path, span: Span, /) -> list[int]:
        """Return the numbers of the frames that do not decode, or are of another size."""

    def numbers(self, _root: Path, span: Span, n_frames: int, /) -> list[int]:
        """Return the numbers of the frames, of which there are so many; from 0 if they have none."""
        first = span.first or 0
        return list(range(first, first + n_frames))

    def file_states(self, root: Path, span: Span) -> list[tuple[str, int, int]]:
        """Return name, size and time of change (ns) of the files; none if they are missing."""
        try:
            states = [(path.name, path.stat()) for path in self.files(root, span)]
        except (MerecError, OSError):
            return []
        return [(name, state.st_size, state.st_mtime_ns) for name, state in states]


class _ImageFiles(Source):
    """Frames in a file each."""

    def frames(self, root: Path, span: Span, /) -> Iterator[NDArray[np.uint8]]:
        """Yield the frames, which are of one size."""
        size = None
        for path in self.files(root, span):
            frame = read_image(path)
            size = size or frame.shape
            if frame.shape != size:
                known, other = sorted([size, frame.shape])
                msg = f"{root / self.text}: frames of one size expected, found {known} and {other}"
                raise MerecError(msg)
            yield frame

    def frame_size(self, root: Path, span: Span, /) -> tuple[int, int]:
        """Return height and width of the first frame."""
        image = read_image(self.files(root, span)[0])
        return image.shape[0], image.shape[1]

    def broken_frames(self, root: Path, span: Span, /) -> list[int]:
        """Return the frames' numbers, or their places where names have none."""
        broken, size = [], None
        for place, path in enumerate(self.files(root, span)):
            number = frame_number(path)
            try:
                image = read_image(path)
            except MerecError:
                image = None
            if image is None or image.shape != (size := size or image.shape):
                broken.append(number if number is not None else place)
        return broken


@dataclass(frozen=True)
class _OnePath(Source):
    """What is told by one path: a folder, a file."""

    path: str

    @property
    def text(self) -> str:
        """Return the path."""
        return self.path

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the source of a path."""
        return cls(text)

    def below(self, folder: str) -> Self:
        """Return the source as seen from above."""
        return type(self)(f"{folder}/{self.path}")


@dataclass(frozen=True)
class Folder(_OnePath, _ImageFiles):
    """A folder of numbered images."""

    kind: ClassVar[str] = "folder"

    def files(self, root: Path, span: Span, /) -> list[Path]:
        """Return the images by number; between a first and a last one that is given, all of them.

        Raises
        ------
        MerecError
            If the folder or a frame is missing, or two files carry the same number.
        """
        folder = root / self.path
        numbered = numbered_images(folder)
        if span == Span():
            return [numbered[number] for number in sorted(numbered)]
        first = span.first if span.first is not None else min(numbered)
        last = span.last if span.last is not None else max(numbered)
        expected = f"{folder}: frames {first} to {last} expected"
        if first > last:
            msg = f"{expected}, found {min(numbered)} to {max(numbered)}"
            raise MerecError(msg)
        n_absent = last - first + 1 - sum(first <= number <= last for number in numbered)
        if n_absent:
            absent = (number for number in range(first, last + 1) if number not in numbered)
            msg = f"{expected}, {_listing(absent, n_absent)} missing"
            raise MerecError(msg)
        return [numbered[number] for number in range(first, last + 1)]

    def numbers(self, root: Path, span: Span, _n_frames: int, /) -> list[int]:
        """Return the numbers in the images' names."""
        found = (frame_number(path) for path in self.files(root, span))
        return [number for number in found if number is not None]


@dataclass(frozen=True)
class Images(_ImageFiles):
    """Images in the order in which they are listed; they have no numbers."""

    paths: tuple[str, ...]
    kind: ClassVar[str] = "images"

    @property
    def is_still(self) -> bool:
        """Whether one image is listed."""
        return len(self.paths) == 1

    @property
    def text(self) -> str:
        """Return the paths joined by ``;``, which stands as ``%3B`` inside one, as ``%`` as ``%25``."""
        return ";".join(path.replace("%", "%25").replace(";", "%3B") for path in self.paths)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the images of paths joined by ``;``."""
        return cls(tuple(part.replace("%3B", ";").replace("%25", "%") for part in text.split(";")))

    def below(self, folder: str) -> Self:
        """Return the images as seen from above."""
        return type(self)(tuple(f"{folder}/{path}" for path in self.paths))

    def files(self, root: Path, _span: Span, /) -> list[Path]:
        """Return the images, or raise a ``MerecError`` that names a missing one."""
        files = [root / path for path in self.paths]
        missing = [path for path in files if not path.is_file()]
        if missing:
            msg = f"{missing[0]}: expected an image, found no such file"
            raise MerecError(msg)
        return files


@dataclass(frozen=True)
class Video(_OnePath):
    """A video, whose frames count from 0."""

    kind: ClassVar[str] = "video"

    def files(self, root: Path, _span: Span, /) -> list[Path]:
        """Return the video, there or not."""
        return [root / self.path]

    def frames(self, root: Path, span: Span, /) -> Iterator[NDArray[np.uint8]]:
        """Yield the frames that the span asks for; the video may not end before the last."""
        path = root / self.path
        if not path.is_file():
            msg = f"{path}: expected a video, found no such file"
            raise MerecError(msg)
        video = cv2.VideoCapture(str(path))
        first = span.first if span.first is not None else 0
        number = 0
        try:
            while span.last is None or number <= span.last:
                read, frame = video.read()
                if not read:
                    break
                if number >= first:
                    yield np.asarray(cv2.cvtColor(frame, cv2.COLOR_BGR2RGB), np.uint8)
                number += 1
        finally:
            video.release()
        if number <= first or (span.last is not None and number <= span.last):
            wanted = f"{first} to {span.last}" if span.last is not None else f"from {first}"
            msg = f"{path}: frames {wanted} expected, the video ends after {number} frames"
            raise MerecError(msg)

    def frame_size(self, root: Path, _span: Span, /) -> tuple[int, int]:
        """Return height and width, as the container says."""
        video = cv2.VideoCapture(str(root / self.path))
        width, height = (int(video.get(key)) for key in (3, 4))
        video.release()
        if not width or not height:
            msg = f"{root / self.path}: expected a video, found none that can be read"
            raise MerecError(msg)
        return height, width

    def broken_frames(self, root: Path, span: Span, /) -> list[int]:
        """Return the frames that the container promises after the last one that decodes."""
        video = cv2.VideoCapture(str(root / self.path))
        promised = int(video.get(cv2.CAP_PROP_FRAME_COUNT))
        last = promised if span.last is None else min(promised, span.last + 1)
        number = 0
        while number < last and video.grab():
            number += 1
        video.release()
        return list(range(number, last))


@dataclass(frozen=True)
class TableRow(Source):
    """A row of a CSV with a column ``pixels`` of grey values, counted from 1: a square image."""

    path: str
    row: int
    kind: ClassVar[str] = "table_row"

    @property
    def is_still(self) -> bool:
        """Return so: a row is one image."""
        return True

    @property
    def text(self) -> str:
        """Return the table's path and the row, as ``file.csv#7``."""
        return f"{self.path}#{self.row}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the row of a text like ``file.csv#7``, or raise a ``ValueError``."""
        path, _, row = text.rpartition("#")
        return cls(path, int(row))

    def below(self, folder: str) -> Self:
        """Return the row as seen from above."""
        return type(self)(f"{folder}/{self.path}", self.row)

    def files(self, root: Path, _span: Span, /) -> list[Path]:
        """Return the table, or raise a ``MerecError`` if it is missing."""
        path = root / self.path
        if not path.is_file():
            msg = f"{path}: expected a table of pixels, found no such file"
            raise MerecError(msg)
        return [path]

    def frames(self, root: Path, span: Span, /) -> Iterator[NDArray[np.uint8]]:
        """Yield the one image."""
        (path,) = self.files(root, span)
        column = _pixel_column(path)
        if not 1 <= self.row <= len(column):
            msg = f"{path}: row {self.row} expected, found {len(column)} rows"
            raise MerecError(msg)
        try:
            values = np.array(column[self.row - 1].split(), np.uint8)
        except (ValueError, OverflowError):
            values = np.empty(0, np.uint8)
        side = round(len(values) ** 0.5)
        if side == 0 or side * side != len(values):
            msg = (
                f"{root / self.text}: a square of grey pixels expected, found {len(values)} numbers"
            )
            raise MerecError(msg)
        yield np.repeat(values.reshape(side, side, 1), 3, axis=2)

    def frame_size(self, root: Path, span: Span, /) -> tuple[int, int]:
        """Return height and width of the image."""
        image = next(self.frames(root, span))
        return image.shape[0], image.shape[1]

    def broken_frames(self, _root: Path, _span: Span, /) -> list[int]:
        """Return none: a row is looked at when it is read."""
        return []


SOURCES: dict[str, type[Source]] = {
    source.kind: source for source in (Folder, Images, Video, TableRow)
}
"""By the kind that the catalog writes."""


def find_source(path: str, root: Path | None = None) -> Source:
    """Return what a path without a kind means: of a manifest, or of a catalog of before.

    What lies there decides. Where nothing does: images joined by ``;``, then ``file.csv#row``,
    then a video by its suffix, else a folder.

    Parameters
    ----------
    root
        Folder that the path is relative to; without it nothing is looked for.
    """
    place = None if root is None else root / path
    suffix = Path(path).suffix.lower()
    if place is not None and place.is_dir():
        return Folder(path)
    if place is not None and place.is_file() and suffix in IMAGE_SUFFIXES:
        return Images((path,))
    if place is not None and place.is_file() and suffix in VIDEO_SUFFIXES:
        return Video(path)
    if ";" in path:
        return Images(tuple(path.split(";")))
    if matched := _TABLE_ROW.match(path):
        return TableRow(matched[1], int(matched[2]))
    return Video(path) if suffix in VIDEO_SUFFIXES else Folder(path)


@lru_cache(maxsize=2)
def _pixel_column(path: Path) -> list[str]:
    """Return the column of pixels of a table, read once."""
    with long_cells(), path.open(newline="", encoding="utf-8-sig") as file:
        reader = csv.reader(file)
        names = [name.strip().lower() for name in next(reader, [])]
        if "pixels" not in names:
            msg = f"{path}: column 'pixels' expected, found {', '.join(names) or 'none'}"
            raise MerecError(msg)
        place = names.index("pixels")
        return [row[place] for row in reader]


def _listing(numbers: Iterable[int], count: int) -> str:
    """Return the first of ``count`` numbers in words."""
    shown = ", ".join(str(number) for number in islice(numbers, 5))
    return shown + (f" and {count - 5} more" if count > 5 else "")

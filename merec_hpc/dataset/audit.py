"""Finds what is missing, contradictory or doubled in a catalog, before anything heavy runs."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import cv2

from merec_hpc.dataset.clip import Clip
from merec_hpc.dataset.frames import broken_frames, frame_files
from merec_hpc.dataset.images import frame_number
from merec_hpc.dataset.listing import Consequence, Fault
from merec_hpc.dataset.sources import Folder, Video
from merec_hpc.errors import MerecError

_SUBJECT_NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")


def audit(root: Path, clips: Sequence[Clip], classes: Sequence[str]) -> list[Fault]:
    """Return every fault of the listed clips, in their order.

    A label outside the scheme, a doubled clip and a subject's name that cannot be a file's
    stop the run. A clip whose frames are missing or whose onset, apex and offset are out of
    order is left out. Gaps in the numbers of a folder without annotated frames are noted.
    """
    counts = Counter(clip.clip for clip in clips)
    return [
        Fault(clip.clip, clip.subject, consequence, fault)
        for clip in clips
        for consequence, fault in _faults(root, clip, classes, counts[clip.clip])
    ]


def audit_images(root: Path, clips: Sequence[Clip]) -> list[Fault]:
    """Return the frames that do not decode or differ in size, by number; every image is read."""
    return [
        Fault(clip.clip, clip.subject, "clip left out", f"broken frames {_numbers(broken)}")
        for clip in clips
        if (broken := broken_frames(root, clip))
    ]


def _numbers(numbers: Sequence[int]) -> str:
    shown = ", ".join(map(str, numbers[:5]))
    return shown + (f" and {len(numbers) - 5} more" if len(numbers) > 5 else "")


def check_audit(faults: Sequence[Fault]) -> None:
    """Raise a ``MerecError`` if a fault stops the run."""
    fatal = [fault for fault in faults if fault.consequence == "stops the run"]
    if fatal:
        more = f" (and {len(fatal) - 1} more, in the log)" if len(fatal) > 1 else ""
        msg = f"clip '{fatal[0].clip}' of subject '{fatal[0].subject}': {fatal[0].fault}{more}"
        raise MerecError(msg)


def usable_clips(clips: Sequence[Clip], faults: Sequence[Fault]) -> list[Clip]:
    """Return the clips that no fault leaves out."""
    left_out = {fault.clip for fault in faults if fault.consequence == "clip left out"}
    return [clip for clip in clips if clip.clip not in left_out]


def _faults(
    root: Path, clip: Clip, classes: Sequence[str], count: int
) -> Iterator[tuple[Consequence, str]]:
    if clip.label not in classes:
        yield "stops the run", f"label '{clip.label}', expected one of {', '.join(classes)}"
    if count > 1:
        yield "stops the run", f"clip is listed {count} times, expected once"
    if not _SUBJECT_NAME.match(clip.subject):
        yield "stops the run", "subjects are named by letters, digits, '_', '.' and '-'"
    disorder = _disorder(clip)
    if disorder:
        yield "clip left out", disorder
    else:
        yield from _frame_faults(root, clip)


def _disorder(clip: Clip) -> str:
    """Say what is wrong with onset, apex and offset by themselves, if anything is."""
    marks = {"onset": clip.onset, "apex": clip.apex, "offset": clip.offset}
    given = [(name, number) for name, number in marks.items() if number is not None]
    for name, number in given:
        if number < 0:
            return f"{name} {number} is negative"
    for (name, number), (next_name, next_number) in pairwise(given):
        if number > next_number:
            return f"{name} {number} comes after {next_name} {next_number}"
    return ""


def _frame_faults(root: Path, clip: Clip) -> Iterator[tuple[Consequence, str]]:
    """Check that the frames are there; their content is read later."""
    if isinstance(clip.source, Video):
        yield from _video_faults(root, clip, clip.source)
        return
    try:
        files = frame_files(root, clip)
    except MerecError as error:
        yield "clip left out", str(error)
        return
    if not isinstance(clip.source, Folder):
        return
    numbers = [number for number in map(frame_number, files) if number is not None]
    if clip.apex is not None and clip.apex not in numbers:
        yield "noted", f"apex {clip.apex} is none of the frames {min(numbers)} to {max(numbers)}"
    elif clip.apex is not None and clip.apex == numbers[0] < numbers[-1]:
        yield "noted", f"apex {clip.apex} is the onset: another one is found"
    absent = max(numbers) - min(numbers) + 1 - len(numbers)
    if absent:
        yield "noted", f"{absent} of the frame numbers {min(numbers)} to {max(numbers)} are absent"


def _video_faults(root: Path, clip: Clip, video: Video) -> Iterator[tuple[Consequence, str]]:
    """Check that a video has the frames that are annotated."""
    path = root / video.path
    if not path.is_file():
        yield "clip left out", f"no video {video.path}"
        return
    n_frames = int(cv2.VideoCapture(str(path)).get(cv2.CAP_PROP_FRAME_COUNT))
    marks = [mark for mark in (clip.onset, clip.apex, clip.offset) if mark is not None]
    last = max(marks, default=None)
    if n_frames <= 0:
        yield "clip left out", f"{video.path} is not a video that can be read"
    elif last is not None and last >= n_frames:
        yield "clip left out", f"frame {last} expected, {video.path} has {n_frames} frames"

"""Makes the embedded dataset: a real photograph, simulated identities and expressions.

Every clip starts from one photograph (scikit-image's astronaut, NASA, public domain). A
subject is a smooth change of its geometry, albedo and lighting. An expression is a smooth
displacement field that follows action units, rises from onset to apex and falls to the
offset, beneath sub-pixel head motion, drifting light and sensor noise. Frames are written
in SMIC's or CASME II's released layout, with the exact landmarks of every frame beside them;
as JPEG also where the release has BMP, which would take eight times the disk.
"""

import csv
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from merec_hpc.config.datasets import SimulatedSettings
from merec_hpc.dataset.action_units import (
    CASME2_EXPRESSIONS,
    SMIC_EXPRESSIONS,
    Expressions,
)
from merec_hpc.dataset.sheets import write_sheet
from merec_hpc.dataset.simulated_face import (
    HEIGHT,
    WIDTH,
    Motion,
    Points,
    draw_motion,
    make_frames,
    make_subject,
)
from merec_hpc.errors import MerecError
from merec_hpc.files.atomic import published

_FOLDERS = {"negative": "ne", "positive": "po", "surprise": "sur"}


@dataclass(frozen=True)
class Preset:
    """Size and camera of the real set that is imitated."""

    camera: str
    subjects: tuple[int, ...]
    class_sizes: Mapping[str, int]
    n_frames: tuple[float, float, int, int]  # mean, standard deviation, fewest, most
    name_format: str
    expressions: Expressions
    size: tuple[int, int] = (HEIGHT, WIDTH)
    bytes_per_frame: int = 120_000


PRESETS = {
    "vis": Preset(
        "VIS",
        (11, 12, 13, 14, 15, 18, 19, 20),
        {"negative": 24, "positive": 28, "surprise": 19},
        (9.0, 2.0, 5, 14),
        "{:05d}.jpg",
        SMIC_EXPRESSIONS,
    ),
    "hs": Preset(
        "HS",
        (1, 2, 3, 4, 5, 6, 8, 9, 11, 12, 13, 14, 15, 18, 19, 20),
        {"negative": 70, "positive": 51, "surprise": 43},
        (33.7, 10.0, 11, 58),
        "image{:06d}.jpg",
        SMIC_EXPRESSIONS,
    ),
    # CASME II, 200 frames a second, the face alone.
    "casme2": Preset(
        "",
        tuple(range(1, 27)),
        {"happiness": 32, "disgust": 63, "repression": 27, "surprise": 25, "others": 99},
        (67.0, 18.0, 24, 141),
        "img{}.jpg",
        CASME2_EXPRESSIONS,
        size=(340, 280),
        bytes_per_frame=75_000,
    ),
}
CASME2_SHEET = "CASME2-coding-20140508.xlsx"


@dataclass(frozen=True)
class PlannedClip:
    """One clip to be made."""

    index: int
    subject: int
    label: str
    number: int
    n_frames: int
    first_number: int

    @property
    def casme2_name(self) -> tuple[str, str]:
        """Subject and clip as CASME II names them."""
        return f"{self.subject:02d}", f"EP{self.number:02d}_{self.index:03d}f"

    def folder(self, root: Path, camera: str) -> Path:
        """Return the folder of the clip's frames in the released layout."""
        if not camera:
            subject, clip = self.casme2_name
            return root / "CASME2_RAW_selected" / f"sub{subject}" / clip
        name = f"s{self.subject}_{_FOLDERS[self.label]}_{self.number:02d}"
        return root / camera / f"s{self.subject}" / "micro" / self.label / name


def plan_clips(settings: SimulatedSettings) -> list[PlannedClip]:
    """Deal out classes, subjects and lengths; cheap, and all that the size on disk needs.

    Raises
    ------
    MerecError
        If more subjects are asked for than the preset has, or than there are clips.
    """
    preset = PRESETS[settings.preset]
    rng = _rng(settings.seed, 0)
    n_subjects = settings.n_subjects or len(preset.subjects)
    labels = _deal_labels(preset.class_sizes, settings.n_clips)
    most = min(len(preset.subjects), len(labels))
    if n_subjects > most:
        msg = (
            f"simulated: at most {most} subjects expected for preset {settings.preset} and "
            f"{len(labels)} clips, found {n_subjects}"
        )
        raise MerecError(msg)
    subjects = preset.subjects[:n_subjects]
    # Every subject gets two clips, the rest falls unevenly, as in the real sets.
    shares = rng.dirichlet(np.full(len(subjects), 2.0))
    fixed = min(2, len(labels) // len(subjects))
    owners = np.concatenate(
        [
            np.repeat(np.arange(len(subjects)), fixed),
            rng.choice(len(subjects), size=len(labels) - fixed * len(subjects), p=shares),
        ]
    )
    rng.shuffle(owners)
    mean, spread, shortest, longest = preset.n_frames
    lengths = np.clip(np.rint(rng.normal(mean, spread, len(labels))), shortest, longest).astype(int)
    first_numbers = rng.integers(1, 90_000, len(labels))
    numbers: dict[tuple[int, str], int] = {}
    clips = []
    for index, (owner, label) in enumerate(zip(owners, labels, strict=True)):
        subject = subjects[owner]
        numbers[subject, label] = numbers.get((subject, label), 0) + 1
        number = numbers[subject, label]
        clips.append(
            PlannedClip(
                index, subject, label, number, int(lengths[index]), int(first_numbers[index])
            )
        )
    return clips


def size_on_disk(clips: Sequence[PlannedClip], preset: Preset) -> int:
    """Return about the bytes that the frames of these clips take."""
    return sum(clip.n_frames for clip in clips) * preset.bytes_per_frame


def simulate(
    root: Path, clips: Sequence[PlannedClip], settings: SimulatedSettings, n_threads: int
) -> Iterator[Path]:
    """Write the clips below ``root`` and yield each clip's folder when it is complete.

    The same settings give the same bytes, whatever the number of threads.
    """
    preset = PRESETS[settings.preset]
    subjects = {
        subject: make_subject(_rng(settings.seed, 1, subject), preset.expressions)
        for subject in {clip.subject for clip in clips}
    }
    motions: dict[int, Motion] = {}

    def write(clip: PlannedClip) -> Path:
        folder = clip.folder(root, preset.camera)
        folder.mkdir(parents=True, exist_ok=True)
        rng = _rng(settings.seed, 2, clip.index)
        subject, units = subjects[clip.subject], preset.expressions[clip.label]
        motion = draw_motion(subject, units, clip.n_frames, settings.peak_displacement_px, rng)
        frames = make_frames(subject, motion, rng)
        motions[clip.index] = motion
        left, top = (WIDTH - preset.size[1]) // 2, (HEIGHT - preset.size[0]) // 2
        landmarks = []
        for number, (frame, points) in enumerate(frames, start=clip.first_number):
            face = frame[top : top + preset.size[0], left : left + preset.size[1]]
            _write_image(folder / preset.name_format.format(number), face)
            landmarks.append((number, points - np.array([left, top])))
        _write_landmarks(folder / "landmarks.csv", landmarks)
        return folder

    with ThreadPoolExecutor(n_threads) as pool:
        yield from pool.map(write, clips)
    if not preset.camera:
        write_casme2_sheet(root / CASME2_SHEET, [(clip, motions[clip.index]) for clip in clips])


def write_casme2_sheet(path: Path, clips: Sequence[tuple[PlannedClip, Motion]]) -> None:
    """Write a coding sheet as CASME II's of 2014: its headers, blank columns, text subjects."""
    header = ["Subject", "Filename", None, "OnsetFrame", "ApexFrame", "OffsetFrame", None]
    rows: list[list[str | int | None]] = [[*header, "Action Units", "Estimated Emotion"]]
    for clip, motion in clips:
        first = clip.first_number
        marks = [first, first + motion.apex, first + clip.n_frames - 1]
        units = "+".join(map(str, motion.units))
        rows.append([*clip.casme2_name, None, *marks, None, units, clip.label])
    write_sheet(path, "Sheet1", rows)


def read_landmarks(path: Path) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Read the exact landmarks of a clip: frame numbers (n,) and points (n, 68, 2)."""
    table = np.loadtxt(path, delimiter=",", skiprows=1, ndmin=2)
    return table[:, 0].astype(np.int64), table[:, 1:].reshape(-1, 68, 2)


def _deal_labels(class_sizes: Mapping[str, int], n_clips: int | None) -> list[str]:
    """Return a label a clip, in the proportions of the real set."""
    total = sum(class_sizes.values())
    wanted = n_clips or total
    labels = [label for label, size in class_sizes.items() for _ in range(size)]
    return [labels[(2 * index + 1) * total // (2 * wanted)] for index in range(wanted)]


def _write_image(path: Path, frame: NDArray[np.uint8]) -> None:
    encoded = cv2.imencode(path.suffix, frame[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 98])[1]
    with published(path, is_synced=False) as partial:  # one of thousands
        partial.write_bytes(encoded.tobytes())


def _write_landmarks(path: Path, landmarks: Sequence[tuple[int, Points]]) -> None:
    """Write one row a frame: its number, then x and y of each landmark, in pixels."""
    with published(path) as partial, partial.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["frame", *(f"{axis}{point}" for point in range(68) for axis in "xy")])
        for number, points in landmarks:
            writer.writerow([number, *(f"{value:.5f}" for value in points.ravel())])


def _rng(seed: int, *purpose: int) -> np.random.Generator:
    """Return the stream of one purpose: 0 the plan, 1 a subject, 2 a clip."""
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=purpose))

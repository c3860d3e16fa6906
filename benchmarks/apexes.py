"""How far from the true apex the methods end that find it, on simulated clips.

    python benchmarks/apexes.py [seed]

The true apex is that of the simulated motion. Clips are made, written and registered as the
pipeline does, with all noise, drifting light and head motion of the embedded dataset. The rival is
the frame of the largest mean absolute difference of unregistered grey frames to the first one.
The methods' constants were chosen on seed 0 of vis and hs; seed 1 is the default.
"""

import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import cv2
import numpy as np
from numpy.typing import NDArray

from merec_hpc.config.datasets import SimulatedSettings
from merec_hpc.config.faces import FaceSettings
from merec_hpc.config.motion import ApexMethod
from merec_hpc.dataset.clip import Clip
from merec_hpc.dataset.frames import read_frames
from merec_hpc.dataset.simulated import PRESETS, PlannedClip, _rng, plan_clips, simulate
from merec_hpc.dataset.simulated_face import draw_motion, make_subject
from merec_hpc.dataset.sources import Folder
from merec_hpc.faces.engines import open_engine
from merec_hpc.faces.registration import register_clip
from merec_hpc.motion.apex import find_apex

WEIGHTS = Path(__file__).parents[1] / "resources" / "weights" / "face_mesh"
RATES = {"vis": 25, "hs": 100, "casme2": 200}  # frames a second
N_CLIPS = {"vis": 71, "hs": 40, "casme2": 40}  # the first ones of a preset
METHODS: tuple[ApexMethod, ...] = get_args(ApexMethod)


@dataclass(frozen=True)
class Found:
    """What all methods found in a clip."""

    n_frames: int
    true: int
    naive: int
    methods: dict[ApexMethod, int]


def true_apex(clip: PlannedClip, settings: SimulatedSettings) -> int:
    """Draw a clip's motion again, as ``simulate`` does, and return its apex."""
    expressions = PRESETS[settings.preset].expressions
    subject = make_subject(_rng(settings.seed, 1, clip.subject), expressions)
    rng = _rng(settings.seed, 2, clip.index)
    peak_px = settings.peak_displacement_px
    return draw_motion(subject, expressions[clip.label], clip.n_frames, peak_px, rng).apex


def naive_apex(frames: NDArray[np.uint8]) -> int:
    """Return the frame of the largest mean absolute difference of grey values, as filmed."""
    grey = [cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY).astype(np.float64) for frame in frames]
    return 1 + int(np.argmax([np.abs(frame - grey[0]).mean() for frame in grey[1:]]))


def find_all(settings: SimulatedSettings, n_clips: int) -> Iterator[Found]:
    """Make and register clips, and yield what is found in each."""
    faces = FaceSettings()
    engine = open_engine(faces, WEIGHTS)("")
    clips = plan_clips(settings)[:n_clips]
    with tempfile.TemporaryDirectory() as place:
        root = Path(place)
        for clip, folder in zip(clips, simulate(root, clips, settings, 2), strict=True):
            source = Folder(str(folder.relative_to(root)))
            frames = np.stack(list(read_frames(root, Clip("clip", "subject", "x", source))))
            shutil.rmtree(folder)
            face = register_clip(frames, engine, faces)
            registered = [face.frames[number] for number in range(len(face.frames))]
            found = {method: find_apex(registered, face.landmarks, method) for method in METHODS}
            yield Found(len(frames), true_apex(clip, settings), naive_apex(frames), found)


def row(clips: Sequence[Found], apexes: Sequence[int], rate: int) -> str:
    """Return the cells of a method: median, mean, and shares of clips with small errors."""
    errors = np.abs([apex - clip.true for apex, clip in zip(apexes, clips, strict=True)])
    lengths = np.array([clip.n_frames for clip in clips])
    median, mean = float(np.median(errors)), float(errors.mean())
    near, within = float(np.mean(errors <= 1)), float(np.mean(errors <= 0.1 * lengths))
    frames_ms = f"{median:.1f} ({1000 * median / rate:.0f} ms)"
    return f"{frames_ms} | {mean:.2f} ({1000 * mean / rate:.1f} ms) | {near:.2f} | {within:.2f}"


def main() -> None:
    """Print the table."""
    cv2.setNumThreads(1)
    seed = int(sys.argv[1]) if len(sys.argv) > 1 else 1
    print(f"seed {seed}\n")
    print(
        "| preset | method | median error, frames | mean error, frames | within 1 frame "
        "| within 10 % of the clip |\n|---|---|---|---|---|---|"
    )
    for preset, rate in RATES.items():
        settings = SimulatedSettings(preset=preset, seed=seed)  # type: ignore[arg-type]
        clips = list(find_all(settings, N_CLIPS[preset]))
        name = f"{preset}, {len(clips)} clips, {rate} fps"
        print(f"| {name} | naive | {row(clips, [clip.naive for clip in clips], rate)} |")
        for method in METHODS:
            cells = row(clips, [clip.methods[method] for clip in clips], rate)
            print(f"| {name} | {method} | {cells} |", flush=True)


if __name__ == "__main__":
    main()

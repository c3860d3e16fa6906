"""What registration leaves of a head's motion, and what it takes of an expression.

    MEREC_VIDEO=single_face.mp4 python benchmarks/registration.py

Simulated subjects whose heads move by a pixel and more, with a still face and with an
expression of 2.5 pixels. Motion is that of the exact landmarks, taken through the maps of the
registration: RMS over the 13 points of eyes and nose, against the first frame, in pixels of the
registered face (eyes 81 pixels apart). The expression that survives is the largest landmark
motion at the apex, relative to what a map without any noise leaves of it.
"""

import os
import resource
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from merec_hpc.config.datasets import ManifestSettings
from merec_hpc.config.faces import FaceSettings
from merec_hpc.dataset.action_units import SMIC_EXPRESSIONS
from merec_hpc.dataset.catalog import list_clips, write_catalog
from merec_hpc.dataset.clip import Clip
from merec_hpc.dataset.frames import iterate_frames, read_ahead, read_frames
from merec_hpc.dataset.simulated_face import draw_motion, make_frames, make_subject
from merec_hpc.dataset.sources import Folder, Video
from merec_hpc.faces.active_shape import ActiveShape, load_model
from merec_hpc.faces.detection import Box
from merec_hpc.faces.dlib_landmarks import DlibLandmarks
from merec_hpc.faces.landmarks import FaceMesh, LandmarkEngine
from merec_hpc.faces.reference import STABLE_POINTS
from merec_hpc.faces.registration import register_clip

WEIGHTS = Path(__file__).parents[1] / "resources" / "weights"
N_FRAMES = 15
N_CLIPS = 6
HEAD_MOTION = 12  # times that of the embedded dataset: about a pixel
MODES = ("first_frame", "each_frame")


@dataclass(frozen=True)
class Sample:
    """A clip with exact landmarks."""

    frames: NDArray[np.uint8]
    landmarks: NDArray[np.float64]
    apex: int


class ExactLandmarks:
    """An engine that knows: frames are told apart by their content."""

    def __init__(self, sample: Sample, otherwise: LandmarkEngine) -> None:
        self._known = {
            frame.tobytes(): points
            for frame, points in zip(sample.frames, sample.landmarks, strict=True)
        }
        self._otherwise = otherwise

    def fit(self, image: NDArray[np.uint8], box: Box) -> NDArray[np.float32]:
        """Return the exact landmarks of a frame as filmed."""
        known = self._known.get(image.tobytes())
        return self._otherwise.fit(image, box) if known is None else known.astype(np.float32)


def make_samples(peak_px: float, head_motion: float, n_clips: int = N_CLIPS) -> list[Sample]:
    """Make clips whose heads move, so many times as much as those of the embedded dataset."""
    samples = []
    labels = list(SMIC_EXPRESSIONS)
    for number in range(n_clips):
        rng = np.random.default_rng([7, number])
        subject = make_subject(rng, SMIC_EXPRESSIONS)
        units = SMIC_EXPRESSIONS[labels[number % len(labels)]]
        motion = draw_motion(subject, units, N_FRAMES, (peak_px, peak_px), rng)
        drift = motion.drift * np.array([[head_motion]] * 4 + [[1.0]] * 2)
        drawn = list(make_frames(subject, replace(motion, drift=drift), rng))
        frames = np.stack([frame for frame, _ in drawn])
        samples.append(Sample(frames, np.stack([points for _, points in drawn]), motion.apex))
    return samples


def moved(landmarks: NDArray[np.float64], affines: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return landmarks of each frame on the registered face, (n_frames, 68, 2)."""
    return np.einsum("fpj,fij->fpi", landmarks, affines[:, :, :2]) + affines[:, None, :, 2]


def residual_px(
    samples: Sequence[Sample],
    settings: FaceSettings,
    engine: LandmarkEngine | None,
    mesh: LandmarkEngine,
) -> float:
    """Return the RMS motion of eyes and nose that registration leaves; no engine: exact."""
    squares = []
    for sample in samples:
        used = engine or ExactLandmarks(sample, mesh)
        face = register_clip(sample.frames, used, settings)
        points = moved(sample.landmarks, face.affines)[:, STABLE_POINTS]
        squares.append(((points[1:] - points[0]) ** 2).sum(axis=2).mean())
    return float(np.sqrt(np.mean(squares)))


def surviving(
    samples: Sequence[Sample], still: Sequence[Sample], settings: FaceSettings, mesh: LandmarkEngine
) -> tuple[float, float]:
    """Return the least and most of an expression that is left, relative to what is there.

    What is there is the difference of two clips with the same head and light, one of them
    without expression.
    """
    shares = []
    for sample, other in zip(samples, still, strict=True):
        face = register_clip(sample.frames, mesh, settings)
        points = moved(sample.landmarks, face.affines)
        linear = face.affines[0][:, :2]
        truth = (sample.landmarks[sample.apex] - other.landmarks[sample.apex]) @ linear.T
        strongest = int(np.linalg.norm(truth, axis=1).argmax())
        kept = points[sample.apex, strongest] - points[0, strongest]
        direction = truth[strongest] / np.linalg.norm(truth[strongest])
        shares.append(float(kept @ direction / np.linalg.norm(truth[strongest])))
    return min(shares), max(shares)


def main() -> None:
    """Print the tables."""
    cv2.setNumThreads(1)
    mesh = FaceMesh(WEIGHTS / "face_mesh")
    still = make_samples(1e-6, HEAD_MOTION)
    calm, expressive = make_samples(1e-6, 1.0), make_samples(2.5, 1.0)
    filmed = [(s.landmarks[1:] - s.landmarks[0])[:, STABLE_POINTS] for s in still]
    before = np.sqrt(np.mean([(part**2).sum(axis=2).mean() for part in filmed]))
    print(f"before registration: {before:.2f} px as filmed\n")
    engines: dict[str, LandmarkEngine] = {
        "face mesh": mesh,
        "active shape": ActiveShape(load_model()),
        "dlib": DlibLandmarks(WEIGHTS / "dlib"),
    }
    columns = " | ".join(f"{name}, px" for name in ("exact landmarks", *engines))
    print(f"| registration | {columns} | expression left, least..most |")
    print("|---" * (len(engines) + 3) + "|")
    for mode in MODES:
        settings = FaceSettings(registration=mode)  # type: ignore[arg-type]
        left = [residual_px(still, settings, used, mesh) for used in (None, *engines.values())]
        low, high = surviving(expressive, calm, settings, mesh)
        values = " | ".join(f"{value:.3f}" for value in left)
        print(f"| {mode} | {values} | {low:.2f}..{high:.2f} |", flush=True)
    print_speed(mesh)
    print_memory()
    video = os.environ.get("MEREC_VIDEO")
    if video:
        path = Path(video)
        frames = read_frames(path.parent, Clip("video", "s", "x", Video(path.name)))
        print("\n| registration | jitter of the real video, px |")
        print("|---|---|")
        for mode in MODES:
            settings = FaceSettings(registration=mode, measure_jitter=True)  # type: ignore[arg-type]
            print(f"| {mode} | {register_clip(frames, mesh, settings).jitter_px:.3f} |")


def print_speed(mesh: FaceMesh) -> None:
    """Print what registering a long clip costs beside reading and remapping it alone."""
    (sample,) = make_samples(2.0, 1.0, n_clips=1)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        for number in range(200):
            frame = sample.frames[number % len(sample.frames)]
            cv2.imwrite(str(folder / f"{number:05d}.bmp"), frame[..., ::-1])
        clip = Clip("clip", "s", "x", Folder("."))

        def ours() -> None:
            register_clip(read_ahead(iterate_frames(folder, clip)), mesh, FaceSettings())

        affine = register_clip(sample.frames, mesh, FaceSettings()).affines[0]

        def rival() -> None:
            warped = []
            for path in sorted(folder.glob("*.bmp")):
                frame = cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)
                warped.append(cv2.warpAffine(frame, affine, (224, 224), flags=cv2.INTER_LINEAR))
            np.stack(warped)

        times = {work: min(seconds(work) for _ in range(5)) for work in (ours, rival)}
    print(
        f"\n200 frames of 640x480: {times[ours]:.3f} s, OpenCV's imread and warpAffine alone "
        f"{times[rival]:.3f} s: {times[ours] / times[rival]:.2f} times"
    )


def print_memory() -> None:
    """Print the memory that registering and interpolating clips takes, by their length."""
    (sample,) = make_samples(2.0, 1.0, n_clips=1)
    print("\n| frames of 640x480 | largest memory of a process, MB |")
    print("|---|---|")
    with tempfile.TemporaryDirectory() as place:
        for n_frames in (200, 10_000):
            path, faces = Path(place) / "clip.avi", Path(place) / f"{n_frames}.h5"
            codec = cv2.VideoWriter.fourcc(*"MJPG")
            writer = cv2.VideoWriter(str(path), codec, 100.0, (640, 480))
            for number in range(n_frames):
                writer.write(np.ascontiguousarray(sample.frames[number % N_FRAMES][..., ::-1]))
            writer.release()
            (Path(place) / "manifest.csv").write_text(
                "clip,subject,label,path,onset,apex,offset\nclip,s1,x,clip.avi,,,\n"
            )
            catalog = Path(place) / f"{n_frames}.tsv"
            write_catalog(catalog, list_clips(Path(place), ManifestSettings()).clips)
            register = [
                *("register-faces", "--catalog", str(catalog), "--root", place),
                *("--subject", "s1", "--landmark-weights", str(WEIGHTS / "face_mesh")),
                *("--settings", "{}", "--output", str(faces)),
                *("--failures", f"{place}/failures.tsv"),
            ]
            interpolate = [
                *("interpolate-clips", "--faces", str(faces), "--settings", "{}"),
                *("--output", f"{place}/clips.h5"),
            ]
            for command in (register, interpolate):
                subprocess.run(["merec", *command], check=True, capture_output=True)
                largest = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
                print(f"| {n_frames}, {command[0]} | {largest:.0f} |", flush=True)


def seconds(work: Callable[[], None]) -> float:
    """Return how long something takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()

"""How near each landmark engine comes, and how its landmarks tremble.

    MEREC_DATA=FOLDER MEREC_LANDMARKED=FOLDER MEREC_VIDEO=single_face.mp4 \
        python benchmarks/landmarks.py

Errors are mean distances of the 68 points in percent of the distance between the middles of the
eyes: to the exact landmarks of simulated faces; to the annotations of real images (a folder of
images with .pts, such as 300-W's); on the 78 straight, open-eyed CMU Face Images to the default
engine, together with the error of the shape model's initial shape. Jitter is the RMS motion of the
landmarks from frame to frame: of a photograph with the noise of a sensor, and of a real video,
aligned by a similarity (as filmed), or fitted on the frames that were registered by the first.
"""

import os
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from skimage.data import astronaut

from merec_hpc.config.faces import FaceSettings
from merec_hpc.dataset.action_units import SMIC_EXPRESSIONS
from merec_hpc.dataset.clip import Clip
from merec_hpc.dataset.frames import read_frames
from merec_hpc.dataset.simulated_face import draw_motion, make_frames, make_subject
from merec_hpc.dataset.sources import Video
from merec_hpc.errors import MerecError
from merec_hpc.faces.active_shape import ActiveShape, load_model
from merec_hpc.faces.detection import Box
from merec_hpc.faces.dlib_landmarks import DlibLandmarks
from merec_hpc.faces.landmarks import FaceMesh, LandmarkEngine
from merec_hpc.faces.reference import STABLE_POINTS, interocular_distance
from merec_hpc.faces.registration import find_face, landmark_jitter, register_clip
from merec_hpc.faces.shape_training.annotations import annotated_images, find_annotated_face
from merec_hpc.faces.warps import fit_similarity

WEIGHTS = Path(__file__).parents[1] / "resources" / "weights"
MIN_FRACTION = 0.15
N_SIMULATED, N_STILL = 16, 20
SENSOR_NOISE = 2.0  # grey levels

Image = NDArray[np.uint8]
Truth = tuple[Image, NDArray[np.floating]]


def open_engines() -> dict[str, LandmarkEngine]:
    """Return every engine that fits landmarks to images."""
    return {
        "face_mesh": FaceMesh(WEIGHTS / "face_mesh"),
        "active_shape": ActiveShape(load_model()),
        "dlib": DlibLandmarks(WEIGHTS / "dlib"),
    }


def percent(found: NDArray[np.floating], exact: NDArray[np.floating]) -> float:
    """Return the mean distance of landmarks, in percent of the distance between the eyes."""
    return 100 * float(np.linalg.norm(found - exact, axis=1).mean()) / interocular_distance(exact)


def simulated() -> list[Truth]:
    """Return neutral faces of the embedded dataset's identities."""
    faces = []
    for subject in range(N_SIMULATED):
        rng = np.random.default_rng([3, subject])
        identity = make_subject(rng, SMIC_EXPRESSIONS)
        motion = draw_motion(identity, SMIC_EXPRESSIONS["positive"], 5, (1e-6, 1e-6), rng)
        faces.append(next(iter(make_frames(identity, motion, rng))))
    return faces


def cmu_faces(folder: Path, mesh: LandmarkEngine) -> list[tuple[Image, NDArray[np.float32], Box]]:
    """Return the straight, open-eyed images, the default engine's landmarks, and the boxes."""
    faces = []
    for path in sorted(folder.glob("cmu_faces/faces/*/*_straight_*_open.pgm")):
        image = np.asarray(cv2.imread(str(path), cv2.IMREAD_COLOR_RGB), np.uint8)
        box, landmarks = find_face(image, mesh, MIN_FRACTION)
        faces.append((image, landmarks, box))
    return faces


def errors(engine: LandmarkEngine, faces: Sequence[Truth]) -> list[float]:
    """Return the error on each face that the engine finds."""
    found = []
    for image, exact in faces:
        try:
            found.append(percent(find_face(image, engine, MIN_FRACTION)[1], exact))
        except MerecError:
            continue
    return found


def said(found: Sequence[float], n_faces: int) -> str:
    """Return mean, largest and how many."""
    if not found:
        return f"none of {n_faces}"
    return f"{np.mean(found):.1f} (at most {max(found):.1f}; {len(found)} of {n_faces})"


def still_jitter(engine: LandmarkEngine) -> float:
    """Return the jitter on a photograph with a sensor's noise, in percent."""
    face = np.asarray(cv2.resize(astronaut()[10:230, 110:340], None, fx=1.6, fy=1.6), np.float64)
    rng = np.random.default_rng(5)
    frames = [
        np.clip(np.rint(face + rng.normal(0, SENSOR_NOISE, face.shape)), 0, 255).astype(np.uint8)
        for _ in range(N_STILL)
    ]
    landmarks = np.stack([find_face(frame, engine, MIN_FRACTION)[1] for frame in frames])
    return 100 * landmark_jitter(landmarks) / interocular_distance(landmarks[0])


def video_jitter(engine: LandmarkEngine, frames: NDArray[np.uint8]) -> tuple[float, float]:
    """Return the jitter as filmed, heads aligned, and after registration, in percent."""
    fitted = [find_face(frame, engine, MIN_FRACTION)[1] for frame in frames]
    aligned = []
    for points in fitted:
        affine = fit_similarity(points[STABLE_POINTS], fitted[0][STABLE_POINTS])
        aligned.append(points @ affine[:, :2].T + affine[:, 2])
    before = landmark_jitter(np.stack(aligned)) / interocular_distance(fitted[0])
    settings = FaceSettings(measure_jitter=True)
    after = register_clip(frames, engine, settings)
    return 100 * before, 100 * after.jitter_px / interocular_distance(after.landmarks[0])


def main() -> None:
    """Print the tables."""
    cv2.setNumThreads(1)
    engines = open_engines()
    drawn = simulated()
    landmarked: list[Truth] = []
    if "MEREC_LANDMARKED" in os.environ:
        for path, points in annotated_images(Path(os.environ["MEREC_LANDMARKED"])):
            face = find_annotated_face(path, points)
            if face is not None:
                landmarked.append((face.image, face.landmarks))
    video = os.environ.get("MEREC_VIDEO")
    frames = None
    if video:
        frames = read_frames(Path(video).parent, Clip("video", "s", "x", Video(Path(video).name)))
    print("| engine | simulated faces, % | annotated real images, % | still face, jitter in % |")
    print("|---|---|---|---|")
    for name, engine in engines.items():
        real = said(errors(engine, landmarked), len(landmarked)) if landmarked else "-"
        still = still_jitter(engine)
        print(f"| {name} | {said(errors(engine, drawn), len(drawn))} | {real} | {still:.2f} |")
    if frames is not None:
        print("\n| engine | video as filmed, aligned, jitter in % | after registration, % |")
        print("|---|---|---|")
        for name, engine in engines.items():
            before, after = video_jitter(engine, frames)
            print(f"| {name} | {before:.2f} | {after:.2f} |", flush=True)
    if "MEREC_DATA" in os.environ:
        print_cmu(Path(os.environ["MEREC_DATA"]), engines)


def print_cmu(folder: Path, engines: dict[str, LandmarkEngine]) -> None:
    """Print how far the other engines are from the default one on CMU Face Images."""
    faces = cmu_faces(folder, engines["face_mesh"])
    print("\n| engine | landed | initial shape, % | landmarks, % | at most, % |")
    print("|---|---|---|---|---|")
    for name in ("active_shape", "dlib"):
        engine = engines[name]
        starts, ends = [], []
        for image, expected, box in faces:
            try:
                found = engine.fit(image, box)
            except MerecError:
                continue
            ends.append(percent(found, expected))
            if isinstance(engine, ActiveShape):
                starts.append(percent(engine.initial(box), expected))
        start = f"{np.mean(starts):.2f}" if starts else "-"
        print(
            f"| {name} | {len(ends)} of {len(faces)} | {start} | {np.mean(ends):.2f} | "
            f"{max(ends):.1f} |"
        )


if __name__ == "__main__":
    main()

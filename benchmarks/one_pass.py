"""One pass over a clip, from images to features of flow, against OpenCV's own calls in a bare loop.

    python benchmarks/one_pass.py

A clip of 200 images of 640 x 480, a simulated one played to and fro. The loop reads, warps by a map
that it is given, turns grey and computes flow, and keeps what it has computed: it looks for no face, no
apex and no fault. Ours is what the stages do: frames read ahead by a thread, detection and landmarks on the
first frame, warps with smoothing against aliasing, the apex, the flow from onset to apex and its features.
By the clock, and by the time of all cores.
"""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from merec_hpc.clips.face_clip import FaceClip
from merec_hpc.config.datasets import SimulatedSettings
from merec_hpc.config.faces import FaceSettings
from merec_hpc.config.motion import FlowSettings
from merec_hpc.dataset.clip import Clip
from merec_hpc.dataset.frames import iterate_frames, read_ahead
from merec_hpc.dataset.simulated import plan_clips, simulate
from merec_hpc.dataset.sources import Folder
from merec_hpc.faces.landmarks import FaceMesh
from merec_hpc.faces.registration import RegisteredClip, register_clip
from merec_hpc.features.flow import open_extractor
from merec_hpc.motion.apex import find_apex
from merec_hpc.motion.optical_flow import open_flow

N_FRAMES, N_TIMES = 200, 5
FACES = FaceSettings()
FAST = FlowSettings(preset="fast")


def write_clip(folder: Path, suffix: str) -> Clip:
    """Write the images of a clip."""
    settings = SimulatedSettings(preset="hs", n_subjects=2, n_clips=3)
    (made,) = simulate(folder / "made", plan_clips(settings)[:1], settings, 1)
    images = [cv2.imread(str(path)) for path in sorted(made.glob("*.jpg"))]
    to_and_fro = [*images, *images[-2:0:-1]]
    (folder / "clip").mkdir()
    for number in range(N_FRAMES):
        image = to_and_fro[number % len(to_and_fro)]
        cv2.imwrite(str(folder / "clip" / f"{number:05d}.{suffix}"), image)
    return Clip("clip", "s1", "positive", Folder("clip"))


def bare(folder: Path, affine: np.ndarray, flow_of_each: bool) -> None:  # type: ignore[type-arg]
    """Read, warp and compute flow by OpenCV alone: to the last frame, or to each."""
    each = open_flow(FAST)
    greys = []
    for path in sorted((folder / "clip").iterdir()):
        warped = cv2.warpAffine(cv2.imread(str(path)), affine, (FACES.size_px, FACES.size_px))
        greys.append(cv2.cvtColor(warped, cv2.COLOR_BGR2GRAY))
        if flow_of_each and len(greys) > 1:
            each(greys[0], greys[-1])
    open_flow(FlowSettings())(greys[0], greys[-1])


def ours(folder: Path, clip: Clip, engine: FaceMesh, flow_of_each: bool) -> RegisteredClip:
    """Register the clip, find its apex and describe the flow to it."""
    face = register_clip(read_ahead(iterate_frames(folder, clip)), engine, FACES)
    frames = (face.frames[place] for place in range(len(face.frames)))
    apex = find_apex(frames, face.landmarks, "flow" if flow_of_each else "difference")
    seen = FaceClip("clip", face.frames, face.landmarks, apex, 1, face.affines, (480, 640))
    list(open_extractor(FlowSettings(), None).extract([seen], 1))
    return face


def seconds(work: Callable[[], object]) -> tuple[float, float]:
    """Return how long something takes: by the clock, and of all cores."""
    start, used = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - start, time.process_time() - used


def main() -> None:
    """Print a table of both, by format and by how the apex is found."""
    cv2.setNumThreads(1)
    engine = FaceMesh(Path("resources/weights/face_mesh"))
    print(
        "| images | apex by | ours, s | OpenCV alone, s | ratio of medians | ours, CPU s | alone | ratio |"
    )
    print("|---|---|---|---|---|---|---|---|")
    for suffix in ("bmp", "jpg"):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            clip = write_clip(folder, suffix)
            for method, flow_of_each in (("difference", False), ("flow", True)):
                affine = ours(folder, clip, engine, flow_of_each).affines[0]
                pairs = [
                    (
                        seconds(lambda: ours(folder, clip, engine, flow_of_each)),  # noqa: B023
                        seconds(lambda: bare(folder, affine, flow_of_each)),  # noqa: B023
                    )
                    for _ in range(N_TIMES)
                ]
                (wall, used), (other_wall, other_used) = np.median(pairs, axis=0)
                print(
                    f"| {suffix} | {method} | {wall:.3f} | {other_wall:.3f} | "
                    f"{wall / other_wall:.2f} | {used:.3f} | {other_used:.3f} | "
                    f"{used / other_used:.2f} |"
                )


if __name__ == "__main__":
    main()

"""Laws of registration, and a real video from its manifest to its features."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from pydantic import ValidationError
from skimage.data import astronaut

from merec_hpc.commands import (
    draw_contact_sheets,
    extract_features,
    find_apexes,
    interpolate_clips,
    register_faces,
)
from merec_hpc.config.base import to_json
from merec_hpc.config.datasets import ManifestSettings
from merec_hpc.config.faces import FaceSettings, InterpolationSettings
from merec_hpc.config.features import FeatureSettings
from merec_hpc.dataset.catalog import list_clips, write_catalog
from merec_hpc.dataset.frames import read_frames
from merec_hpc.errors import MerecError
from merec_hpc.faces.detection import Box
from merec_hpc.faces.engines import open_engine
from merec_hpc.faces.landmark_table import LandmarkTable
from merec_hpc.faces.landmarks import FaceMesh, LandmarkEngine
from merec_hpc.faces.reference import STABLE_POINTS, reference_landmarks
from merec_hpc.faces.registration import (
    RegisteredClip,
    find_face,
    landmark_jitter,
    register_clip,
    register_frames,
)
from merec_hpc.files.rows import read_rows
from merec_hpc.records import Failure, Features
from merec_hpc.store.clips import iterate_clips
from merec_hpc.store.faces import iterate_faces, read_face_index
from merec_hpc.store.features import read_features

SETTINGS = FaceSettings(measure_jitter=True)
EACH_FRAME = FaceSettings(registration="each_frame", measure_jitter=True)
SHIFTS = [(0, 0), (6, -4), (-9, 5)]  # of the face from frame to frame, pixels

N_VIDEO_FRAMES = 72
MAX_VIDEO_JITTER_PX = 1.2  # measured: 0.88, of eyes that are 81 pixels apart and of a moving head


@pytest.fixture(scope="module")
def engine(weights: Path) -> FaceMesh:
    cv2.setNumThreads(1)  # as the command sets it
    return FaceMesh(weights / "face_mesh")


@pytest.fixture(scope="module")
def portrait() -> NDArray[np.uint8]:
    """The face of the photograph, of about the size that the embedded dataset has."""
    face = astronaut()[10:230, 110:340]
    return np.asarray(cv2.resize(face, None, fx=1.6, fy=1.6), np.uint8)


@pytest.fixture(scope="module")
def shaken(portrait: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The face, shifted by several pixels from frame to frame."""
    height, width = portrait.shape[:2]
    shifted = [
        cv2.warpAffine(
            portrait,
            np.array([[1.0, 0.0, x], [0.0, 1.0, y]]),
            (width, height),
            borderMode=cv2.BORDER_REPLICATE,
        )
        for x, y in SHIFTS
    ]
    return np.stack(shifted).astype(np.uint8)


@pytest.fixture(scope="module")
def once(shaken: NDArray[np.uint8], engine: FaceMesh) -> RegisteredClip:
    return register_clip(shaken, engine, SETTINGS)


@pytest.fixture(scope="module")
def aligned(shaken: NDArray[np.uint8], engine: FaceMesh) -> RegisteredClip:
    return register_clip(shaken, engine, EACH_FRAME)


def _distance(a: NDArray[np.floating], b: NDArray[np.floating]) -> float:
    """The mean distance of the stable points, in pixels."""
    return float(np.linalg.norm(a - b, axis=-1)[..., STABLE_POINTS].mean())


def test_stable_points_come_to_lie_on_the_reference(aligned: RegisteredClip) -> None:
    assert _distance(aligned.landmarks, reference_landmarks(SETTINGS)) < 2  # eyes 81 px apart


def test_registered_face_is_not_moved_again(aligned: RegisteredClip, engine: FaceMesh) -> None:
    again = register_clip(aligned.frames, engine, EACH_FRAME)
    assert _distance(again.landmarks, aligned.landmarks) < 1


def test_first_frame_maps_all_frames(once: RegisteredClip, shaken: NDArray[np.uint8]) -> None:
    # The picture as filmed moved by SHIFTS; so does the registered one, times the map's scale.
    steps = once.landmarks - once.landmarks[:1]
    scale = _distance(once.landmarks[:1], once.landmarks[:1].mean(axis=1, keepdims=True))
    scale /= _distance(once.first_landmarks, once.first_landmarks.mean(axis=0))
    for (x, y), step in zip(SHIFTS, steps, strict=True):
        np.testing.assert_allclose(
            step[STABLE_POINTS].mean(axis=0), scale * np.array([x, y]), atol=1.0
        )


def test_each_frame_is_aligned_if_asked_for(once: RegisteredClip, aligned: RegisteredClip) -> None:
    assert landmark_jitter(once.landmarks) > 5
    assert landmark_jitter(aligned.landmarks) < 1
    for landmarks in aligned.landmarks[1:]:
        assert _distance(landmarks, aligned.landmarks[0]) < 1


def test_first_frame_is_the_same_either_way(once: RegisteredClip, aligned: RegisteredClip) -> None:
    np.testing.assert_array_equal(once.frames[0], aligned.frames[0])


def test_repeated_frame_has_no_jitter(portrait: NDArray[np.uint8], engine: FaceMesh) -> None:
    still = register_clip(np.stack([portrait] * 3), engine, SETTINGS)
    assert landmark_jitter(still.landmarks) == 0
    np.testing.assert_array_equal(still.frames[1:], still.frames[:-1])


def test_frames_have_the_size_of_the_settings(
    portrait: NDArray[np.uint8], engine: FaceMesh
) -> None:
    small = register_clip(portrait[None], engine, FaceSettings(size_px=96))
    assert small.frames.shape == (1, 96, 96, 3)
    assert small.frames.dtype == np.uint8
    assert small.landmarks.shape == (1, 68, 2)
    assert small.first_landmarks.shape == (68, 2)


def test_landmarks_of_the_first_frame_are_those_as_filmed(
    once: RegisteredClip, shaken: NDArray[np.uint8], engine: FaceMesh
) -> None:
    box, landmarks = find_face(shaken[0], engine, SETTINGS.min_detection_fraction)
    assert once.box == box
    np.testing.assert_array_equal(once.first_landmarks, landmarks)


def test_clip_without_a_face_is_refused(engine: FaceMesh) -> None:
    grey = np.full((1, 200, 200, 3), 128, np.uint8)
    with pytest.raises(MerecError, match="no face of at least 30 pixels"):
        register_clip(grey, engine, SETTINGS)


@pytest.mark.parametrize("settings", [SETTINGS, EACH_FRAME])
def test_later_frame_without_a_face_is_refused(
    portrait: NDArray[np.uint8], engine: FaceMesh, settings: FaceSettings
) -> None:
    clip = np.stack([portrait, np.full_like(portrait, 128)])
    with pytest.raises(MerecError, match=r"no face"):
        register_clip(clip, engine, settings)


class _Picky:
    """An engine that sees a face in the n-th box it is shown, or in none."""

    def __init__(self, sees: int) -> None:
        self.sees = sees
        self.shown: list[Box] = []

    def fit(self, image: NDArray[np.uint8], box: Box) -> NDArray[np.float32]:
        assert image.shape == (512, 512, 3)
        self.shown.append(box)
        if len(self.shown) != self.sees:
            msg = f"no face in box {len(self.shown)}"
            raise MerecError(msg)
        return np.zeros((68, 2), np.float32)


def test_candidates_are_tried_until_the_engine_sees_a_face() -> None:
    engine = _Picky(2)
    box, _ = find_face(astronaut(), engine, 0.15)
    assert len(engine.shown) == 2
    assert box == engine.shown[1]


def test_error_of_the_most_likely_candidate_is_told_if_none_is_a_face() -> None:
    engine: LandmarkEngine = _Picky(0)
    with pytest.raises(MerecError, match=r"^no face in box 1$"):
        find_face(astronaut(), engine, 0.15)


def test_jitter_is_the_root_mean_square_step() -> None:
    landmarks = np.zeros((3, 68, 2))
    landmarks[1] = (3, 4)  # a step of 5 pixels, then none
    landmarks[2] = (3, 4)
    assert landmark_jitter(landmarks) == pytest.approx(5 / np.sqrt(2))


def test_single_frame_has_no_jitter() -> None:
    assert landmark_jitter(np.ones((1, 68, 2))) == 0


@dataclass(frozen=True)
class VideoRun:
    """What the commands made of the real video."""

    faces: Path
    sheet: Path
    failures: Path
    clips: Path
    features: Features


@pytest.fixture(scope="module")
def video_run(
    video: Path, weights: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[VideoRun]:
    """The video through a manifest and the commands of the workflow, one after the other."""
    folder = tmp_path_factory.mktemp("video")
    # Apart from its labels this is what a user writes; an absolute path wins over the root.
    (folder / "manifest.csv").write_text(
        f"clip,subject,label,path,onset,apex,offset\ntalk,s01,neutral,{video},,,\n"
    )
    write_catalog(folder / "catalog.tsv", list_clips(folder, ManifestSettings()).clips)
    faces, clips, features = (folder / f"{name}.h5" for name in ("faces", "clips", "features"))
    sheet, failures = folder / "sheet.png", folder / "failures.tsv"
    register_faces.run(
        catalog=folder / "catalog.tsv",
        root=folder,
        subject="s01",
        landmark_weights=weights / "face_mesh",
        settings=to_json(SETTINGS),
        output=faces,
        failures=failures,
    )
    interpolate_clips.run(faces, to_json(InterpolationSettings(n_frames=10)), clips)
    find_apexes.run(folder / "catalog.tsv", [faces], "{}", folder / "clips.tsv")
    draw_contact_sheets.run(
        catalog=folder / "clips.tsv",
        subject="s01",
        faces=faces,
        failures=failures,
        faces_sheet=sheet,
        clips_sheet=folder / "clips.png",
    )
    extract_features.run(
        catalog=folder / "clips.tsv",
        faces=[faces],
        interpolation='{"n_frames": 10}',
        weights=weights / "mobilenet_v2",
        settings=to_json(FeatureSettings()),
        output=features,
    )
    yield VideoRun(faces, sheet, failures, clips, read_features(features))
    for path in (faces, clips):  # tens of megabytes
        path.unlink()


def test_real_video_is_read_whole(video: Path, tmp_path: Path) -> None:
    (tmp_path / "manifest.csv").write_text(
        f"clip,subject,label,path,onset,apex,offset\ntalk,s01,neutral,{video},,,\n"
    )
    clip = list_clips(tmp_path, ManifestSettings()).clips[0]
    assert read_frames(tmp_path, clip).shape == (N_VIDEO_FRAMES, 360, 640, 3)


def test_real_video_is_registered_without_failure(video_run: VideoRun) -> None:
    assert read_face_index(video_run.faces)[0].tolist() == ["talk"]
    assert read_rows(video_run.failures, Failure) == []
    (frames,) = [
        np.stack([clip[place] for place in range(len(clip))])
        for clip in iterate_faces(video_run.faces)
    ]
    assert frames.shape == (N_VIDEO_FRAMES, SETTINGS.size_px, SETTINGS.size_px, 3)


def test_registered_real_video_hardly_jitters(video_run: VideoRun) -> None:
    jitter = read_face_index(video_run.faces)[1]
    assert jitter.shape == (1,)
    assert 0 < jitter[0] < MAX_VIDEO_JITTER_PX


def test_contact_sheet_of_the_real_video_has_five_frames_and_the_flow(
    video_run: VideoRun,
) -> None:
    sheet = cv2.imread(str(video_run.sheet), cv2.IMREAD_COLOR)
    assert sheet is not None
    assert sheet.shape == (194, 7 * 160, 3)


def test_real_video_is_interpolated_between_its_ends(video_run: VideoRun) -> None:
    (frames,) = [
        np.stack([clip[place] for place in range(len(clip))])
        for clip in iterate_faces(video_run.faces)
    ]
    (clip,) = iterate_clips(video_run.clips)
    assert clip.shape == (10, SETTINGS.size_px, SETTINGS.size_px, 3)
    np.testing.assert_allclose(clip[[0, -1]], frames[[0, -1]], atol=0.51)  # rounded


def test_real_video_has_finite_features(video_run: VideoRun) -> None:
    features = video_run.features
    assert features.values.shape == (1, 2560)
    assert np.isfinite(features.values).all()
    # A talking face changes: the deviations of most channels are not 0.
    assert (features.values[0, 1280:] > 0).mean() > 0.5
    assert features.subjects.tolist() == ["s01"]
    assert len(features.names) == 2560


def test_without_measured_jitter_landmarks_are_those_of_the_map(
    portrait: NDArray[np.uint8], engine: FaceMesh
) -> None:
    still = register_clip(iter([portrait] * 3), engine, FaceSettings())
    assert np.isnan(still.jitter_px)
    x, y = still.first_landmarks[30]
    np.testing.assert_allclose(
        still.landmarks[:, 30], np.tile(still.affines[0] @ [x, y, 1], (3, 1)), rtol=1e-5
    )
    measured = register_clip(iter([portrait] * 3), engine, SETTINGS)
    np.testing.assert_array_equal(measured.frames, still.frames)
    assert _distance(measured.landmarks, still.landmarks) < 2


@pytest.mark.parametrize("warp", ["local_weighted_mean", "piecewise_affine"])
def test_dense_warps_take_the_whole_face_to_the_reference(
    portrait: NDArray[np.uint8], engine: FaceMesh, warp: Any
) -> None:
    settings = FaceSettings(warp=warp, measure_jitter=True)
    face = register_clip([portrait], engine, settings)
    similar = register_clip([portrait], engine, SETTINGS)
    reference = reference_landmarks(settings)
    inside = ((reference > 5) & (reference < 219)).all(axis=1)

    def error(landmarks: NDArray[np.float32]) -> float:
        return float(np.linalg.norm(landmarks[0] - reference, axis=1)[inside].mean())

    assert error(face.landmarks) < error(similar.landmarks) - 0.1


def _table(path: Path, landmarks: list[NDArray[np.float32]]) -> LandmarkTable:
    """Landmarks of each frame as OpenFace writes them."""
    names = ["frame", *(f"x_{i}" for i in range(68)), *(f"y_{i}" for i in range(68))]
    rows = [",".join(names)]
    for number, points in enumerate(landmarks, start=1):
        rows.append(",".join(map(str, [number, *points.T.ravel()])))
    path.write_text("\n".join(rows))
    return LandmarkTable(path)


@pytest.mark.parametrize("settings", [SETTINGS, EACH_FRAME], ids=["first_frame", "each_frame"])
def test_table_of_an_engines_landmarks_registers_as_the_engine(
    shaken: NDArray[np.uint8], engine: FaceMesh, tmp_path: Path, settings: FaceSettings
) -> None:
    fitted = [find_face(frame, engine, settings.min_detection_fraction)[1] for frame in shaken]
    table = _table(tmp_path / "clip.csv", fitted)
    face = register_clip(shaken, table, settings)
    expected = register_clip(shaken, engine, settings)
    np.testing.assert_array_equal(face.frames, expected.frames)
    np.testing.assert_array_equal(face.affines, expected.affines)
    # The face moves by pixels: the first frame's map leaves that motion, each frame's none of it.
    assert (face.jitter_px > 3) == (settings.registration == "first_frame")


def test_table_of_another_length_is_refused(shaken: NDArray[np.uint8], tmp_path: Path) -> None:
    points = np.random.default_rng(0).normal(100, 20, (68, 2)).astype(np.float32)
    table = _table(tmp_path / "clip.csv", [points] * 4)
    with pytest.raises(MerecError, match="3 frames, as the clip, expected, found 4"):
        register_clip(shaken, table, FaceSettings())


def test_frames_are_handed_on_one_after_the_other(
    shaken: NDArray[np.uint8], engine: FaceMesh
) -> None:
    kept: list[NDArray[np.uint8]] = []

    def frames() -> Iterator[NDArray[np.uint8]]:
        for place, frame in enumerate(shaken):
            assert len(kept) == max(0, place)  # the one before has left memory
            yield frame

    described = register_frames(frames(), engine, FaceSettings(), kept.append)
    assert len(described.frames) == 0
    assert described.affines.shape == (len(SHIFTS), 2, 3)
    np.testing.assert_array_equal(
        np.stack(kept), register_clip(shaken, engine, FaceSettings()).frames
    )


def test_without_registration_whole_images_are_brought_to_size(
    shaken: NDArray[np.uint8],
) -> None:
    settings = FaceSettings(registration="none", size_px=64)
    source = open_engine(settings, None)("clip")
    face = register_clip(shaken, source, settings)
    frames = np.stack([face.frames[place] for place in range(len(face.frames))])
    assert frames.shape == (len(SHIFTS), 64, 64, 3)
    expected = cv2.resize(shaken[1], (64, 64), interpolation=cv2.INTER_AREA)
    np.testing.assert_array_equal(frames[1], expected)
    assert np.isnan(face.landmarks).all()
    # The middle of the image stays its middle.
    height, width = shaken.shape[1:3]
    middle = face.affines[0] @ [(width - 1) / 2, (height - 1) / 2, 1]
    np.testing.assert_allclose(middle, [31.5, 31.5])


def test_jitter_of_unregistered_frames_is_not_measured() -> None:
    with pytest.raises(ValidationError, match="measure_jitter false expected, found true"):
        FaceSettings(registration="none", measure_jitter=True)

from collections import Counter
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from skimage.data import astronaut

from merec_hpc.config.datasets import Casme2Settings, SimulatedSettings
from merec_hpc.dataset.audit import audit
from merec_hpc.dataset.catalog import list_clips
from merec_hpc.dataset.frames import frame_files, read_frames
from merec_hpc.dataset.images import frame_number
from merec_hpc.dataset.readers import smic
from merec_hpc.dataset.schemes import SCHEMES
from merec_hpc.dataset.sheets import read_rows_below
from merec_hpc.dataset.simulated import (
    CASME2_SHEET,
    PRESETS,
    plan_clips,
    read_landmarks,
    simulate,
    size_on_disk,
)
from merec_hpc.errors import MerecError

SMIC_3 = SCHEMES["smic-3"].classes

SMALL = SimulatedSettings(n_subjects=2, n_clips=4, seed=3)
SMALL_CASME2 = SimulatedSettings(preset="casme2", n_subjects=2, n_clips=5, seed=3)
HEAD_MOTION_PX = 1.0


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small set, written by two threads."""
    return _simulate(tmp_path_factory.mktemp("simulated"), SMALL, n_threads=2)


@pytest.mark.parametrize(
    ("preset", "counts", "n_subjects"),
    [
        ("vis", {"positive": 28, "negative": 24, "surprise": 19}, 8),
        ("hs", {"positive": 51, "negative": 70, "surprise": 43}, 16),
        (
            "casme2",
            {"happiness": 32, "disgust": 63, "repression": 27, "surprise": 25, "others": 99},
            26,
        ),
    ],
)
@pytest.mark.parametrize("seed", [0, 1])
def test_preset_has_the_size_of_the_real_set(
    preset: str, counts: dict[str, int], n_subjects: int, seed: int
) -> None:
    clips = plan_clips(_preset(preset, seed))
    assert len(clips) == {"vis": 71, "hs": 164, "casme2": 246}[preset]
    assert Counter(clip.label for clip in clips) == counts
    assert len({clip.subject for clip in clips}) == n_subjects
    assert {clip.subject for clip in clips} == set(PRESETS[preset].subjects)


def test_subjects_of_the_presets_are_those_of_the_release() -> None:
    assert PRESETS["vis"].subjects == (11, 12, 13, 14, 15, 18, 19, 20)
    assert set(range(1, 21)) - set(PRESETS["hs"].subjects) == {7, 10, 16, 17}


@pytest.mark.parametrize(
    ("preset", "fewest", "most", "mean"),
    [("vis", 5, 14, 9.0), ("hs", 11, 58, 33.7), ("casme2", 24, 141, 67.0)],
)
def test_lengths_are_those_of_the_camera(preset: str, fewest: int, most: int, mean: float) -> None:
    lengths = [clip.n_frames for clip in plan_clips(_preset(preset))]
    assert fewest <= min(lengths) < max(lengths) <= most
    assert abs(np.mean(lengths) - mean) < 0.1 * mean


@pytest.mark.parametrize("preset", PRESETS)
def test_every_subject_has_at_least_two_clips(preset: str) -> None:
    counts = Counter(clip.subject for clip in plan_clips(_preset(preset)))
    assert min(counts.values()) >= 2


@pytest.mark.parametrize("preset", PRESETS)
def test_folders_of_planned_clips_are_distinct(preset: str) -> None:
    clips = plan_clips(_preset(preset))
    folders = {clip.folder(Path(), PRESETS[preset].camera) for clip in clips}
    assert len(folders) == len(clips)


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize(("n_subjects", "n_clips"), [(2, 5), (3, 12), (8, 71), (4, 9)])
def test_fewer_subjects_and_clips_can_be_planned(
    preset: str, n_subjects: int, n_clips: int
) -> None:
    clips = plan_clips(replace(_preset(preset), n_subjects=n_subjects, n_clips=n_clips))
    assert len(clips) == n_clips
    assert len({clip.subject for clip in clips}) == n_subjects
    labels = {clip.label for clip in clips}
    assert labels <= set(PRESETS[preset].class_sizes)
    assert len(labels) >= min(4, len(PRESETS[preset].class_sizes))


def test_another_seed_is_another_plan() -> None:
    assert plan_clips(SimulatedSettings()) == plan_clips(SimulatedSettings())
    assert plan_clips(SimulatedSettings()) != plan_clips(SimulatedSettings(seed=1))


def test_size_on_disk_is_that_of_the_frames_written(root: Path) -> None:
    written = sum(path.stat().st_size for path in root.rglob("*.jpg"))
    assert size_on_disk(plan_clips(SMALL), PRESETS["vis"]) == pytest.approx(written, rel=0.15)


def test_nothing_but_frames_and_landmarks_is_written(root: Path) -> None:
    files = [path for path in root.rglob("*") if path.is_file()]
    assert {path.suffix for path in files} == {".jpg", ".csv"}
    assert {path.name for path in files if path.suffix == ".csv"} == {"landmarks.csv"}


def test_bytes_do_not_depend_on_the_number_of_threads(root: Path, tmp_path: Path) -> None:
    assert _contents(_simulate(tmp_path, SMALL, n_threads=1)) == _contents(root)


def test_another_seed_makes_other_pictures(root: Path, tmp_path: Path) -> None:
    settings = SimulatedSettings(n_subjects=2, n_clips=3, seed=4)
    plan = plan_clips(settings)[:1]
    list(simulate(tmp_path, plan, settings, 1))
    frames = {path.read_bytes() for path in tmp_path.rglob("*.jpg")}
    assert len(frames) == plan[0].n_frames  # noise makes every frame unique
    assert frames.isdisjoint(path.read_bytes() for path in root.rglob("*.jpg"))


def test_folders_are_yielded_in_the_order_of_the_plan(tmp_path: Path) -> None:
    plan = plan_clips(SMALL)[1::2]
    folders = list(simulate(tmp_path, plan, SMALL, 2))
    assert folders == [clip.folder(tmp_path, "VIS") for clip in plan]


def test_reader_of_smic_reads_what_was_written(root: Path) -> None:
    clips = smic.list_clips(root, "VIS").clips
    plan = plan_clips(SMALL)
    assert sorted(clip.subject for clip in clips) == sorted(f"s{clip.subject}" for clip in plan)
    assert Counter(clip.label for clip in clips) == Counter(clip.label for clip in plan)
    assert list_clips(root, SMALL).clips == clips
    assert audit(root, clips, SMIC_3) == []


def test_frames_are_640_by_480_and_as_many_as_planned(root: Path) -> None:
    lengths = []
    for clip in smic.list_clips(root, "VIS").clips:
        frames = read_frames(root, clip)
        assert frames.shape[1:] == (480, 640, 3)
        lengths.append(len(frames))
    assert sorted(lengths) == sorted(clip.n_frames for clip in plan_clips(SMALL))


def test_frames_are_written_as_red_green_blue(root: Path) -> None:
    zoom = np.array([[2.0, 0, 320 - 2 * 225], [0, 2.0, 240 - 2 * 122]])
    photo = _redness(cv2.warpAffine(astronaut(), zoom, (640, 480)))
    for clip in smic.list_clips(root, "VIS").clips:
        frame = _redness(read_frames(root, clip)[0])
        assert np.corrcoef(frame, photo)[0, 1] > 0.7  # whatever the tone of the skin


@pytest.mark.parametrize(
    ("preset", "camera", "pattern"), [("vis", "VIS", "?????.jpg"), ("hs", "HS", "image??????.jpg")]
)
def test_layout_is_that_of_the_camera(
    tmp_path: Path, preset: str, camera: str, pattern: str
) -> None:
    settings = _preset(preset)
    plan = sorted(plan_clips(settings), key=lambda clip: clip.n_frames)[:1]
    (folder,) = simulate(tmp_path, plan, settings, 1)
    assert folder.relative_to(tmp_path).parts[:3] == (camera, f"s{plan[0].subject}", "micro")
    assert folder.parent.name == plan[0].label
    assert len(list(folder.glob(pattern))) == len(list(folder.glob("*.jpg"))) == plan[0].n_frames


def test_landmarks_are_listed_by_frame_number(root: Path) -> None:
    for clip in smic.list_clips(root, "VIS").clips:
        numbers, points = read_landmarks(root / clip.source.text / "landmarks.csv")
        assert numbers.tolist() == [frame_number(path) for path in frame_files(root, clip)]
        assert points.shape == (len(numbers), 68, 2)
        assert np.isfinite(points).all()
        assert (points > 0).all()
        assert (points < [640, 480]).all()


def test_clips_of_one_subject_begin_with_the_same_landmarks(root: Path) -> None:
    first: dict[str, list[NDArray[np.float64]]] = {}
    for clip in smic.list_clips(root, "VIS").clips:
        points = read_landmarks(root / clip.source.text / "landmarks.csv")[1]
        first.setdefault(clip.subject, []).append(points[0])
    assert [len(points) for points in first.values()] == [2, 2]
    for points in first.values():
        np.testing.assert_allclose(points[0], points[1], atol=1e-4)
    one, other = (points[0] for points in first.values())
    assert np.abs(one - other).max() > 2.0  # two subjects are two faces


def test_landmarks_move_within_the_settings(root: Path) -> None:
    for clip in smic.list_clips(root, "VIS").clips:
        points = read_landmarks(root / clip.source.text / "landmarks.csv")[1]
        largest = np.linalg.norm(points - points[0], axis=2).max()
        assert 0.3 < largest < SMALL.peak_displacement_px[1] + HEAD_MOTION_PX


def test_landmarks_lie_on_the_face_that_the_frames_show(root: Path) -> None:
    clip = smic.list_clips(root, "VIS").clips[0]
    frame = read_frames(root, clip)[0]
    points = read_landmarks(root / clip.source.text / "landmarks.csv")[1][0]
    eyes = [points[36:42], points[42:48]]
    grey = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)
    for eye in eyes:
        x, y = np.rint(eye.mean(axis=0)).astype(int)
        cheek = grey[y + 40 : y + 50, x - 5 : x + 5]
        assert grey[y - 4 : y + 5, x - 4 : x + 5].mean() < cheek.mean() - 20


def _preset(name: str, seed: int = 0) -> SimulatedSettings:
    return SimulatedSettings(preset=name, seed=seed)  # type: ignore[arg-type]


def _simulate(root: Path, settings: SimulatedSettings, n_threads: int) -> Path:
    folders = list(simulate(root, plan_clips(settings), settings, n_threads))
    assert len(folders) == settings.n_clips
    return root


def _redness(image: NDArray[np.uint8]) -> NDArray[np.float32]:
    red, _, blue = np.moveaxis(np.log1p(image.astype(np.float32)), 2, 0)
    return (red - blue).ravel()


def _contents(root: Path) -> dict[str, bytes]:
    files = sorted(path for path in root.rglob("*") if path.is_file())
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in files}


def test_every_class_occurs_even_in_the_smallest_plan() -> None:
    clips = plan_clips(SimulatedSettings(n_subjects=2, n_clips=3))
    assert {clip.label for clip in clips} == {"negative", "positive", "surprise"}
    assert len({clip.subject for clip in clips}) == 2


@pytest.mark.parametrize(("n_subjects", "n_clips"), [(9, None), (4, 3)])
def test_more_subjects_than_there_can_be_are_refused(n_subjects: int, n_clips: int | None) -> None:
    with pytest.raises(MerecError, match="subjects expected"):
        plan_clips(SimulatedSettings(n_subjects=n_subjects, n_clips=n_clips))


@pytest.fixture(scope="module")
def casme2_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small set in CASME II's layout, written by two threads."""
    return _simulate(tmp_path_factory.mktemp("casme2"), SMALL_CASME2, n_threads=2)


def test_reader_of_casme2_reads_what_was_written(casme2_root: Path) -> None:
    plan = plan_clips(SMALL_CASME2)
    listing = list_clips(casme2_root, SMALL_CASME2)
    assert listing.classes == SCHEMES["casme2-5"].classes
    assert [clip.label for clip in listing.clips] == [clip.label for clip in plan]
    assert audit(casme2_root, listing.clips, listing.classes) == []
    for clip, planned in zip(listing.clips, plan, strict=True):
        frames = read_frames(casme2_root, clip)
        assert frames.shape == (planned.n_frames, 340, 280, 3)
        assert clip.frame_rate_hz == 200
    sheets = Casme2Settings()
    assert list_clips(casme2_root, sheets).clips == listing.clips


def test_the_apex_of_the_sheet_is_where_landmarks_have_moved_most(casme2_root: Path) -> None:
    for clip in list_clips(casme2_root, SMALL_CASME2).clips:
        _, points = read_landmarks(casme2_root / clip.source.text / "landmarks.csv")
        assert points.min() > 0
        assert (points.max(axis=(0, 1)) < [280, 340]).all()
        moved = np.abs(points - points[0]).max(axis=(1, 2))
        assert clip.apex is not None
        assert clip.onset is not None
        # The head drifts by a tenth of a pixel.
        assert moved[clip.apex - clip.onset] > moved.max() - 0.3


def test_the_sheet_names_the_units_of_each_class(casme2_root: Path) -> None:
    rows = read_rows_below(casme2_root / CASME2_SHEET, ("Subject", "Action Units"))
    units = {row.text("Estimated Emotion"): row.text("Action Units") for row in rows}
    assert units["disgust"] == "9+10"
    assert units["others"] in {"4", "7", "14", "20"}


@pytest.mark.longer
def test_bytes_in_casme2_layout_do_not_depend_on_threads(casme2_root: Path, tmp_path: Path) -> None:
    assert _contents(_simulate(tmp_path, SMALL_CASME2, n_threads=1)) == _contents(casme2_root)

"""The four kinds of files: what is written is read, and a broken one is refused."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from merec_hpc.clips.interpolation import BLOCK
from merec_hpc.config.base import to_json
from merec_hpc.config.faces import FaceSettings, InterpolationSettings
from merec_hpc.config.features import FeatureSettings
from merec_hpc.errors import MerecError
from merec_hpc.records import (
    Features,
    History,
    InterpolatedClips,
    Population,
    Selection,
)
from merec_hpc.store.clips import iterate_clips, read_clip_names, write_clips
from merec_hpc.store.faces import (
    DETECTION_SHAPE,
    iterate_detections,
    iterate_faces,
    read_face_index,
    read_face_landmarks,
    written_faces,
)
from merec_hpc.store.features import read_features, write_features
from merec_hpc.store.schema import CLIPS, FACES, FEATURES, SELECTION, FileSpec, read_attribute
from merec_hpc.store.selection import SelectionOrigin, read_selection, write_selection

ORIGIN = SelectionOrigin("genetic", "s03", 7, '{"n_islands": 4}', "standard")
LENGTHS = (3, 1, 4)  # frames of each clip
CLIP_NAMES = np.array(["s1_ne_01", "s1_pö_01", "s1_sur_01"])
LABELS = np.array(["negative", "positive", "surprise"])


@dataclass(frozen=True)
class Faces:
    """The registered clips of a subject, all in memory."""

    frames: list[NDArray[np.uint8]]  # of each clip
    landmarks: list[NDArray[np.float32]]
    jitter_px: NDArray[np.float32]
    detections: NDArray[np.uint8]

    @property
    def lengths(self) -> list[int]:
        return [len(frames) for frames in self.frames]


def _faces(lengths: tuple[int, ...] = LENGTHS, size: int = 224) -> Faces:
    rng = np.random.default_rng(3)
    return Faces(
        [rng.integers(0, 256, (n, size, size, 3), dtype=np.uint8) for n in lengths],
        [rng.normal(size=(n, 68, 2)).astype(np.float32) for n in lengths],
        rng.random(len(lengths)).astype(np.float32),
        rng.integers(0, 256, (len(lengths), *DETECTION_SHAPE), dtype=np.uint8),
    )


def _write_faces(path: Path, faces: Faces, settings: FaceSettings | None = None) -> None:
    with written_faces(path, settings or FaceSettings(), "abc") as writer:
        for place, frames in enumerate(faces.frames):
            for frame in frames:
                writer.add(frame)
            writer.end_clip(
                CLIP_NAMES[place],
                faces.landmarks[place],
                float(faces.jitter_px[place]),
                faces.detections[place],
            )


def _read_faces(path: Path) -> list[NDArray[np.uint8]]:
    return [np.concatenate(list(clip.blocks())) for clip in iterate_faces(path)]


def _clips(n_clips: int = 3) -> InterpolatedClips:
    frames = np.random.default_rng(4).normal(100, 90, (n_clips, 5, 6, 6, 3)).astype(np.float32)
    return InterpolatedClips(frames, CLIP_NAMES[:n_clips])


def _population(rng: np.random.Generator, size: int, n_features: int) -> Population:
    return Population(rng.random((size, n_features)) < 0.5, rng.random(size), rng.random(size))


def _selection(n_features: int = 13, n_generations: int = 4, seed: int = 5) -> Selection:
    rng = np.random.default_rng(seed)
    return Selection(
        mask=rng.random(n_features) < 0.5,
        C=0.1,
        fitness=1 / 3,
        generation=n_generations - 1,
        history=History(
            best_fitness=rng.random(n_generations),
            training_accuracy=rng.random(n_generations),
            mean_fitness=rng.random(n_generations),
            min_selected=rng.integers(0, n_features, n_generations),
            max_selected=rng.integers(0, n_features, n_generations),
            best_masks=rng.random((n_generations, n_features)) < 0.5,
            best_C=rng.random(n_generations),
        ),
        hall_of_fame=_population(rng, 3, n_features),
        last=_population(rng, 6, n_features),
    )


def _assert_same(found: Any, expected: Any) -> None:
    """Compare dataclasses of arrays, field by field."""
    for field in fields(expected):
        one, other = getattr(found, field.name), getattr(expected, field.name)
        if hasattr(other, "__dataclass_fields__"):
            _assert_same(one, other)
        else:
            np.testing.assert_array_equal(one, other, err_msg=field.name)
            assert np.asarray(one).dtype.kind == np.asarray(other).dtype.kind, field.name


def test_faces_are_read_as_written_clip_by_clip(tmp_path: Path) -> None:
    faces, path = _faces(), tmp_path / "faces.h5"
    _write_faces(path, faces)
    names, jitter = read_face_index(path)
    assert names.tolist() == CLIP_NAMES.tolist()
    np.testing.assert_array_equal(jitter, faces.jitter_px)
    found = _read_faces(path)
    assert [len(frames) for frames in found] == list(LENGTHS)
    assert {frames.dtype for frames in found} == {np.dtype(np.uint8)}
    np.testing.assert_array_equal(np.concatenate(found), np.concatenate(faces.frames))


def test_long_clips_come_in_blocks(tmp_path: Path) -> None:
    faces, path = _faces((BLOCK + 3, 2 * BLOCK), size=32), tmp_path / "faces.h5"
    _write_faces(path, faces, FaceSettings(size_px=32))
    lengths = [[len(block) for block in clip.blocks()] for clip in iterate_faces(path)]
    assert lengths == [[BLOCK, 3], [BLOCK, BLOCK]]
    np.testing.assert_array_equal(np.concatenate(_read_faces(path)), np.concatenate(faces.frames))


def test_frames_of_a_dropped_clip_are_forgotten(tmp_path: Path) -> None:
    faces, path = _faces((BLOCK + 3, 2), size=32), tmp_path / "faces.h5"
    with written_faces(path, FaceSettings(size_px=32), "abc") as writer:
        for frame in faces.frames[0]:
            writer.add(frame)
        writer.drop_clip()
        for frame in faces.frames[1]:
            writer.add(frame)
        writer.end_clip("kept", faces.landmarks[1], 0.5, faces.detections[1])
    assert read_face_index(path)[0].tolist() == ["kept"]
    (found,) = _read_faces(path)
    np.testing.assert_array_equal(found, faces.frames[1])


def test_frame_beyond_a_clip_is_refused(tmp_path: Path) -> None:
    _write_faces(tmp_path / "faces.h5", _faces())
    with pytest.raises(IndexError):
        next(iterate_faces(tmp_path / "faces.h5"))[LENGTHS[0]]


def test_landmarks_are_kept_with_the_faces(tmp_path: Path) -> None:
    faces, path = _faces(), tmp_path / "faces.h5"
    _write_faces(path, faces)
    for found, expected in zip(read_face_landmarks(path), faces.landmarks, strict=True):
        np.testing.assert_array_equal(found, expected)


def test_pictures_of_first_frames_are_kept_with_the_faces(tmp_path: Path) -> None:
    faces, path = _faces(), tmp_path / "faces.h5"
    _write_faces(path, faces)
    for found, expected in zip(iterate_detections(path), faces.detections, strict=True):
        np.testing.assert_array_equal(found, expected)


def _as_version_1(path: Path) -> None:
    """Make of a file what an earlier version would have written: with labels."""
    with h5py.File(path, "r+") as file:
        file.attrs["version"] = 1
        file.create_dataset("labels", data=list(LABELS), dtype=h5py.string_dtype())
        if "detections" in file:
            del file["detections"]


def test_faces_and_clips_of_version_1_are_read_without_their_labels(tmp_path: Path) -> None:
    faces, clips = _faces(), _clips()
    _write_faces(tmp_path / "faces.h5", faces)
    write_clips(tmp_path / "clips.h5", clips, InterpolationSettings())
    for name in ("faces.h5", "clips.h5"):
        _as_version_1(tmp_path / name)
    np.testing.assert_array_equal(
        np.concatenate(_read_faces(tmp_path / "faces.h5")), np.concatenate(faces.frames)
    )
    assert list(iterate_detections(tmp_path / "faces.h5")) == [None] * len(LENGTHS)
    assert read_clip_names(tmp_path / "clips.h5").tolist() == CLIP_NAMES.tolist()
    np.testing.assert_array_equal(
        np.stack(list(iterate_clips(tmp_path / "clips.h5"))), clips.frames
    )


def test_subject_of_whom_no_clip_is_left_can_be_written(tmp_path: Path) -> None:
    _write_faces(tmp_path / "faces.h5", _faces(()))
    names, jitter = read_face_index(tmp_path / "faces.h5")
    assert len(names) == len(jitter) == 0
    assert list(iterate_detections(tmp_path / "faces.h5")) == []
    assert list(iterate_faces(tmp_path / "faces.h5")) == []
    write_clips(tmp_path / "clips.h5", _clips(0), InterpolationSettings())
    assert list(iterate_clips(tmp_path / "clips.h5")) == []
    assert read_clip_names(tmp_path / "clips.h5").tolist() == []


def test_clips_are_read_as_written_one_by_one(tmp_path: Path) -> None:
    clips, path = _clips(), tmp_path / "clips.h5"
    write_clips(path, clips, InterpolationSettings(n_frames=5))
    np.testing.assert_array_equal(read_clip_names(path), clips.clips)
    found = np.stack(list(iterate_clips(path)))
    np.testing.assert_array_equal(found, clips.frames)
    assert found.dtype == np.float32


def test_features_are_read_as_written(tmp_path: Path, features: Features) -> None:
    write_features(tmp_path / "features.h5", features, FeatureSettings(), "abc")
    _assert_same(read_features(tmp_path / "features.h5"), features)


@settings(deadline=None, max_examples=25)
@given(n_features=st.integers(1, 40), n_generations=st.integers(1, 5), seed=st.integers(0, 1000))
def test_selection_is_read_as_written(
    tmp_path_factory: pytest.TempPathFactory, n_features: int, n_generations: int, seed: int
) -> None:
    selection = _selection(n_features, n_generations, seed)
    path = tmp_path_factory.mktemp("selection", numbered=True) / "selection.h5"
    write_selection(path, selection, ORIGIN)
    found, origin = read_selection(path)
    _assert_same(found, selection)
    assert origin == ORIGIN


@dataclass(frozen=True)
class Kind:
    """How a kind of file is written and read."""

    spec: FileSpec
    write: Callable[[Path], None]
    read: Callable[[Path], object]
    attributes: tuple[str, ...]
    doubled: str
    """The array that one of the cases gives a length of its own along its first axis."""


def _features() -> Features:
    return Features(
        values=np.ones((3, 4), np.float32),
        labels=np.arange(3),
        subjects=np.array(["s01", "s01", "s02"]),
        clips=CLIP_NAMES,
        names=np.array(["a", "b", "c", "d"]),
        class_names=LABELS,
    )


KINDS = {
    "faces": Kind(
        FACES,
        lambda path: _write_faces(path, _faces()),
        lambda path: list(iterate_faces(path)),
        ("settings", "weights_sha256"),
        "landmarks",
    ),
    "clips": Kind(
        CLIPS,
        lambda path: write_clips(path, _clips(), InterpolationSettings()),
        lambda path: list(iterate_clips(path)),
        ("settings",),
        "clips",
    ),
    "features": Kind(
        FEATURES,
        lambda path: write_features(path, _features(), FeatureSettings(), "abc"),
        read_features,
        ("settings", "weights_sha256"),
        "values",
    ),
    "selection": Kind(
        SELECTION,
        lambda path: write_selection(path, _selection(), ORIGIN),
        read_selection,
        ("method", "fold", "seed", "settings", "scaling"),
        "best_C",
    ),
}


@pytest.fixture(params=list(KINDS))
def kind(request: pytest.FixtureRequest) -> Kind:
    return KINDS[request.param]


@pytest.fixture
def path(kind: Kind, tmp_path: Path) -> Path:
    """A file of the kind, as it should be."""
    kind.write(tmp_path / "store.h5")
    return tmp_path / "store.h5"


def test_every_array_of_the_specification_is_in_the_file(kind: Kind, path: Path) -> None:
    with h5py.File(path) as file:
        assert set(file) == {array.name for array in kind.spec.arrays}


def test_file_carries_its_origin(kind: Kind, path: Path) -> None:
    with h5py.File(path) as file:
        for name in kind.attributes:
            assert read_attribute(file, name) not in (None, "")
        assert set(file.attrs) == {"kind", "version", "software", *kind.attributes}


def test_file_written_twice_has_the_same_bytes(kind: Kind, path: Path) -> None:
    before = path.read_bytes()
    kind.write(path)
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


def test_file_of_another_version_is_refused(kind: Kind, path: Path) -> None:
    with h5py.File(path, "r+") as file:
        file.attrs["version"] = kind.spec.version + 1
    with pytest.raises(MerecError) as raised:
        kind.read(path)
    assert str(raised.value).startswith(
        f"{path}: format version {kind.spec.version} of {kind.spec.kind} files expected, "
        f"found {kind.spec.version + 1}"
    )


def test_file_of_another_kind_is_refused(kind: Kind, path: Path) -> None:
    for other in KINDS.values():
        if other is not kind:
            with pytest.raises(MerecError) as raised:
                other.read(path)
            assert str(raised.value) == (
                f"{path}: a {other.spec.kind} file expected, found kind {kind.spec.kind}"
            )


def test_file_without_one_array_is_refused(kind: Kind, path: Path) -> None:
    with h5py.File(path, "r+") as file:
        del file[kind.doubled]
    with pytest.raises(MerecError) as raised:
        kind.read(path)
    assert str(raised.value).startswith(f"{path}: array '{kind.doubled}' expected, found ")


def test_file_with_two_lengths_along_an_axis_is_refused(kind: Kind, path: Path) -> None:
    array = next(array for array in kind.spec.arrays if array.name == kind.doubled)
    with h5py.File(path, "r+") as file:
        values = file[kind.doubled][()]
        del file[kind.doubled]
        file[kind.doubled] = np.concatenate([values, values])
    with pytest.raises(MerecError) as raised:
        kind.read(path)
    message = str(raised.value)
    assert message.startswith(f"{path}:")
    for part in (kind.doubled, f"along '{array.axes[0]}'", str(len(values)), str(2 * len(values))):
        assert part in message


def test_truncated_file_is_refused(kind: Kind, path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(MerecError, match=r"not HDF5 or not complete"):
        kind.read(path)


def test_absent_file_is_refused(kind: Kind, tmp_path: Path) -> None:
    with pytest.raises(MerecError, match=f"expected a {kind.spec.kind} file, found no such file"):
        kind.read(tmp_path / "absent.h5")


def test_settings_are_those_that_made_the_file(tmp_path: Path) -> None:
    chosen = FaceSettings(size_px=96)
    _write_faces(tmp_path / "faces.h5", _faces(size=96), chosen)
    with h5py.File(tmp_path / "faces.h5") as file:
        assert read_attribute(file, "settings") == to_json(chosen)
        assert read_attribute(file, "weights_sha256") == "abc"

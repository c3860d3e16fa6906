"""The kinds of files: what is written is read, and a broken one is refused."""

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from store.stores import small_predictor, write_format_1

from merec_hpc.clips.interpolation import BLOCK, interpolate
from merec_hpc.config.base import to_json
from merec_hpc.config.faces import ClipSettings, FaceSettings, InterpolationSettings
from merec_hpc.config.features import FeatureSettings
from merec_hpc.config.motion import FlowSettings
from merec_hpc.errors import MerecError
from merec_hpc.records import (
    DecidingRules,
    Features,
    History,
    Population,
    Selection,
)
from merec_hpc.store.clips import iterate_clips, read_clip_names, write_clips
from merec_hpc.store.faces import (
    DETECTION_SHAPE,
    iterate_detections,
    iterate_face_clips,
    iterate_faces,
    read_face_index,
    read_face_landmarks,
    read_frame_numbers,
    written_faces,
)
from merec_hpc.store.features import Block, read_features, write_features, write_view
from merec_hpc.store.flow import IMAGE_SIZES, iterate_flow, read_flow_names, write_flow
from merec_hpc.store.predictors import read_predictor, write_predictor
from merec_hpc.store.reading import opened_store, read_recorded
from merec_hpc.store.schema import (
    CLIPS,
    FACES,
    FEATURES,
    FLOW,
    PREDICTOR,
    SELECTION,
    FileSpec,
)
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
                *_filmed(place, len(frames)),
            )


def _filmed(place: int, n_frames: int) -> tuple[NDArray[np.float64], tuple[int, int], list[int]]:
    """Maps, sizes and numbers of the frames of a clip."""
    affines = np.random.default_rng(place).normal(size=(n_frames, 2, 3))
    return affines, (480, 640 + place), list(range(100 * place + 7, 100 * place + 7 + n_frames))


def _read_faces(path: Path) -> list[NDArray[np.uint8]]:
    return [np.stack([clip[place] for place in range(len(clip))]) for clip in iterate_faces(path)]


def _clips(n_clips: int = 3) -> NDArray[np.float32]:
    return np.random.default_rng(4).normal(100, 90, (n_clips, 5, 6, 6, 3)).astype(np.float32)


def _write_clips(path: Path, clips: NDArray[np.float32], kind: str = "uint8") -> None:
    settings = ClipSettings(keep=True, format=kind)  # type: ignore[arg-type]
    interpolation = InterpolationSettings(n_frames=5)
    write_clips(path, CLIP_NAMES[: len(clips)], iter(clips), interpolation, settings)


def _flow(n_clips: int = 3) -> list[tuple[NDArray[np.float32], ...]]:
    rng = np.random.default_rng(6)
    sizes = [(size, size, 3) for size in IMAGE_SIZES]
    return [
        tuple(rng.normal(size=size).astype(np.float32) for size in sizes) for _ in range(n_clips)
    ]


def _population(rng: np.random.Generator, size: int, n_features: int) -> Population:
    return Population(rng.random((size, n_features)) < 0.5, *rng.random((3, size)))


def _selection(n_features: int = 13, n_generations: int = 4, seed: int = 5) -> Selection:
    rng = np.random.default_rng(seed)
    return Selection(
        mask=rng.random(n_features) < 0.5,
        C=0.1,
        bias=0.3,
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
            best_bias=rng.random(n_generations),
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


def test_long_clips_are_written_as_they_come(tmp_path: Path) -> None:
    faces, path = _faces((BLOCK + 3, 2 * BLOCK), size=32), tmp_path / "faces.h5"
    _write_faces(path, faces, FaceSettings(size_px=32))
    np.testing.assert_array_equal(np.concatenate(_read_faces(path)), np.concatenate(faces.frames))


def test_frames_of_a_dropped_clip_are_forgotten(tmp_path: Path) -> None:
    faces, path = _faces((BLOCK + 3, 2), size=32), tmp_path / "faces.h5"
    with written_faces(path, FaceSettings(size_px=32), "abc") as writer:
        for frame in faces.frames[0]:
            writer.add(frame)
        writer.drop_clip()
        for frame in faces.frames[1]:
            writer.add(frame)
        writer.end_clip("kept", faces.landmarks[1], 0.5, faces.detections[1], *_filmed(1, 2))
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


def _as_version(number: int, path: Path) -> None:
    """Make of a file what an earlier version would have written: the first one with labels."""
    with h5py.File(path, "r+") as file:
        file.attrs["version"] = number
        later = ["numbers", "affines", "sizes", *(["detections"] if number == 1 else [])]
        for name in later:
            if name in file:
                del file[name]
        if number == 1:
            file.create_dataset("labels", data=list(LABELS), dtype=h5py.string_dtype())


@pytest.mark.parametrize("number", [1, 2])
def test_faces_of_earlier_versions_are_read(tmp_path: Path, number: int) -> None:
    faces, path = _faces(), tmp_path / "faces.h5"
    _write_faces(path, faces)
    _as_version(number, path)
    np.testing.assert_array_equal(np.concatenate(_read_faces(path)), np.concatenate(faces.frames))
    detections = list(iterate_detections(path))
    assert len(detections) == len(LENGTHS)
    assert all((picture is None) == (number == 1) for picture in detections)
    # Onset and apex are numbers of frames, which were not kept.
    said = rf"faces of version 3 expected, .* found version {number}: delete the file"
    with pytest.raises(MerecError, match=said):
        read_frame_numbers(path)
    with pytest.raises(MerecError, match=said):
        next(iterate_face_clips(path, dict.fromkeys(CLIP_NAMES.tolist(), 0), 3))


@pytest.mark.parametrize("number", [1, 2])
def test_clips_of_earlier_versions_are_read_in_single_precision(
    tmp_path: Path, number: int
) -> None:
    clips, path = _clips(), tmp_path / "clips.h5"
    _write_clips(path, clips)
    with h5py.File(path, "r+") as file:
        del file["frames"]
        file["frames"] = clips
    _as_version(number, path)
    write_format_1(path, path.with_name("former.h5"), CLIPS)
    path = path.with_name("former.h5")
    assert read_clip_names(path).tolist() == CLIP_NAMES.tolist()
    np.testing.assert_array_equal(np.stack(list(iterate_clips(path))), clips)


def test_a_clip_for_extraction_has_its_apex_and_how_it_was_filmed(tmp_path: Path) -> None:
    faces, path = _faces(), tmp_path / "faces.h5"
    _write_faces(path, faces)
    numbers = read_frame_numbers(path)
    assert numbers[CLIP_NAMES[2]] == [207, 208, 209, 210]
    apexes = {name: own[-1] for name, own in numbers.items()}
    everyone = np.concatenate([interpolate(np.stack(own), 3) for own in faces.frames])
    for place, clip in enumerate(iterate_face_clips(path, apexes, 3)):
        mean = everyone.mean(axis=0, dtype=np.float64)
        np.testing.assert_allclose(clip.mean_face().pixels, mean, rtol=1e-12)
        affines, filmed, _ = _filmed(place, LENGTHS[place])
        assert (clip.name, clip.apex) == (CLIP_NAMES[place], LENGTHS[place] - 1)
        assert (clip.n_interpolated, clip.filmed) == (3, filmed)
        np.testing.assert_array_equal(clip.affines, affines)
        np.testing.assert_array_equal(clip.landmarks, faces.landmarks[place])
        np.testing.assert_array_equal(clip.frames[clip.apex], faces.frames[place][-1])


@pytest.mark.parametrize("apexes", [{}, {"s1_ne_01": 10}])
def test_a_clip_without_an_apex_among_its_frames_is_refused(
    tmp_path: Path, apexes: dict[str, int]
) -> None:
    _write_faces(tmp_path / "faces.h5", _faces())
    with pytest.raises(MerecError, match="an apex of frames 7 to 9 of clip 's1_ne_01' expected"):
        next(iterate_face_clips(tmp_path / "faces.h5", apexes, 1))


def test_subject_of_whom_no_clip_is_left_can_be_written(tmp_path: Path) -> None:
    _write_faces(tmp_path / "faces.h5", _faces(()))
    names, jitter = read_face_index(tmp_path / "faces.h5")
    assert len(names) == len(jitter) == 0
    assert list(iterate_detections(tmp_path / "faces.h5")) == []
    assert list(iterate_faces(tmp_path / "faces.h5")) == []
    _write_clips(tmp_path / "clips.h5", _clips(0))
    assert list(iterate_clips(tmp_path / "clips.h5")) == []
    assert read_clip_names(tmp_path / "clips.h5").tolist() == []


def test_clips_are_rounded_and_cut_or_kept_in_half_precision(tmp_path: Path) -> None:
    clips = _clips()
    for kind, expected in (
        ("uint8", np.clip(np.rint(clips), 0, 255)),
        ("float16", clips.astype(np.float16).astype(np.float32)),
    ):
        path = tmp_path / f"{kind}.h5"
        _write_clips(path, clips, kind)
        np.testing.assert_array_equal(read_clip_names(path), CLIP_NAMES)
        found = np.stack(list(iterate_clips(path)))
        np.testing.assert_array_equal(found, expected)
        assert found.dtype == np.float32
        with h5py.File(path) as file:
            assert (file["frames"].dtype, file["frames"].compression) == (kind, "gzip")


def test_flow_is_read_as_written(tmp_path: Path) -> None:
    clips, path = _flow(), tmp_path / "flow.h5"
    write_flow(path, CLIP_NAMES, clips, FlowSettings())
    assert read_flow_names(path).tolist() == CLIP_NAMES.tolist()
    for place, size in enumerate(IMAGE_SIZES):
        found = list(iterate_flow(path, size))
        np.testing.assert_array_equal(found, [images[place] for images in clips])


def _blocks(folder: Path, features: Features, *widths: int) -> list[Block]:
    """Write some of the features to each of several stores."""
    blocks, first = [], 0
    for number, width in enumerate(widths):
        part = features.with_features(
            np.isin(np.arange(len(features.names)), range(first, first + width))
        )
        write_features(folder / f"{number}.h5", part, FeatureSettings(), "abc")
        blocks.append(Block(f"block{number}", folder / f"{number}.h5"))
        first += width
    return blocks


def test_blocks_side_by_side_are_the_features_they_were(tmp_path: Path, features: Features) -> None:
    first, second = _blocks(tmp_path, features, 6, 24)
    second = Block(second.name, second.file, 0.5)
    write_view(tmp_path / "views" / "all.h5", [first, second])
    found = read_features(tmp_path / "views" / "all.h5")
    for name in ("values", "labels", "subjects", "clips", "names", "class_names"):
        np.testing.assert_array_equal(getattr(found, name), getattr(features, name))
    np.testing.assert_array_equal(found.weights, [6**-0.5] * 6 + [0.5] * 24)
    assert found.blocks is not None
    assert found.blocks.tolist() == ["block0"] * 6 + ["block1"] * 24
    # The values are where they were.
    assert (tmp_path / "views" / "all.h5").stat().st_size < 20_000


def test_values_of_a_view_are_shared_once(tmp_path: Path, features: Features) -> None:
    write_view(tmp_path / "all.h5", _blocks(tmp_path, features, 6, 24))
    asked: list[NDArray[Any]] = []

    def share(make: Callable[[], NDArray[Any]]) -> NDArray[Any]:
        asked.append(make())
        return asked[-1]

    read_features(tmp_path / "all.h5", share)
    assert [array.shape for array in asked] == [(24, 30)]


def test_features_of_one_name_in_two_blocks_are_told_apart(
    tmp_path: Path, features: Features
) -> None:
    (one,) = _blocks(tmp_path, features, 30)
    write_view(tmp_path / "all.h5", [one, Block("again", one.file)])
    names = read_features(tmp_path / "all.h5").names.tolist()
    assert (names[0], names[-1]) == ("block0:feature00", "again:feature29")
    assert len(set(names)) == 60


def test_blocks_that_do_not_fit_are_refused(tmp_path: Path, features: Features) -> None:
    first, second = _blocks(tmp_path, features, 6, 24)
    with pytest.raises(MerecError, match="each name once expected, found 'block0' 2 times"):
        write_view(tmp_path / "all.h5", [first, Block("block0", second.file)])
    for others, said in (
        (features.without("s01"), r"the clips of .*0\.h5 \(24\) expected, found 18"),
        (replace(features, clips=features.clips[::-1]), "found 24, 'clip23' in place of 'clip00'"),
        (replace(features, labels=features.labels[::-1]), "the labels of"),
    ):
        write_features(second.file, others, FeatureSettings(), "abc")
        with pytest.raises(MerecError, match=said):
            write_view(tmp_path / "all.h5", [first, second])
    with pytest.raises(MerecError, match="expected a features file, found no such file"):
        write_view(tmp_path / "all.h5", [first, Block("x", tmp_path / "absent.h5")])
    assert not (tmp_path / "all.h5").exists()


def test_a_block_that_was_made_anew_or_is_gone_is_noticed(
    tmp_path: Path, features: Features
) -> None:
    first, second = _blocks(tmp_path, features, 6, 24)
    write_view(tmp_path / "all.h5", [first, second])
    other = replace(read_features(first.file), values=read_features(first.file).values + 1)
    write_features(first.file, other, FeatureSettings(), "abc")
    with pytest.raises(
        MerecError, match=r"0\.h5: the features that .*all\.h5 was made of expected"
    ):
        read_features(tmp_path / "all.h5")
    first.file.unlink()
    with pytest.raises(MerecError, match=r"0\.h5: expected a features file, found no such file"):
        read_features(tmp_path / "all.h5")


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
        lambda path: _write_clips(path, _clips()),
        lambda path: list(iterate_clips(path)),
        ("settings", "format"),
        "clips",
    ),
    "flow": Kind(
        FLOW,
        lambda path: write_flow(path, CLIP_NAMES, _flow(), FlowSettings()),
        lambda path: list(iterate_flow(path, 28)),
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
        needed = {array.name for array in kind.spec.arrays if not array.is_optional}
        sums = {f"{array.name}_crc32" for array in kind.spec.arrays if array.by_row}
        assert set(file) == needed | sums | {"entry"}


def test_file_carries_its_origin(kind: Kind, path: Path) -> None:
    with opened_store(path, kind.spec) as store:
        for name in kind.attributes:
            assert store.attribute(name) not in (None, "")
        everywhere = {"kind", "version", "store_format", "software", "NX_class", "default"}
        assert set(store.file.attrs) == {*everywhere, *kind.attributes}


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
    recorded = read_recorded(tmp_path / "faces.h5")
    assert recorded["settings"] == to_json(chosen)
    assert recorded["weights_sha256"] == "abc"


def _without_biases(path: Path, spec: FileSpec) -> list[str]:
    """Make of a file what version 1 would have written, and return what that lacks."""
    later = [array.name for array in spec.arrays if array.since == 2]
    with h5py.File(path, "r+") as file:
        file.attrs["version"] = 1
        for name in later:
            del file[name]
    return later


def test_selection_from_before_there_was_a_bias_is_read_as_without(tmp_path: Path) -> None:
    kind, path = KINDS["selection"], tmp_path / "store.h5"
    kind.write(path)
    assert _without_biases(path, SELECTION) == ["bias", "best_bias", "hall_bias", "last_bias"]
    selection, _ = read_selection(path)
    assert selection.bias == 0.0
    assert selection.history.best_bias.tolist() == [0.0] * len(selection.history.best_C)
    for population in (selection.hall_of_fame, selection.last):
        assert population.bias.tolist() == [0.0] * len(population.C)


def test_predictor_is_read_as_written_and_without_intercepts_before_there_were_any(
    tmp_path: Path,
) -> None:
    predictor = small_predictor()
    path = tmp_path / "predictor.h5"
    write_predictor(path, predictor, "hall_of_fame")
    _assert_same(read_predictor(path), predictor)
    assert _without_biases(path, PREDICTOR) == ["intercepts", "bias"]
    without = replace(predictor, intercepts=np.zeros((2, 3)), bias=np.zeros(2))
    _assert_same(read_predictor(path), without)


def _weighted(population: Population, rng: np.random.Generator) -> Population:
    masks = population.masks
    return replace(population, weights=np.where(masks, rng.choice([0.7, 1.0], masks.shape), 0.0))


def test_weights_are_read_as_written_and_absent_before_there_were_any(
    tmp_path: Path, rng: np.random.Generator
) -> None:
    plain, path = _selection(), tmp_path / "selection.h5"
    weighted = replace(
        plain,
        weights=np.where(plain.mask, 0.7, 0.0),
        best_weights=np.where(plain.history.best_masks, 1.4, 0.0),
        hall_of_fame=_weighted(plain.hall_of_fame, rng),
        last=_weighted(plain.last, rng),
    )
    write_selection(path, weighted, ORIGIN)
    _assert_same(read_selection(path)[0], weighted)
    names = {array.name for array in SELECTION.arrays if array.is_optional}
    of_rules = {name for name in names if name.startswith("rule_")}
    of_fronts = {name for name in names if name.startswith("front_")}
    expected = {"weights", "best_weights", "hall_weights", "last_weights"}
    assert names - of_rules - of_fronts == expected
    write_selection(path, plain, ORIGIN)
    with h5py.File(path, "r+") as file:
        assert not names & set(file)
        file.attrs["version"] = 2  # that lacked nothing else
    _assert_same(read_selection(path)[0], plain)


def test_rules_are_read_as_written_and_refused_where_a_part_is_missing(
    tmp_path: Path, rng: np.random.Generator
) -> None:
    path = tmp_path / "selection.h5"
    rules = DecidingRules(
        genes=rng.random((4, 4)),
        losses=np.sort(rng.random(4)),
        scales=rng.random(4),
        min_clips=3,
        is_champion=True,
        is_transductive=False,
    )
    write_selection(path, replace(_selection(), rules=rules), ORIGIN)
    found = read_selection(path)[0].rules
    assert found is not None
    for name, value in vars(rules).items():
        np.testing.assert_array_equal(getattr(found, name), value)
        assert type(getattr(found, name)) is type(value)
    with h5py.File(path, "r+") as file:
        del file["rule_scales"]
    with pytest.raises(MerecError, match=r"selection\.h5: array 'rule_scales' expected"):
        read_selection(path)


def test_a_front_is_read_as_written_and_refused_where_a_part_is_missing(tmp_path: Path) -> None:
    plain, path = _selection(), tmp_path / "selection.h5"
    with_front = replace(plain, front=plain.last)
    write_selection(path, with_front, ORIGIN)
    _assert_same(read_selection(path)[0], with_front)
    with h5py.File(path, "r+") as file:
        names = {name for name in file if name.startswith("front_")}
        assert names == {"front_masks", "front_C", "front_bias", "front_fitness"}
        del file["front_C"]
    with pytest.raises(
        MerecError, match=r"selection\.h5: array 'front_C' expected beside the others of a front"
    ):
        read_selection(path)
    write_selection(path, plain, ORIGIN)
    with h5py.File(path) as file:
        assert not names & set(file)
    assert read_selection(path)[0].front is None


def test_weights_of_other_features_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "selection.h5"
    with pytest.raises(
        MerecError, match=r"selection\.h5: .*weights: 12 along 'feature', 13 in mask"
    ):
        write_selection(path, replace(_selection(), weights=np.ones(12)), ORIGIN)
    assert not path.exists()

"""One small file of each kind, as its own writer makes it, and its reader."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np

from merec_hpc.config.faces import ClipSettings, FaceSettings, InterpolationSettings
from merec_hpc.config.features import FeatureSettings
from merec_hpc.config.motion import FlowSettings
from merec_hpc.errors import MerecError
from merec_hpc.records import (
    FeaturePart,
    Features,
    History,
    Population,
    Predictor,
    SearchState,
    Selection,
)
from merec_hpc.store.checkpoint import Checkpoints
from merec_hpc.store.clips import iterate_clips, write_clips
from merec_hpc.store.faces import DETECTION_SHAPE, iterate_faces, written_faces
from merec_hpc.store.feature_parts import FeatureParts
from merec_hpc.store.features import Block, read_features, write_features, write_view
from merec_hpc.store.flow import IMAGE_SIZES, iterate_flow, write_flow
from merec_hpc.store.predictors import read_predictor, write_predictor
from merec_hpc.store.schema import (
    CLIPS,
    FACES,
    FEATURES,
    FLOW,
    PREDICTOR,
    SELECTION,
    VIEW,
    FileSpec,
)
from merec_hpc.store.selection import SelectionOrigin, read_selection, write_selection
from merec_hpc.store.table import read_table, write_table

CLIP_NAMES = np.array(["s1_ne_01", "s1_pö_01", "s1_sur_01"])


@dataclass(frozen=True)
class SmallStore:
    """How a small file of a kind is written, and read whole."""

    spec: FileSpec | None
    """Of HDF5 files."""
    write: Callable[[Path], None]
    read: Callable[[Path], object]
    is_checked: bool = True
    """Whether checksums protect every value."""
    suffix: str = ".h5"


def _write_faces(path: Path) -> None:
    rng = np.random.default_rng(1)
    with written_faces(path, FaceSettings(size_px=32), "abc") as writer:
        for place, name in enumerate(CLIP_NAMES.tolist()):
            for _ in range(place + 1):
                writer.add(rng.integers(0, 256, (32, 32, 3), dtype=np.uint8))
            writer.end_clip(
                name,
                rng.normal(size=(place + 1, 68, 2)).astype(np.float32),
                0.5,
                rng.integers(0, 256, DETECTION_SHAPE, dtype=np.uint8),
                rng.normal(size=(place + 1, 2, 3)),
                (480, 640),
                list(range(place + 1)),
            )


def _read_faces(path: Path) -> object:
    return [clip[place] for clip in iterate_faces(path) for place in range(len(clip))]


def _write_clips(path: Path) -> None:
    clips = np.random.default_rng(2).normal(100, 90, (3, 4, 6, 6, 3)).astype(np.float32)
    settings = ClipSettings(keep=True, format="uint8")
    write_clips(path, CLIP_NAMES, iter(clips), InterpolationSettings(n_frames=4), settings)


def _write_flow(path: Path) -> None:
    rng = np.random.default_rng(3)
    images = [
        tuple(rng.normal(size=(size, size, 3)).astype(np.float32) for size in IMAGE_SIZES)
        for _ in CLIP_NAMES
    ]
    write_flow(path, CLIP_NAMES, images, FlowSettings())


def small_features() -> Features:
    """Three clips of four features."""
    return Features(
        values=np.random.default_rng(4).normal(size=(3, 4)).astype(np.float32),
        labels=np.arange(3),
        subjects=np.array(["s01", "s01", "s02"]),
        clips=CLIP_NAMES,
        names=np.array(["a", "b", "c", "d"]),
        class_names=np.array(["negative", "positive", "surprise"]),
    )


def _write_features(path: Path) -> None:
    write_features(path, small_features(), FeatureSettings(), "abc")


def _write_view(path: Path) -> None:
    block = path.with_name("block.h5")
    _write_features(block)
    write_view(path, [Block("block", block)])


def _population(rng: np.random.Generator, size: int) -> Population:
    return Population(rng.random((size, 13)) < 0.5, *rng.random((3, size)))


def small_selection() -> Selection:
    """A search over 13 features, of four generations."""
    rng = np.random.default_rng(5)
    history = History(
        best_fitness=rng.random(4),
        training_accuracy=rng.random(4),
        mean_fitness=rng.random(4),
        min_selected=rng.integers(0, 13, 4),
        max_selected=rng.integers(0, 13, 4),
        best_masks=rng.random((4, 13)) < 0.5,
        best_C=rng.random(4),
        best_bias=rng.random(4),
    )
    return Selection(
        mask=rng.random(13) < 0.5,
        C=0.1,
        bias=0.3,
        fitness=1 / 3,
        generation=3,
        history=history,
        hall_of_fame=_population(rng, 3),
        last=_population(rng, 6),
    )


def _write_selection(path: Path) -> None:
    origin = SelectionOrigin("genetic", "s03", 7, '{"n_islands": 4}', "standard")
    write_selection(path, small_selection(), origin)


def small_predictor() -> Predictor:
    """Two machines of three classes on five features."""
    rng = np.random.default_rng(6)
    return Predictor(
        weights=rng.normal(size=(2, 3, 5)),
        intercepts=rng.normal(size=(2, 3)),
        mean=rng.normal(size=5),
        std=rng.uniform(1, 2, 5),
        masks=rng.random((2, 5)) < 0.5,
        C=rng.uniform(1, 2, 2),
        bias=np.array([0.0, 0.3]),
        class_names=np.array(["a", "b", "c"]),
        feature_names=np.array(list("vwxyz")),
    )


def _write_predictor(path: Path) -> None:
    write_predictor(path, small_predictor(), "hall_of_fame")


STORES = {
    "faces": SmallStore(FACES, _write_faces, _read_faces),
    "clips": SmallStore(CLIPS, _write_clips, lambda path: list(iterate_clips(path))),
    "flow": SmallStore(
        FLOW,
        _write_flow,
        lambda path: [list(iterate_flow(path, size)) for size in IMAGE_SIZES],
    ),
    "features": SmallStore(FEATURES, _write_features, read_features),
    "view": SmallStore(VIEW, _write_view, read_features),
    "selection": SmallStore(SELECTION, _write_selection, read_selection),
    "predictor": SmallStore(PREDICTOR, _write_predictor, read_predictor),
}


def _write_checkpoint(path: Path) -> None:
    _checkpoints(path).save(small_state())


def _read_checkpoint(path: Path) -> SearchState:
    state = _checkpoints(path).load()
    if state is None:  # the program starts afresh
        msg = f"{path}: torn"
        raise MerecError(msg)
    return state


def _checkpoints(path: Path) -> Checkpoints:
    return Checkpoints(path, "key", 5)


def small_state() -> SearchState:
    """Two islands after three generations, of 13 features."""
    rng = np.random.default_rng(7)
    states = [dict(np.random.default_rng(seed).bit_generator.state) for seed in (1, 2)]
    islands = [_population(rng, size) for size in (4, 6)]
    return SearchState(3, islands, states, _population(rng, 3), small_selection().history)


def _write_part(path: Path) -> None:
    found = small_features()
    FeatureParts(path.parent, "key").write(
        path, FeaturePart(found.values, found.names, found.clips)
    )


def _read_part(path: Path) -> FeaturePart:
    part = FeatureParts(path.parent, "key").read(path)
    if part is None:  # the program makes it anew
        msg = f"{path}: damaged"
        raise MerecError(msg)
    return part


def _write_table(path: Path) -> None:
    write_table(path, small_features(), {})


OTHERS = {
    "checkpoint": SmallStore(None, _write_checkpoint, _read_checkpoint, suffix=".checkpoint"),
    "part": SmallStore(None, _write_part, _read_part, suffix=".0.npz"),
    "table.npz": SmallStore(None, _write_table, read_table, suffix=".npz"),
    "table.csv": SmallStore(None, _write_table, read_table, is_checked=False, suffix=".csv"),
}
"""What the program keeps for itself, and tables of users."""


def flat(value: object) -> list[object]:
    """Return all that a reader returned as a list of numbers and texts, to be compared."""
    if isinstance(value, np.ndarray):
        return [value.shape, value.dtype.kind, *value.ravel().tolist()]
    if isinstance(value, list | tuple):
        return [one for part in value for one in flat(part)]
    if isinstance(value, dict):
        return flat(list(value.items()))
    if hasattr(value, "__dataclass_fields__"):
        return flat(list(vars(value).values()))
    return [value]


def write_format_1(path: Path, output: Path, spec: FileSpec) -> None:
    """Write a file of format 2 as its format 1 was: texts of variable length, nothing checked."""
    with h5py.File(path) as new, h5py.File(output, "w") as old:
        for name, value in new.attrs.items():
            if name not in {"store_format", "NX_class", "default"}:
                old.attrs[name] = value.decode() if isinstance(value, bytes) else value
        for array in spec.arrays:
            if array.name not in new:
                continue
            values = new[array.name][()]
            if array.kind == "text":
                texts = np.array([text.decode() for text in values], object)
                old.create_dataset(array.name, data=texts, dtype=h5py.string_dtype())
            else:
                old[array.name] = values
            if array.kind == "bits":
                old[array.name].attrs["n_bits"] = new[array.name].attrs["n_bits"]

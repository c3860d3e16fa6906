"""Names the arrays of every HDF5 file, with axes, kind and meaning; writes and checks them."""

import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Literal

import h5py
import numpy as np
from numpy.typing import NDArray

from merec_hpc import __version__
from merec_hpc.errors import MerecError
from merec_hpc.files.atomic import published


@dataclass(frozen=True)
class ArraySpec:
    """One array of a file."""

    name: str
    axes: tuple[str, ...]
    kind: Literal["float", "integer", "number", "text", "bits"]
    """"bits" are booleans, packed along the last axis; their number is an attribute. "number" is
    float or integer."""
    meaning: str
    since: int = 1
    """The first version of the file's format that has it."""
    is_optional: bool = False
    """Whether it may be absent, where there is nothing to say; it is compressed."""


@dataclass(frozen=True)
class FileSpec:
    """One kind of file; ``version`` rises when a reader of the old one would go wrong."""

    kind: str
    version: int
    arrays: tuple[ArraySpec, ...]
    earlier: tuple[int, ...] = ()
    """Earlier versions that are read too; what they hold besides is left alone."""


_CLIPS = ArraySpec("clips", ("clip",), "text", "Name of each clip, in the catalog's order.")

FACES = FileSpec(
    "faces",
    3,
    (
        _CLIPS,
        ArraySpec(
            "frames",
            ("frame", "row", "column", "channel"),
            "integer",
            "Registered frames of all clips, one clip after the other, RGB, 0..255.",
        ),
        ArraySpec(
            "landmarks",
            ("frame", "point", "xy"),
            "float",
            "68 landmarks of each registered frame, (x, y) in pixels of that frame.",
        ),
        ArraySpec("starts", ("start",), "integer", "First frame of each clip, then their number."),
        ArraySpec(
            "jitter_px",
            ("clip",),
            "float",
            "RMS motion of the landmarks from frame to frame; NaN if not measured.",
        ),
        ArraySpec(
            "detections",
            ("clip", "tile_row", "tile_column", "channel"),
            "integer",
            "First frame of each clip as filmed, shrunk, with the box and landmarks found, RGB.",
            since=2,
        ),
        ArraySpec(
            "numbers",
            ("frame",),
            "integer",
            "Number of each frame in the dataset, as onset and apex count it.",
            since=3,
        ),
        ArraySpec(
            "affines",
            ("frame", "affine_row", "affine_column"),
            "float",
            "Similarity that took each frame to the reference face, (2, 3), maps (x, y, 1).",
            since=3,
        ),
        ArraySpec(
            "sizes",
            ("clip", "height_width"),
            "integer",
            "Height and width of each clip's frames as filmed, in pixels.",
            since=3,
        ),
    ),
    earlier=(1, 2),  # 1 with labels
)
CLIPS = FileSpec(
    "clips",
    3,
    (
        _CLIPS,
        ArraySpec(
            "frames",
            ("clip", "frame", "row", "column", "channel"),
            "number",
            "Interpolated frames of each clip, RGB: uint8, rounded and cut to 0..255, or float16 "
            "(interpolation overshoots).",
        ),
    ),
    earlier=(1, 2),  # single precision, 1 with labels
)
FLOW = FileSpec(
    "flow",
    1,
    (
        _CLIPS,
        *(
            ArraySpec(
                f"images_{size}",
                ("clip", f"row_{size}", f"column_{size}", "component"),
                "float",
                f"Flow from onset to apex: u, v (pixels of the registered face) and strain, "
                f"averaged on {size} x {size} cells.",
            )
            for size in (28, 224)
        ),
    ),
)
FEATURES = FileSpec(
    "features",
    1,
    (
        _CLIPS,
        ArraySpec("values", ("clip", "feature"), "float", "Features of each clip."),
        ArraySpec("labels", ("clip",), "integer", "Class of each clip, index into class_names."),
        ArraySpec("subjects", ("clip",), "text", "Subject of each clip."),
        ArraySpec(
            "names",
            ("feature",),
            "text",
            "backbone/layer/channel/row/column/statistic, or as the extractor has it.",
        ),
        ArraySpec("class_names", ("class",), "text", "Name of each class."),
    ),
)
VIEW = FileSpec(
    "view",
    1,
    (
        ArraySpec("blocks", ("block",), "text", "Name of each extraction, side by side."),
        ArraySpec(
            "files", ("block",), "text", "Its feature store, as seen from the view's folder."
        ),
        ArraySpec(
            "weights", ("block",), "float", "What each of its scaled features is multiplied by."
        ),
        ArraySpec("n_features", ("block",), "integer", "Number of its features."),
        ArraySpec("digests", ("block",), "text", "SHA-256 of its file."),
    ),
)
_WEIGHTS = "what each scaled feature is multiplied by; absent where nothing is weighted"
_BIAS = "a constant feature in units of the root of the mean squared length of the training clips"

_RULES: tuple[tuple[str, tuple[str, ...], Literal["float", "integer"], str], ...] = (
    (
        "rule_genes",
        ("rule", "gene"),
        "float",
        "kappa, p, b and C of each rule that decides, the best first; absent where masks alone do.",
    ),
    ("rule_losses", ("rule",), "float", "Class-balanced log loss of left-out decisions."),
    ("rule_scales", ("rule",), "float", "Mean absolute left-out decision."),
    ("rule_min_clips", ("one",), "integer", "A subject with fewer clips keeps its mean."),
    ("rule_is_champion", ("one",), "integer", "1 if the first rule is the champion, not the mask."),
    (
        "rule_is_transductive",
        ("one",),
        "integer",
        "1 if a rule that was tried reads the unlabelled clips of whom is predicted.",
    ),
)

_FRONT: tuple[tuple[str, tuple[str, ...], Literal["bits", "float"], str], ...] = (
    (
        "front_masks",
        ("front", "feature"),
        "bits",
        "Front of two objectives, fewest features first.",
    ),
    ("front_C", ("front",), "float", "Penalties of the front."),
    ("front_bias", ("front",), "float", "Biases of the front."),
    ("front_fitness", ("front",), "float", "Fitness of the front, the champion's last."),
)

SELECTION = FileSpec(
    "selection",
    3,
    (
        ArraySpec("mask", ("feature",), "bits", "Chosen features."),
        ArraySpec(
            "weights",
            ("feature",),
            "float",
            f"Of the mask, {_WEIGHTS}.",
            since=3,
            is_optional=True,
        ),
        ArraySpec("C", ("one",), "float", "Chosen penalty."),
        ArraySpec("bias", ("one",), "float", f"Chosen bias, {_BIAS}; 0 for none.", since=2),
        ArraySpec("fitness", ("one",), "float", "Fitness of the mask on the inner folds."),
        ArraySpec("generation", ("one",), "integer", "Generation that was chosen."),
        ArraySpec(
            "best_fitness", ("generation",), "float", "Best of the hall of fame, founders first."
        ),
        ArraySpec(
            "training_accuracy", ("generation",), "float", "Training accuracy of that individual."
        ),
        ArraySpec("mean_fitness", ("generation",), "float", "Mean over the population."),
        ArraySpec("min_selected", ("generation",), "integer", "Fewest features chosen by one."),
        ArraySpec("max_selected", ("generation",), "integer", "Most features chosen by one."),
        ArraySpec(
            "best_masks", ("generation", "feature"), "bits", "Mask of the best of the hall of fame."
        ),
        ArraySpec(
            "best_weights",
            ("generation", "feature"),
            "float",
            f"Of that mask, {_WEIGHTS}.",
            since=3,
            is_optional=True,
        ),
        ArraySpec("best_C", ("generation",), "float", "Its penalty."),
        ArraySpec("best_bias", ("generation",), "float", "Its bias.", since=2),
        ArraySpec("hall_masks", ("famous", "feature"), "bits", "Hall of fame, fittest first."),
        ArraySpec(
            "hall_weights",
            ("famous", "feature"),
            "float",
            f"Of the hall of fame, {_WEIGHTS}.",
            since=3,
            is_optional=True,
        ),
        ArraySpec("hall_C", ("famous",), "float", "Penalties of the hall of fame."),
        ArraySpec("hall_bias", ("famous",), "float", "Biases of the hall of fame.", since=2),
        ArraySpec("hall_fitness", ("famous",), "float", "Fitness of the hall of fame."),
        ArraySpec("last_masks", ("individual", "feature"), "bits", "Last population."),
        ArraySpec(
            "last_weights",
            ("individual", "feature"),
            "float",
            f"Of the last population, {_WEIGHTS}.",
            since=3,
            is_optional=True,
        ),
        ArraySpec("last_C", ("individual",), "float", "Penalties of the last population."),
        ArraySpec("last_bias", ("individual",), "float", "Biases of the last population.", since=2),
        ArraySpec("last_fitness", ("individual",), "float", "Fitness of the last population."),
        *(
            ArraySpec(name, axes, kind, meaning, since=3, is_optional=True)
            for name, axes, kind, meaning in (*_RULES, *_FRONT)
        ),
    ),
    earlier=(1, 2),
)
PREDICTOR = FileSpec(
    "predictor",
    2,
    (
        ArraySpec(
            "weights",
            ("machine", "class", "feature"),
            "float",
            "Of linear machines on scaled features; several of them vote.",
        ),
        ArraySpec(
            "intercepts",
            ("machine", "class"),
            "float",
            "What is added to a class's decision value.",
            since=2,
        ),
        ArraySpec("mean", ("feature",), "float", "Subtracted from the features."),
        ArraySpec("std", ("feature",), "float", "By which they are then divided."),
        ArraySpec("masks", ("individual", "feature"), "bits", "Of the individuals that decide."),
        ArraySpec("C", ("individual",), "float", "Their penalties."),
        ArraySpec("bias", ("individual",), "float", f"Their biases, each {_BIAS}.", since=2),
        ArraySpec("class_names", ("class",), "text", "Name of each class."),
        ArraySpec("feature_names", ("feature",), "text", "Name of each feature."),
    ),
    earlier=(1,),
)
FILES = (FACES, CLIPS, FLOW, FEATURES, VIEW, SELECTION, PREDICTOR)


def write_store(
    path: Path, spec: FileSpec, arrays: Mapping[str, Any], attributes: Mapping[str, object]
) -> None:
    """Write the arrays of a file, and attributes as JSON; the name appears when all is written."""
    with written_store(path, spec, attributes) as file:
        write_arrays(file, spec, arrays)


@contextmanager
def written_store(
    path: Path, spec: FileSpec, attributes: Mapping[str, object]
) -> Iterator[h5py.File]:
    """Open a new file to write arrays to; its name appears when all is written.

    Every file also carries its kind, its format version and the versions of the software
    that made it.
    """
    with published(path) as partial, h5py.File(partial, "w") as file:
        file.attrs["kind"] = spec.kind
        file.attrs["version"] = spec.version
        file.attrs["software"] = json.dumps(_software())
        for name, value in attributes.items():
            file.attrs[name] = json.dumps(value, sort_keys=True)
        yield file


def write_arrays(file: h5py.File, spec: FileSpec, arrays: Mapping[str, Any]) -> None:
    """Write the arrays of a file that are not there yet, and say what each means."""
    for array in spec.arrays:
        _write_array(file, array, arrays)


@contextmanager
def opened_store(path: Path, spec: FileSpec) -> Iterator[h5py.File]:
    """Open a file for reading, checked against its specification.

    Raises
    ------
    MerecError
        If the file is missing, is no HDF5, of another kind or version, or if an array is
        missing or has other axes than it should.
    """
    if not path.is_file():
        msg = f"{path}: expected a {spec.kind} file, found no such file"
        raise MerecError(msg)
    try:
        # Readers take no locks: shared filesystems often have none to give.
        file = h5py.File(path, "r", locking=False)
    except OSError:
        msg = f"{path}: expected a {spec.kind} file, found one that is not HDF5 or not complete"
        raise MerecError(msg) from None
    with file:
        _check(path, file, spec)
        yield file


def read_array(file: h5py.File, spec: FileSpec, name: str) -> NDArray[Any]:
    """Return one array whole: texts as ``str``, bits as booleans."""
    array = next(array for array in spec.arrays if array.name == name)
    dataset = file[name]
    if array.kind == "text":
        return np.array(dataset.asstr()[()], dtype=np.str_)
    if array.kind == "bits":
        bits = np.unpackbits(dataset[()], axis=-1, count=int(dataset.attrs["n_bits"]))
        return bits.astype(np.bool_)
    return np.asarray(dataset[()])


def read_attribute(file: h5py.File, name: str) -> Any:
    """Return an attribute that ``write_store`` wrote."""
    return json.loads(file.attrs[name])


def read_recorded(path: Path) -> dict[str, Any]:
    """Return the attributes that say how a file was made; none if it is missing or not ours."""
    try:
        with h5py.File(path, "r", locking=False) as file:
            texts = {name: value for name, value in file.attrs.items() if isinstance(value, str)}
    except OSError:
        return {}
    recorded = {}
    for name, text in texts.items():
        try:
            recorded[name] = json.loads(text)
        except ValueError:  # a plain text
            recorded[name] = text
    return recorded


def try_folder(folder: Path) -> str:
    """Write and read a small file there, and return the version of HDF5.

    Raises
    ------
    OSError
        If that cannot be, for want of rights or of file locks.
    """
    with tempfile.TemporaryDirectory(dir=folder) as inside:
        path = Path(inside) / "try.h5"
        with h5py.File(path, "w") as file:
            file["try"] = np.arange(3)
        with h5py.File(path, "r") as file, h5py.File(path, "r"):
            assert file["try"][2] == 2
    return f"{h5py.version.hdf5_version}, h5py {h5py.version.version}"


def describe_formats() -> str:
    """Return the tables of ``docs/data_formats.md``."""
    return "\n".join(line for spec in FILES for line in _describe(spec))


def _describe(spec: FileSpec) -> Sequence[str]:
    lines = [f"## {spec.kind} (version {spec.version})", ""]
    if spec.earlier:
        lines += [f"Also read: version {', '.join(map(str, spec.earlier))}.", ""]
    lines += ["| array | axes | kind | meaning |", "|---|---|---|---|"]
    for array in spec.arrays:
        lines.append(
            f"| `{array.name}` | {', '.join(array.axes)} | {array.kind} | {array.meaning} |"
        )
    return [*lines, ""]


def _write_array(file: h5py.File, array: ArraySpec, arrays: Mapping[str, Any]) -> None:
    if array.name in file:  # written as it came
        pass
    elif array.is_optional and arrays.get(array.name) is None:
        return
    elif array.is_optional and array.kind != "bits":
        # Few values, over and over.
        packed = {"compression": "gzip", "shuffle": True}
        file.create_dataset(array.name, data=np.asarray(arrays[array.name]), **packed)
    elif array.kind == "text":
        texts = np.asarray(arrays[array.name], object)
        file.create_dataset(array.name, data=texts, dtype=h5py.string_dtype())
    elif array.kind == "bits":
        bits = np.asarray(arrays[array.name], np.bool_)
        dataset = file.create_dataset(array.name, data=np.packbits(bits, axis=-1))
        dataset.attrs["n_bits"] = bits.shape[-1]
    else:
        file.create_dataset(array.name, data=np.asarray(arrays[array.name]))
    file[array.name].attrs["axes"] = ", ".join(array.axes)
    file[array.name].attrs["meaning"] = array.meaning


def _check(path: Path, file: h5py.File, spec: FileSpec) -> None:
    kind, found_version = file.attrs.get("kind"), file.attrs.get("version")
    if kind != spec.kind:
        msg = f"{path}: a {spec.kind} file expected, found kind {kind}"
        raise MerecError(msg)
    if found_version not in (spec.version, *spec.earlier):
        msg = (
            f"{path}: format version {spec.version} of {spec.kind} files expected, found "
            f"{found_version}; delete the file to have it made again"
        )
        raise MerecError(msg)
    lengths: dict[str, tuple[int, str]] = {}
    for array in spec.arrays:
        if array.since > found_version or (array.is_optional and array.name not in file):
            continue
        if array.name not in file:
            msg = f"{path}: array '{array.name}' expected, found {', '.join(file)}"
            raise MerecError(msg)
        _check_kind(path, file[array.name], array)
        shape = _shape(file[array.name], array)
        if len(shape) != len(array.axes):
            msg = f"{path}:{array.name}: axes {array.axes} expected, found shape {shape}"
            raise MerecError(msg)
        for axis, length in zip(array.axes, shape, strict=True):
            known, elsewhere = lengths.setdefault(axis, (length, array.name))
            if length != known:
                msg = f"{path}:{array.name}: {length} along '{axis}', {known} in {elsewhere}"
                raise MerecError(msg)


def _check_kind(path: Path, dataset: h5py.Dataset | h5py.Group, array: ArraySpec) -> None:
    """Raise a ``MerecError`` if an array does not hold what it should."""
    if not isinstance(dataset, h5py.Dataset):
        found = "a group"
    elif h5py.check_string_dtype(dataset.dtype) is not None:
        found = "text"
    elif dataset.dtype == np.uint8 and "n_bits" in dataset.attrs:
        found = "bits"
    else:
        found = {"f": "float", "i": "integer", "u": "integer"}.get(dataset.dtype.kind, "other")
    is_right = found in ("float", "integer") if array.kind == "number" else found == array.kind
    if not is_right:
        msg = f"{path}:{array.name}: {array.kind} expected, found {found}"
        raise MerecError(msg)


def _shape(dataset: h5py.Dataset, array: ArraySpec) -> tuple[int, ...]:
    if array.kind == "bits":
        return (*dataset.shape[:-1], int(dataset.attrs["n_bits"]))
    return tuple(dataset.shape)


def _software() -> dict[str, str]:
    found = {"merec_hpc": __version__}
    # Of OpenCV's packages one is there: that with contributed modules takes the other's place.
    opencv = ("opencv-python-headless", "opencv-contrib-python-headless")
    for name in ("numpy", "scipy", "torch", "torchvision", *opencv, "numba"):
        with suppress(PackageNotFoundError):
            found[name] = version(name)
    return found

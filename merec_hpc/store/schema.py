"""Names the arrays of every HDF5 file, with axes, kind and meaning."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal


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
    by_row: bool = False
    """Whether it is written and read row by row; then ``NAME_crc32`` stands beside it."""


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
            by_row=True,
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
            by_row=True,
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
            by_row=True,
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
                by_row=True,
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

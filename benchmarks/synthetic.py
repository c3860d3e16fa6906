"""Clips of the shapes that benchmarks measure: like deep features, or like histograms."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Shape:
    """The size of a table, and what its features are like."""

    n_clips: int
    n_features: int
    n_subjects: int
    n_classes: int
    kind: Literal["relu", "histogram"] = "relu"


SHAPES = (
    Shape(71, 9216, 8, 3),
    Shape(164, 9216, 16, 3),
    Shape(246, 9216, 26, 5),
    Shape(246, 900, 26, 5, "histogram"),
)


def make_clips(
    shape: Shape, seed: int = 0
) -> tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.int64]]:
    """Return features, labels and subjects: subjects differ more than classes do."""
    rng = np.random.default_rng(seed)
    n_clips, n_features = shape.n_clips, shape.n_features
    labels = rng.integers(shape.n_classes, size=n_clips)
    labels[: shape.n_classes] = np.arange(shape.n_classes)
    subjects = np.sort(rng.integers(shape.n_subjects, size=n_clips))
    subjects[: shape.n_subjects] = np.arange(shape.n_subjects)
    if shape.kind == "relu":
        latent = 0.2 * rng.normal(size=(n_clips, 20)) @ rng.normal(size=(20, n_features))
        classes = 0.1 * rng.normal(size=(shape.n_classes, n_features))
        people = 0.5 * rng.normal(size=(shape.n_subjects, n_features))
        noise = rng.normal(size=(n_clips, n_features))
        values = np.maximum(latent + classes[labels] + people[subjects] + noise + 0.3, 0)
    else:
        # Histograms of 12 bins over 75 blocks of a face, each with the sum of 1.
        shape_of_face = rng.gamma(1.0, size=(n_features // 12, 12))
        people = rng.gamma(8, size=(shape.n_subjects, *shape_of_face.shape))[subjects]
        classes = rng.gamma(200, size=(shape.n_classes, *shape_of_face.shape))[labels]
        counts = rng.gamma(6 * shape_of_face * people / 8 * classes / 200)
        values = (counts / counts.sum(axis=2, keepdims=True)).reshape(n_clips, n_features)
    return values.astype(np.float32), labels, subjects

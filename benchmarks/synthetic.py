"""Clips of the shapes that benchmarks measure: like deep features, like histograms, or easy."""

from dataclasses import dataclass, replace
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
    kind: Literal["deep", "histogram", "independent"] = "deep"


CLASS_SPREAD = 0.025  # 0.5 to 0.8 of the clips are named right

SHAPES = (
    Shape(71, 9216, 8, 3),
    Shape(164, 9216, 16, 3),
    Shape(246, 9216, 26, 5),
    Shape(246, 900, 26, 5, "histogram"),
)
INDEPENDENT = tuple(replace(shape, kind="independent") for shape in SHAPES[:3])


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
    if shape.kind == "deep":
        # Like MobileNetV2's standard deviations over time on the simulated vis preset: there the
        # cosine of two clips is 0.87, and the first 5 (20) axes of centred clips hold 0.37
        # (0.71) of their spread; here, of as many clips, 0.91 and 0.39 (0.70).
        level = rng.gamma(2, 0.5, size=n_features)
        axes = rng.normal(size=(n_clips, 30)) * np.arange(1, 31) ** -0.5
        latent = 0.16 * axes @ rng.normal(size=(30, n_features))
        classes = CLASS_SPREAD * rng.normal(size=(shape.n_classes, n_features))
        people = 0.15 * rng.normal(size=(shape.n_subjects, n_features))
        noise = 0.24 * rng.normal(size=(n_clips, n_features))
        values = np.maximum(level + latent + classes[labels] + people[subjects] + noise, 0)
    elif shape.kind == "independent":
        # Hardly correlated, which no deep features are: LIBLINEAR then needs few iterations.
        latent = 0.2 * rng.normal(size=(n_clips, 20)) @ rng.normal(size=(20, n_features))
        classes = 0.1 * rng.normal(size=(shape.n_classes, n_features))
        people = 0.5 * rng.normal(size=(shape.n_subjects, n_features))
        noise = rng.normal(size=(n_clips, n_features))
        values = np.maximum(latent + classes[labels] + people[subjects] + noise + 0.3, 0)
    else:
        # Histograms of 12 bins over 75 blocks of a face, each with the sum of 1; like uniform
        # local binary patterns of CMU Face Images (156 x 900): there the cosine of two clips is
        # 0.82, and the first 5 (20) axes hold 0.46 (0.80) of the spread; here 0.84 and 0.45 (0.72).
        face = rng.gamma(1.0, size=n_features)
        axes = rng.normal(size=(n_clips, 30)) * np.arange(1, 31) ** -0.6
        latent = 0.25 * axes @ rng.normal(size=(30, n_features))
        people = 0.25 * rng.normal(size=(shape.n_subjects, n_features))[subjects]
        classes = 0.05 * rng.normal(size=(shape.n_classes, n_features))[labels]
        counts = rng.gamma(40 * face * np.exp(latent + people + classes))
        blocks = counts.reshape(n_clips, -1, 12)
        values = (blocks / blocks.sum(axis=2, keepdims=True)).reshape(n_clips, n_features)
    return values.astype(np.float32), labels, subjects

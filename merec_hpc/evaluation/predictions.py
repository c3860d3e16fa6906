"""Predictions of held-out clips, one row each, and their decision values as text."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from merec_hpc.errors import MerecError
from merec_hpc.files.rows import read_rows
from merec_hpc.records import Features, Text


@dataclass(frozen=True)
class Prediction:
    """One clip, predicted by a machine that never saw its subject."""

    method: str
    classifier: str
    seed: int
    fold: str
    subject: str
    clip: str
    label: str
    predicted: str
    decisions: str | None = None
    """What speaks for each class, as in ``negative=0.3;positive=-0.2``."""


def read_predictions(path: Path) -> list[Prediction]:
    """Read a table of predictions.

    Raises
    ------
    MerecError
        As ``read_rows``, or if a clip is predicted twice by the same machine.
    """
    rows = read_rows(path, Prediction)
    seen: set[tuple[str, str, int, str]] = set()
    for row in rows:
        key = (row.method, row.classifier, row.seed, row.clip)
        if key in seen:
            msg = f"{path}: each clip once expected of {row.method}, found '{row.clip}' again"
            raise MerecError(msg)
        seen.add(key)
    return rows


def predictions_of(
    features: Features,
    fold: str,
    decisions: NDArray[np.float64],
    method: str,
    classifier: str = "linear_svm",
    seed: int = 0,
) -> list[Prediction]:
    """Return a row for each clip that a fold holds out, from decisions, (n_held_out, n_classes)."""
    held_out = features.only(fold)
    return [
        Prediction(
            method=method,
            classifier=classifier,
            seed=seed,
            fold=fold,
            subject=str(subject),
            clip=str(clip),
            label=str(features.class_names[label]),
            predicted=str(features.class_names[row.argmax()]),
            decisions=as_text(row, features.class_names),
        )
        for clip, subject, label, row in zip(
            held_out.clips, held_out.subjects, held_out.labels, decisions, strict=True
        )
    ]


def as_text(decisions: NDArray[np.float64], class_names: Text) -> str:
    """Return the decision values of one clip as a prediction has them."""
    return ";".join(
        f"{name}={value:.6g}" for name, value in zip(class_names, decisions, strict=True)
    )


def read_decisions(rows: Sequence[Prediction]) -> tuple[NDArray[np.float64], list[str]] | None:
    """Return decision values of predictions, (n_clips, n_classes), and the classes, if all have any.

    Raises
    ------
    MerecError
        If one is not as ``as_text`` writes it, or of other classes.
    """
    if not all(row.decisions for row in rows):
        return None
    values, known = [], None
    for row in rows:
        pairs = [part.rpartition("=") for part in (row.decisions or "").split(";")]
        names = [name for name, _, _ in pairs]
        known = known or names
        try:
            values.append([float(value) for _, _, value in pairs])
        except ValueError:
            names = []
        if names != known:
            msg = f"clip '{row.clip}': decisions of classes {known} expected, found {row.decisions}"
            raise MerecError(msg)
    return np.array(values), known or []

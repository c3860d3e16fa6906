"""Joins the features of subjects into those of all clips."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from merec_hpc.dataset.catalog import read_catalog
from merec_hpc.errors import MerecError
from merec_hpc.records import FeaturePart, Features


def joined_features(catalog: Path, parts: Sequence[FeaturePart]) -> Features:
    """Return the features of all clips in the catalog's order, with labels and subjects.

    Raises
    ------
    MerecError
        If a clip is not in the catalog, or comes twice.
    """
    extracted = [str(clip) for part in parts for clip in part.clips]
    catalogued = {clip.clip: clip for clip in read_catalog(catalog)}
    # The catalog's order, whatever the order of the files.
    place = {name: position for position, name in enumerate(catalogued)}
    unknown = [name for name in extracted if name not in place]
    if unknown:
        msg = f"{catalog}: clip '{unknown[0]}' expected, found no such row"
        raise MerecError(msg)
    twice = [name for name, count in Counter(extracted).items() if count > 1]
    if twice:
        msg = f"features: each clip once expected, found '{twice[0]}' in several files of faces"
        raise MerecError(msg)
    for part in parts:
        if part.names.tolist() != parts[0].names.tolist():
            msg = (
                f"features: those of clip '{parts[0].clips[0]}' ({len(parts[0].names)}) expected of "
                f"clip '{part.clips[0]}', found {len(part.names)} others: faces of one size expected"
            )
            raise MerecError(msg)
    order = sorted(range(len(extracted)), key=lambda row: place[extracted[row]])
    kept = [catalogued[extracted[row]] for row in order]
    class_names = sorted({clip.label for clip in kept})
    return Features(
        values=np.concatenate([part.values for part in parts])[order],
        labels=np.array([class_names.index(clip.label) for clip in kept], np.int64),
        subjects=np.array([clip.subject for clip in kept]),
        clips=np.array([clip.clip for clip in kept]),
        names=parts[0].names,
        class_names=np.array(class_names),
    )

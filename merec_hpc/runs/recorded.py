"""Tells whether a file is what the present configuration would make, from what it says of itself.

Settings are compared as the sections that they are, defaults included, not as texts.
"""

import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from merec_hpc.config.base import from_json
from merec_hpc.config.selection import InnerSettings
from merec_hpc.dataset.folds import FoldSize
from merec_hpc.errors import MerecError
from merec_hpc.evaluation.permutation import PermutedRun
from merec_hpc.files.rows import read_rows
from merec_hpc.store.schema import read_recorded


def is_made_by(settings: object, path: Path) -> bool:
    """Return whether a store was made by a section of the configuration."""
    return _are(settings, read_recorded(path).get("settings"))


def is_selected_by(
    selector: str, fold: str, settings: InnerSettings, scaling: str, path: Path
) -> bool:
    """Return whether a selection is of a selector, a fold, its settings and a scaling."""
    recorded = read_recorded(path)
    told = tuple(recorded.get(name) for name in ("method", "fold", "scaling"))
    return told == (selector, fold, scaling) and _are(settings, recorded.get("settings"))


def has_folds(folds: Sequence[FoldSize], path: Path) -> bool:
    """Return whether a table is that of these folds."""
    try:
        return read_rows(path, FoldSize) == list(folds)
    except MerecError:
        return False


def has_permutations(numbers: Sequence[int], path: Path) -> bool:
    """Return whether a table is of these permutations."""
    try:
        return [row.permutation for row in read_rows(path, PermutedRun)] == list(numbers)
    except MerecError:
        return False


def _are(settings: object, recorded: Any) -> bool:
    text = recorded if isinstance(recorded, str) else json.dumps(recorded)
    kind: Any = type(settings)
    return bool(_parsed(kind, text) == settings)


@cache
def _parsed(kind: type[Any], text: str) -> object:
    """Return recorded settings as a section; ``None`` if they are not of this version."""
    try:
        return from_json(kind, text)
    except MerecError:
        return None

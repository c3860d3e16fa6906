"""Tells whether a file is what the present configuration would make, from what it says of itself.

Settings are compared as the sections that they are, defaults included, not as texts.
"""

import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, get_args

from merec_hpc.config.base import from_json
from merec_hpc.config.faces import ClipSettings, InterpolationSettings
from merec_hpc.config.features import FeatureSettings
from merec_hpc.config.motion import ApexMethod
from merec_hpc.config.selection import NO_BIAS, AnySettings, SelectorSettings
from merec_hpc.dataset.catalog import read_catalog
from merec_hpc.dataset.folds import FoldSize
from merec_hpc.errors import MerecError
from merec_hpc.evaluation.permutation import PermutedRun
from merec_hpc.files.rows import read_rows
from merec_hpc.store.reading import read_recorded


def is_made_by(settings: object, path: Path) -> bool:
    """Return whether a store was made by a section of the configuration."""
    return _are(settings, read_recorded(path).get("settings"))


def has_apexes(method: ApexMethod, path: Path) -> bool:
    """Return whether those apexes of a catalog that were found were found by this method."""
    try:
        sources = {clip.apex_source for clip in read_catalog(path)}
    except MerecError:
        return False
    return sources & set(get_args(ApexMethod)) <= {method}


def is_extracted_by(settings: object, interpolation: InterpolationSettings, path: Path) -> bool:
    """Return whether a feature store was made by a section and an interpolation."""
    recorded = read_recorded(path)
    return _are(settings, recorded.get("settings")) and _are(
        interpolation, recorded.get("interpolation")
    )


def is_normalised(path: Path) -> bool:
    """Return whether a store is of a network's features that were normalised."""
    recorded = read_recorded(path).get("settings")
    found = _section_of(FeatureSettings, recorded)
    return isinstance(found, FeatureSettings) and found.normalised


def is_kept_by(interpolation: InterpolationSettings, settings: ClipSettings, path: Path) -> bool:
    """Return whether a file of clips was made by an interpolation, in the format that is asked for."""
    recorded = read_recorded(path)
    is_right = recorded.get("format") == settings.format
    return is_right and _are(interpolation, recorded.get("settings"))


def joins(blocks: Sequence[tuple[str, float | None]], path: Path) -> bool:
    """Return whether a view is of blocks of these names and weights."""
    return read_recorded(path).get("blocks") == [list(block) for block in blocks]


def is_selected_by(
    selector: str, fold: str, settings: AnySettings, scaling: str, path: Path
) -> bool:
    """Return whether a selection is of a selector, a fold, its settings and a scaling."""
    recorded = read_recorded(path)
    told = tuple(recorded.get(name) for name in ("method", "fold", "scaling"))
    found = recorded.get("settings")
    if isinstance(found, dict) and isinstance(settings, SelectorSettings):
        found = {"bias": NO_BIAS, **found}  # not said before there was one
    return told == (selector, fold, scaling) and _are(settings, found)


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
    return bool(_section_of(type(settings), recorded) == settings)


def _section_of(kind: Any, recorded: Any) -> object:
    """Return recorded settings as a section; JSON within JSON as well as without."""
    return _parsed(kind, recorded if isinstance(recorded, str) else json.dumps(recorded))


@cache
def _parsed(kind: type[Any], text: str) -> object:
    """Return recorded settings as a section; ``None`` if they are not of this version."""
    try:
        return from_json(kind, text)
    except MerecError:
        return None

"""Groups of features that are chosen together: of a channel, of a cell of the face, of a block.

Groups come of names, of blocks or of a table, never of labels: they know nothing of the clips.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from merec_hpc.config.selection import InnerSettings
from merec_hpc.errors import MerecError
from merec_hpc.files.rows import read_rows
from merec_hpc.records import Features, Text

_PLANES = "xy|xt|yt"
_MAPS = "u|v|magnitude|strain"
_PLACE = r"(?P<row>\d+|mean|all)/(?P<column>\d+|mean|all)"
# Of each kind of names its channel and its cell, from the parts that the pattern finds. Cells of
# grids of different size are different cells, wherever they have the same numbers.
_KINDS = (
    (rf"(?P<stem>(.*:)?lbp_top)/{_PLACE}/(?P<channel>({_PLANES})/\d+)", "{stem}/{row}/{column}"),
    (rf"(?P<stem>(.*:)?flow/\w+)/{_PLACE}/(?P<channel>{_MAPS})", "{stem}/{row}/{column}"),
    (
        rf"(?P<stem>(.*:)?flow/\w+)/{_PLACE}/(?P<channel>(?P<kind>hoof|bi_woof)/\d+)",
        "{stem}/{kind}/{row}/{column}",
    ),
    (
        r"(?P<stem>(.*:)?flow/\w+)/(?P<region>\w+)/(?P<channel>mdmo/(magnitude|angle))",
        "{stem}/{region}",
    ),
    (rf"(?P<stem>.+)/(?P<channel>\d+)/{_PLACE}/[a-z_]+", "{stem}/{row}/{column}"),
)
_FORMS = {
    "channel": "{stem}/{channel}",
    "cell": None,
}
_KNOWN = "'stem/channel/row/column/statistic', 'lbp_top/row/column/plane/bin' or 'flow/method/row/column/map'"


@dataclass(frozen=True)
class Units:
    """The group of each feature."""

    group_of: NDArray[np.int64]  # (n_features,)
    names: Text  # (n_groups,), in the order in which the features come to them

    @classmethod
    def of(cls, labels: Sequence[str]) -> Self:
        """Return the groups of features that are labelled alike."""
        numbers: dict[str, int] = {}
        places = [numbers.setdefault(label, len(numbers)) for label in labels]
        return cls(np.array(places, np.int64), np.array(list(numbers), np.str_))


@dataclass(frozen=True)
class UnitRow:
    """The group of one feature, as a table has it."""

    feature: str
    group: str


def find_units(features: Features, inner: InnerSettings) -> Units | None:
    """Return the groups that the keys ``unit`` and ``unit_table`` ask for; ``None`` for features.

    Raises
    ------
    MerecError
        If names have no such part, features are of one block, or a table does not hold every
        feature once.
    """
    names = [str(name) for name in features.names]
    if inner.unit == "feature":
        return None
    if inner.unit == "custom":
        assert inner.unit_table is not None  # else the settings are refused
        return Units.of(_groups_of_table(inner.unit_table, names))
    if inner.unit == "block":
        if features.blocks is None:
            msg = "unit block: features of several blocks side by side expected, found one alone"
            raise MerecError(msg)
        return Units.of([str(block) for block in features.blocks])
    return Units.of([_part(name, inner.unit, names) for name in names])


def _part(name: str, unit: str, names: Sequence[str]) -> str:
    """Return the channel or the cell that a feature's name speaks of."""
    for pattern, cell in _KINDS:
        found = re.fullmatch(pattern, name)
        if found is not None:
            return (_FORMS[unit] or cell).format(**found.groupdict())
    others = f" (and {len(names) - 1} other names)" if len(names) > 1 else ""
    msg = f"unit {unit}: names of a {unit}, as {_KNOWN}, expected, found '{name}'{others}"
    raise MerecError(msg)


def _groups_of_table(path: Path, names: Sequence[str]) -> list[str]:
    """Return the group of each feature by a table, which holds each once and no other."""
    groups: dict[str, str] = {}
    for row in read_rows(path, UnitRow):
        if row.feature in groups:
            msg = f"{path}: each feature once expected, found '{row.feature}' again"
            raise MerecError(msg)
        groups[row.feature] = row.group
    _check_same(path, names, groups)
    return [groups[name] for name in names]


def _check_same(path: Path, names: Sequence[str], listed: Iterable[str]) -> None:
    missing = sorted(set(names) - set(listed))
    if missing:
        msg = f"{path}: all {len(names)} features expected, found no '{missing[0]}'"
        raise MerecError(msg + (f" (and {len(missing) - 1} others)" if missing[1:] else ""))
    unknown = sorted(set(listed) - set(names))
    if unknown:
        msg = f"{path}: the {len(names)} features of the clips alone expected, found '{unknown[0]}'"
        raise MerecError(msg)

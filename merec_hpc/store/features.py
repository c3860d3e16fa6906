"""Writes and reads the features of all clips: one extraction, or several side by side."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from operator import call
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from merec_hpc.config.base import to_json
from merec_hpc.config.faces import InterpolationSettings
from merec_hpc.errors import MerecError
from merec_hpc.files.digest import sha256
from merec_hpc.records import Features, Text
from merec_hpc.store.reading import Store, opened_store
from merec_hpc.store.schema import FEATURES, VIEW
from merec_hpc.store.writing import write_store

Share = Callable[[Callable[[], NDArray[Any]]], NDArray[Any]]


@dataclass(frozen=True)
class Block:
    """One extraction among several."""

    name: str
    file: Path
    """Its feature store."""
    weight: float | None = None
    """Of each of its scaled features; ``None`` is 1 / sqrt(their number)."""


def write_features(
    path: Path,
    features: Features,
    settings: object,
    weights_sha256: str,
    interpolation: InterpolationSettings | None = None,
    made_of: Mapping[str, object] | None = None,
) -> None:
    """Write features with the settings, software and weights (if any) that made them.

    Parameters
    ----------
    made_of
        Digests of the files that they were made of, by name.
    """
    attributes: dict[str, object] = {
        "settings": to_json(settings),
        "weights_sha256": weights_sha256,
    }
    if interpolation is not None:
        attributes["interpolation"] = to_json(interpolation)
    write_store(path, FEATURES, vars(features), {**attributes, **(made_of or {})})


def write_imported(path: Path, features: Features, table: Path) -> None:
    """Write the features of a table, with its name and digest."""
    attributes = {"imported_from": table.name, "imported_sha256": sha256(table)}
    write_store(path, FEATURES, vars(features), attributes)


def write_view(path: Path, blocks: Sequence[Block]) -> None:
    """Write a view of several feature stores as one; their values stay where they are.

    Raises
    ------
    MerecError
        If a block is named twice, stores are of other clips, labels or subjects, or the view
        would take the place of one.
    """
    names = [block.name for block in blocks]
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        msg = f"blocks: each name once expected, found '{twice[0]}' {names.count(twice[0])} times"
        raise MerecError(msg)
    if path.resolve() in [block.file.resolve() for block in blocks]:
        msg = f"{path}: another file than the store of a block expected, to write the view to"
        raise MerecError(msg)
    known = [_read_known(block.file) for block in blocks]
    for block, one in zip(blocks, known, strict=True):
        _check_alike(block.file, one, blocks[0].file, known[0])
    counts = [len(one.names) for one in known]
    weights = [
        count**-0.5 if block.weight is None else block.weight
        for block, count in zip(blocks, counts, strict=True)
    ]
    folder = path.parent.resolve()
    relative = [Path(os.path.relpath(block.file.resolve(), folder)) for block in blocks]
    arrays = {
        "blocks": names,
        "files": [file.as_posix() for file in relative],
        "weights": np.array(weights, np.float64),
        "n_features": np.array(counts, np.int64),
        "digests": [sha256(block.file) for block in blocks],
    }
    write_store(path, VIEW, arrays, {"blocks": [[block.name, block.weight] for block in blocks]})


def read_features(path: Path, share: Share = call) -> Features:
    """Read the features of all clips, in the catalog's order: of a store, or of a view of several.

    Of a view the features of its blocks stand side by side, each with its block's weight. Where
    two blocks have features of one name, all names begin with the block's.

    Parameters
    ----------
    share
        Returns what its argument makes: the values, once for all processes of a node.

    Raises
    ------
    MerecError
        If the file is none of both, or a view's block is missing or was made anew since.
    """
    with opened_store(path, FEATURES, VIEW) as store:
        if store.spec is FEATURES:
            return replace(_known(store), values=share(lambda: store.array("values")))
        view = {array.name: store.array(array.name) for array in VIEW.arrays}
    files = [path.parent.resolve() / str(file) for file in view["files"]]
    known = [_read_known(file) for file in files]
    for file, one, digest, count in zip(
        files, known, view["digests"], view["n_features"], strict=True
    ):
        if len(one.names) != count or sha256(file) != digest:
            msg = f"{file}: the features that {path} was made of expected, found others"
            raise MerecError(msg)
    counts = [len(one.names) for one in known]
    return replace(
        known[0],
        values=share(lambda: np.concatenate([_read_values(file) for file in files], axis=1)),
        names=_joined_names(view["blocks"], known),
        weights=np.repeat(view["weights"], counts),
        blocks=np.repeat(view["blocks"], counts),
    )


def _read_known(path: Path) -> Features:
    """Return what a store holds beside the values, of which there are none."""
    with opened_store(path, FEATURES) as store:
        return _known(store)


def _known(store: Store) -> Features:
    names = [array.name for array in FEATURES.arrays if array.name != "values"]
    arrays = {name: store.array(name) for name in names}
    nothing = np.empty((len(arrays["clips"]), 0), np.float32)
    return Features(values=nothing, **arrays)


def _read_values(path: Path) -> NDArray[Any]:
    with opened_store(path, FEATURES) as store:
        return store.array("values")


def _check_alike(path: Path, found: Features, first: Path, expected: Features) -> None:
    """Raise a ``MerecError`` unless two stores are of the same clips, labels and subjects."""
    for what in ("clips", "subjects", "labels", "class_names"):
        own, other = getattr(found, what), getattr(expected, what)
        if len(own) != len(other) or (own != other).any():
            differing = "" if len(own) != len(other) else _first_difference(own, other)
            msg = f"{path}: the {what} of {first} ({len(other)}) expected, found {len(own)}{differing}"
            raise MerecError(msg)


def _first_difference(own: NDArray[Any], other: NDArray[Any]) -> str:
    place = int(np.flatnonzero(own != other)[0])
    return f", '{own[place]}' in place of '{other[place]}'"


def _joined_names(blocks: Text, known: Sequence[Features]) -> Text:
    names = np.concatenate([one.names for one in known])
    if len(np.unique(names)) == len(names):
        return names
    prefixed = [
        f"{block}:{name}" for block, one in zip(blocks, known, strict=True) for name in one.names
    ]
    return np.array(prefixed, np.str_)

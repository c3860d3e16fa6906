"""Writes and reads what a selector chose in one fold: the same file for every selector."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from merec_hpc.errors import MerecError
from merec_hpc.records import DecidingRules, History, Population, Selection
from merec_hpc.store.reading import opened_store
from merec_hpc.store.schema import SELECTION
from merec_hpc.store.writing import write_store

# Files of version 1 have none of these: no SVM had a bias. Each is of the shape of another array.
_BIASES = {"bias": "C", "best_bias": "best_C", "hall_bias": "hall_C", "last_bias": "last_C"}


@dataclass(frozen=True)
class SelectionOrigin:
    """Who made a selection, for which fold, and from what."""

    method: str
    fold: str | None
    """The fold that was held out; ``None`` if nobody was."""
    seed: int
    settings: str  # JSON
    scaling: str


def write_selection(path: Path, selection: Selection, origin: SelectionOrigin) -> None:
    """Write a selection and where it comes from."""
    arrays = {
        "mask": selection.mask,
        "weights": selection.weights,
        "C": [selection.C],
        "bias": [selection.bias],
        "fitness": [selection.fitness],
        "generation": [selection.generation],
        **vars(selection.history),
        "best_weights": selection.best_weights,
        **_columns("hall", selection.hall_of_fame),
        **_columns("last", selection.last),
        **({} if selection.rules is None else _rule_arrays(selection.rules)),
        **({} if selection.front is None else _columns("front", selection.front)),
    }
    write_store(path, SELECTION, arrays, vars(origin))


def read_selection(path: Path) -> tuple[Selection, SelectionOrigin]:
    """Read what ``write_selection`` wrote."""
    with opened_store(path, SELECTION) as store:
        known = [array.name for array in SELECTION.arrays if array.name in store]
        arrays = {name: store.array(name) for name in known}
        names = SelectionOrigin.__dataclass_fields__
        recorded = {name: store.attribute(name) for name in names}
    for name, like in _BIASES.items():
        arrays.setdefault(name, np.zeros_like(arrays[like]))
    # Nobody was an empty name once.
    origin = SelectionOrigin(**{**recorded, "fold": recorded["fold"] or None})
    selection = Selection(
        mask=arrays["mask"],
        C=float(arrays["C"][0]),
        bias=float(arrays["bias"][0]),
        fitness=float(arrays["fitness"][0]),
        generation=int(arrays["generation"][0]),
        history=History(**{name: arrays[name] for name in History.__dataclass_fields__}),
        hall_of_fame=_population("hall", arrays),
        last=_population("last", arrays),
        weights=arrays.get("weights"),
        best_weights=arrays.get("best_weights"),
        rules=_rules(path, arrays),
        front=_front(path, arrays),
    )
    return selection, origin


def _rule_arrays(rules: DecidingRules) -> dict[str, object]:
    return {
        f"rule_{name}": [int(value)] if isinstance(value, bool | int) else value
        for name, value in vars(rules).items()
    }


def _rules(path: Path, arrays: dict[str, np.ndarray]) -> DecidingRules | None:
    names = DecidingRules.__dataclass_fields__
    found = {name: arrays[f"rule_{name}"] for name in names if f"rule_{name}" in arrays}
    if not found:
        return None
    _check_complete(path, "rules", [f"rule_{name}" for name in names], arrays)
    return DecidingRules(
        genes=found["genes"],
        losses=found["losses"],
        scales=found["scales"],
        min_clips=int(found["min_clips"][0]),
        is_champion=bool(found["is_champion"][0]),
        is_transductive=bool(found["is_transductive"][0]),
    )


def _front(path: Path, arrays: dict[str, np.ndarray]) -> Population | None:
    names = [array.name for array in SELECTION.arrays if array.name.startswith("front_")]
    if not any(name in arrays for name in names):
        return None
    _check_complete(path, "a front", names, arrays)
    return _population("front", arrays)


def _check_complete(
    path: Path, what: str, names: Iterable[str], arrays: dict[str, np.ndarray]
) -> None:
    for name in names:
        if name not in arrays:
            msg = f"{path}: array '{name}' expected beside the others of {what}, found none"
            raise MerecError(msg)


def _columns(prefix: str, population: Population) -> dict[str, object]:
    return {f"{prefix}_{name}": value for name, value in vars(population).items()}


def _population(prefix: str, arrays: dict[str, np.ndarray]) -> Population:
    names = Population.__dataclass_fields__
    columns: dict[str, Any] = {name: arrays.get(f"{prefix}_{name}") for name in names}
    return Population(**columns)

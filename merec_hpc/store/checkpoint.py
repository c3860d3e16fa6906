"""Writes and reads the state of a search, so that it can go on after any kind of end.

A checkpoint is NumPy's npz in a sealed file.
"""

import hashlib
import io
import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from merec_hpc.config.base import to_json
from merec_hpc.config.selection import GeneticSettings
from merec_hpc.files.sealed import read_sealed, remove_sealed, write_sealed
from merec_hpc.records import History, Population, SearchState

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Checkpoints:
    """The checkpoints of one search, next to the file that it will write."""

    path: Path
    key: str
    """Digest of settings and data: the checkpoint of another search is not taken."""
    interval: int
    """Generations between two checkpoints."""

    def is_due(self, generation: int, n_generations: int) -> bool:
        """Return whether to write after this generation; the last is kept for the sake of others.

        Of several searches in a row those that are done need not be done again.
        """
        return generation % self.interval == 0 or generation == n_generations

    def save(self, state: SearchState) -> None:
        """Write the state; what was written last is kept as the former one."""
        write_sealed(self.path, pack_state(state, self.key))

    def load(self) -> SearchState | None:
        """Return the last complete state of this search, or ``None`` and say why."""
        payload = read_sealed(self.path)
        if payload is None:
            return None
        arrays = np.load(io.BytesIO(payload), allow_pickle=False)
        if str(arrays["key"]) != self.key:
            log.warning("%s: of other settings or data, the search starts afresh", self.path)
            return None
        state = _unpacked(arrays)
        log.info("%s: the search goes on after generation %d", self.path, state.generation)
        return state

    def remove(self) -> None:
        """Remove all checkpoints: the search has ended."""
        remove_sealed(self.path)


def search_key(program: str, settings: GeneticSettings, training_digest: str) -> str:
    """Return the key of a search: what it depends on, settings first (see ``read_state``)."""
    everything = f"{program} {to_json(settings)} {training_digest}"
    return f"{_settings_digest(settings)}-{hashlib.sha256(everything.encode()).hexdigest()}"


def read_state(path: Path, settings: GeneticSettings) -> SearchState | None:
    """Return the state of a search with these settings, for looking at.

    ``None`` if the file and the former one are torn or missing, or it is of other settings.
    """
    payload = read_sealed(path)
    if payload is None:
        return None
    arrays = np.load(io.BytesIO(payload), allow_pickle=False)
    is_ours = str(arrays["key"]).startswith(f"{_settings_digest(settings)}-")
    return _unpacked(arrays) if is_ours else None


def _settings_digest(settings: GeneticSettings) -> str:
    return hashlib.sha256(to_json(settings).encode()).hexdigest()[:16]


def pack_state(state: SearchState, key: str = "") -> bytes:
    """Return a state, masks bit-packed, as NumPy's npz."""
    islands = state.islands
    arrays: dict[str, Any] = {
        "key": key,
        "generation": state.generation,
        "n_features": islands[0].masks.shape[1],
        "sizes": [len(island.C) for island in islands],
        "rng_states": json.dumps(state.rng_states),
    }
    everyone = islands[0]
    for island in islands[1:]:
        everyone = everyone.joined(island)
    for prefix, part in (("all", everyone), ("hall", state.hall_of_fame)):
        arrays |= {f"{prefix}_{name}": value for name, value in _packed(vars(part))}
    arrays |= {f"history_{name}": value for name, value in _packed(vars(state.history))}
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def _packed(columns: dict[str, NDArray[Any] | None]) -> Iterator[tuple[str, NDArray[Any]]]:
    for name, value in columns.items():
        if value is not None:  # weights, which are bits of the masks while a search goes on
            yield name, np.packbits(value, axis=-1) if value.dtype == np.bool_ else value


def unpack_state(payload: bytes) -> SearchState:
    """Return the state that was packed."""
    return _unpacked(np.load(io.BytesIO(payload), allow_pickle=False))


def _unpacked(arrays: Any) -> SearchState:
    n_features = int(arrays["n_features"])

    def column(name: str) -> NDArray[Any]:
        value = arrays[name]
        if name.endswith("masks"):
            return np.unpackbits(value, axis=-1, count=n_features).astype(np.bool_)
        return np.asarray(value)

    def population(prefix: str) -> Population:
        names = [name for name in Population.__dataclass_fields__ if f"{prefix}_{name}" in arrays]
        return Population(**{name: column(f"{prefix}_{name}") for name in names})

    everyone, start, islands = population("all"), 0, []
    for size in arrays["sizes"].tolist():
        islands.append(everyone.take(np.arange(start, start + size)))
        start += size
    names = History.__dataclass_fields__
    return SearchState(
        generation=int(arrays["generation"]),
        islands=islands,
        rng_states=json.loads(str(arrays["rng_states"])),
        hall_of_fame=population("hall"),
        history=History(*(column(f"history_{name}") for name in names)),
    )

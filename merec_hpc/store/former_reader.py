"""The process that reads a file of format 1; see ``former``.

    python -m merec_hpc.store.former_reader FILE [OUTPUT]

Without an output its attributes are printed, as JSON.
"""

import json
import resource
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from merec_hpc.errors import MerecError, told
from merec_hpc.store.former import OTHER_KIND
from merec_hpc.store.reading import DAMAGED, refuse_elsewhere, refuse_larger
from merec_hpc.store.schema import FILES, ArraySpec
from merec_hpc.store.writing import StoreWriter, written_store

_MOST_BYTES = 2**32  # of memory, beside eight times the file
_OURS = ("kind", "version", "software")


def main() -> None:
    """Do what the command line says; one line and status 1 of a damaged file."""
    path = Path(sys.argv[1])
    n_bytes = path.stat().st_size
    most = _MOST_BYTES + 8 * n_bytes
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    try:
        with h5py.File(path, "r", locking=False) as file:
            texts = {name: value for name, value in file.attrs.items() if isinstance(value, str)}
            if len(sys.argv) == 2:
                sys.stdout.write(json.dumps(texts))
            else:
                _convert(path, file, texts, Path(sys.argv[2]), n_bytes)
    except MerecError as error:
        sys.exit(str(error).removeprefix(str(path)).lstrip(": "))
    except DAMAGED as error:
        sys.exit(told(error))


def _convert(
    path: Path, file: h5py.File, texts: dict[str, str], output: Path, n_bytes: int
) -> None:
    spec = next((spec for spec in FILES if spec.kind == texts.get("kind")), None)
    if spec is None:
        sys.stdout.write(str(texts.get("kind"))[:80])
        sys.exit(OTHER_KIND)
    there = tuple(array for array in spec.arrays if array.name in file)
    for array in there:
        refuse_elsewhere(path, file, array.name)
        if not isinstance(file[array.name], h5py.Dataset):
            msg = f"{path}:{array.name}: {array.kind} expected, found a group"
            raise MerecError(msg)
        refuse_larger(path, file[array.name], array.name, n_bytes)
    attributes = {name: json.loads(text) for name, text in texts.items() if name not in _OURS}
    software = json.loads(texts["software"]) if "software" in texts else {}
    version = int(file.attrs["version"])
    reduced = replace(spec, arrays=there)
    with written_store(output, reduced, attributes, version=version, software=software) as writer:
        for array in there:
            if array.by_row:
                _copy_rows(writer, array, file[array.name])
        writer.write(
            {array.name: _values(file[array.name], array) for array in there if not array.by_row}
        )


def _copy_rows(writer: StoreWriter, array: ArraySpec, dataset: h5py.Dataset) -> None:
    chunks = None if dataset.chunks is None else dataset.chunks[1:]
    gzip = None if dataset.compression is None else 1
    rows = writer.rows(array.name, dataset.shape[1:], dataset.dtype, chunks=chunks, gzip=gzip)
    for place in range(len(dataset)):
        rows.append(dataset[place][None])


def _values(dataset: h5py.Dataset, array: ArraySpec) -> NDArray[Any]:
    if array.kind == "text":
        return np.array(dataset.asstr()[()], dtype=np.str_)
    if array.kind == "bits":
        n_bits = int(dataset.attrs["n_bits"])
        return np.unpackbits(dataset[()], axis=-1, count=n_bits).astype(np.bool_)
    return np.asarray(dataset[()])


if __name__ == "__main__":
    main()

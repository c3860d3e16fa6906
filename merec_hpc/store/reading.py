"""Reads HDF5 files: what is damaged is refused in one line, with the file and the array."""

import json
import logging
import math
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from merec_hpc.errors import MerecError, told
from merec_hpc.store.former import is_former, make_anew, read_former_attributes
from merec_hpc.store.layout import FORMAT, checksum, sums_name
from merec_hpc.store.schema import ArraySpec, FileSpec

log = logging.getLogger(__name__)

DAMAGED = (
    OSError,
    RuntimeError,
    ValueError,
    KeyError,
    TypeError,
    AttributeError,
    OverflowError,
    MemoryError,
)
"""What h5py raises on a file whose metadata, or values, are not what they were."""
# Deflate shrinks by no more, so that a file that declares more than it can hold is damaged.
_MOST_SHRUNK = 1100


@dataclass(frozen=True)
class Store:
    """An open file, checked against its specification."""

    path: Path
    """Its name, for messages."""
    spec: FileSpec
    file: h5py.File
    opened: dict[str, tuple[h5py.Dataset, NDArray[Any]]] = field(default_factory=dict, repr=False)
    """Arrays of which rows were read, and the checksums of these: to look for them takes longer."""

    def __contains__(self, name: str) -> bool:
        """Return whether the file has an array."""
        return name in self.file

    @property
    def version(self) -> int:
        """Version of the kind of file."""
        return int(self.file.attrs["version"])

    def array(self, name: str) -> NDArray[Any]:
        """Return one array whole: texts as ``str``, bits as booleans.

        Raises
        ------
        MerecError
            If it is damaged.
        """
        array = self._known(name)
        if array.by_row:
            rows = list(self.rows(name))
            shape = self.file[name].shape
            return np.stack(rows) if rows else np.empty(shape, self.file[name].dtype)
        kept = self._whole(name)
        if array.kind == "text":
            with self._intact(name):
                texts = [text.decode() for text in kept.ravel().tolist()]
                return np.array(texts, np.str_).reshape(kept.shape)
        if array.kind == "bits":
            n_bits = int(self.file[name].attrs["n_bits"])
            return np.unpackbits(kept, axis=-1, count=n_bits).astype(np.bool_)
        return kept

    def length(self, name: str) -> int:
        """Return the number of rows of an array."""
        return int(self.file[name].shape[0])

    def row(self, name: str, place: int) -> NDArray[Any]:
        """Return a row of an array that is read row by row; raises as ``array``."""
        with self._intact(name):
            if name not in self.opened:
                self.opened[name] = self.file[name], self.file[sums_name(name)][()]
            array, sums = self.opened[name]
            found, expected = np.asarray(array[place]), int(sums[place])
        self._compare(name, found, expected)
        return found

    def rows(self, name: str) -> Iterator[NDArray[Any]]:
        """Yield the rows of such an array."""
        for place in range(self.length(name)):
            yield self.row(name, place)

    def attribute(self, name: str) -> Any:
        """Return an attribute that was written as JSON."""
        with self._intact(name):
            return json.loads(_text(self.file.attrs[name]))

    def _known(self, name: str) -> ArraySpec:
        return next(array for array in self.spec.arrays if array.name == name)

    def _whole(self, name: str) -> NDArray[Any]:
        with self._intact(name):
            kept = np.asarray(self.file[name][()])
            expected = int(self.file[name].attrs["crc32"])
        self._compare(name, kept, expected)
        return kept

    def _compare(self, name: str, found: NDArray[Any], expected: int) -> None:
        if checksum(found) != expected:
            msg = f"{self.path}:{name}: intact values expected, found others than were written"
            raise MerecError(msg)

    @contextmanager
    def _intact(self, name: str) -> Iterator[None]:
        try:
            yield
        except DAMAGED as error:
            msg = f"{self.path}:{name}: intact values expected, found damaged ones ({told(error)})"
            raise MerecError(msg) from None


@contextmanager
def opened_store(path: Path, spec: FileSpec, *others: FileSpec) -> Iterator[Store]:
    """Open a file for reading, checked against its specification: of several that of its kind.

    A file of format 1 is first made anew, in another process, since a damaged one of that format
    may end or stop the process that reads it.

    Raises
    ------
    MerecError
        If the file is missing, is no HDF5, damaged, of another kind or version, if an array is
        missing or has other axes than it should, or lies outside of the file.
    """
    what = "a store" if len(others) > 1 else f"a {spec.kind} file"
    if not path.is_file():
        msg = f"{path}: expected {what}, found no such file"
        raise MerecError(msg)
    with ExitStack() as stack:
        place = path
        if is_former(path):
            place = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "store.h5"
            log.info("%s: format 1, read by a process of its own; see merec convert", path)
            make_anew(path, place, spec.kind)
        file = stack.enter_context(_open(path, place, what))
        found = next((one for one in (spec, *others) if _is_of_kind(file, one)), None)
        if found is None and len(others) > 1:
            msg = f"{path}: a store expected, found an HDF5 file of another program"
            raise MerecError(msg)
        store = Store(path, found or spec, file)
        _check(store, place.stat().st_size)
        yield store


def _is_of_kind(file: h5py.File, spec: FileSpec) -> bool:
    with suppress(*DAMAGED):
        return _text(file.attrs["kind"]) == spec.kind
    return False


def _open(path: Path, place: Path, what: str) -> h5py.File:
    try:
        # Readers take no locks: shared filesystems often have none to give.
        return h5py.File(place, "r", locking=False)
    except DAMAGED:
        msg = f"{path}: expected {what}, found one that is not HDF5 or not complete"
        raise MerecError(msg) from None


def read_recorded(path: Path) -> dict[str, Any]:
    """Return the attributes that say how a file was made; none if it is missing or not ours."""
    texts: dict[str, str] = {}
    with suppress(*DAMAGED, MerecError):
        if is_former(path):
            texts = read_former_attributes(path)
        else:
            with h5py.File(path, "r", locking=False) as file:
                texts = {
                    name: _text(value)
                    for name, value in file.attrs.items()
                    if isinstance(value, str | bytes)
                }
    recorded = {}
    for name, text in texts.items():
        try:
            recorded[name] = json.loads(text)
        except ValueError:  # a plain text
            recorded[name] = text
    return recorded


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def _check(store: Store, n_bytes: int) -> None:
    try:
        _check_kind_of_file(store)
        lengths: dict[str, tuple[int, str]] = {}
        for array in store.spec.arrays:
            if _is_there(store, array):
                _check_dataset(store, array, n_bytes)
                _check_axes(store, array, lengths)
    except DAMAGED as error:
        msg = (
            f"{store.path}: an intact {store.spec.kind} file expected, found a damaged one "
            f"({told(error)})"
        )
        raise MerecError(msg) from None


def _check_kind_of_file(store: Store) -> None:
    path, spec, attributes = store.path, store.spec, store.file.attrs
    kind = attributes.get("kind")
    if kind is None or _text(kind) != spec.kind:
        found = None if kind is None else told(ValueError(_text(kind)))
        msg = f"{path}: a {spec.kind} file expected, found kind {found}"
        raise MerecError(msg)
    version = attributes.get("version")
    if version not in (spec.version, *spec.earlier):
        msg = (
            f"{path}: format version {spec.version} of {spec.kind} files expected, found "
            f"{version}; delete the file to have it made again"
        )
        raise MerecError(msg)
    if attributes.get("store_format") != FORMAT:
        msg = f"{path}: a store of format {FORMAT} expected, found {attributes.get('store_format')}"
        raise MerecError(msg)


def _is_there(store: Store, array: ArraySpec) -> bool:
    if array.since > store.version or (array.is_optional and array.name not in store):
        return False
    if array.name not in store:
        names = ", ".join(name for name in store.file if name != "entry")
        msg = f"{store.path}: array '{array.name}' expected, found {names}"
        raise MerecError(msg)
    return True


def _check_dataset(store: Store, array: ArraySpec, n_bytes: int) -> None:
    """Raise a ``MerecError`` if an array does not lie in the file, or not as it should."""
    for name in (array.name, *([sums_name(array.name)] if array.by_row else [])):
        if name not in store:
            msg = f"{store.path}: array '{name}' expected, found none"
            raise MerecError(msg)
        refuse_elsewhere(store.path, store.file, name)
        dataset = store.file[name]
        if name == array.name:
            _check_kind(store.path, dataset, array)
        refuse_larger(store.path, dataset, name, n_bytes)


def refuse_elsewhere(path: Path, file: h5py.File, name: str) -> None:
    """Raise a ``MerecError`` if an array, or a part of it, lies in another file."""
    link = file.get(name, getlink=True)
    if not isinstance(link, h5py.HardLink):
        msg = f"{path}:{name}: an array of the file itself expected, found a link"
        raise MerecError(msg)
    dataset = file[name]
    if isinstance(dataset, h5py.Dataset) and (dataset.external or dataset.is_virtual):
        msg = f"{path}:{name}: values in the file itself expected, found them in another file"
        raise MerecError(msg)


def refuse_larger(path: Path, dataset: h5py.Dataset, name: str, n_bytes: int) -> None:
    """Raise a ``MerecError`` if an array declares more values than the file can hold."""
    shape, itemsize = dataset.shape, dataset.dtype.itemsize
    kept = dataset.id.get_storage_size()
    declared = math.prod(shape) * itemsize
    is_whole = kept <= n_bytes
    if dataset.chunks is None:
        is_whole &= declared <= kept or declared == 0
    else:
        counts = [-(-length // chunk) for length, chunk in zip(shape, dataset.chunks, strict=True)]
        is_whole &= dataset.id.get_num_chunks() == math.prod(counts)
        in_chunks = math.prod(counts) * math.prod(dataset.chunks) * itemsize
        is_whole &= in_chunks <= _MOST_SHRUNK * kept
    if not is_whole:
        msg = (
            f"{path}:{name}: {declared} bytes of values expected, as declared {shape}, found "
            f"{kept} bytes in a file of {n_bytes}"
        )
        raise MerecError(msg)


def _check_kind(path: Path, dataset: h5py.Dataset | h5py.Group, array: ArraySpec) -> None:
    """Raise a ``MerecError`` if an array does not hold what it should."""
    found = kind_of(dataset)
    is_right = found in ("float", "integer") if array.kind == "number" else found == array.kind
    if not is_right:
        msg = f"{path}:{array.name}: {array.kind} expected, found {found}"
        raise MerecError(msg)


def kind_of(dataset: h5py.Dataset | h5py.Group) -> str:
    """Return what an array holds: 'float', 'integer', 'text', 'bits', or what is none of them."""
    if not isinstance(dataset, h5py.Dataset):
        return "a group"
    text = h5py.check_string_dtype(dataset.dtype)
    if text is not None:
        return "text" if text.length is not None else "text of variable length"
    if dataset.dtype == np.uint8 and "n_bits" in dataset.attrs:
        return "bits"
    return {"f": "float", "i": "integer", "u": "integer"}.get(dataset.dtype.kind, "other")


def _check_axes(store: Store, array: ArraySpec, lengths: dict[str, tuple[int, str]]) -> None:
    dataset = store.file[array.name]
    shape = tuple(dataset.shape)
    if array.kind == "bits":
        n_bits = int(dataset.attrs["n_bits"])
        if shape[-1:] != (-(-n_bits // 8),):
            msg = f"{store.path}:{array.name}: {n_bits} bits expected, found {shape} bytes"
            raise MerecError(msg)
        shape = (*shape[:-1], n_bits)
    if len(shape) != len(array.axes):
        msg = f"{store.path}:{array.name}: axes {array.axes} expected, found shape {shape}"
        raise MerecError(msg)
    for axis, length in zip(array.axes, shape, strict=True):
        known, elsewhere = lengths.setdefault(axis, (length, array.name))
        if length != known:
            msg = f"{store.path}:{array.name}: {length} along '{axis}', {known} in {elsewhere}"
            raise MerecError(msg)
    if array.by_row and store.length(sums_name(array.name)) != shape[0]:
        msg = f"{store.path}:{sums_name(array.name)}: {shape[0]} along '{array.axes[0]}' expected"
        raise MerecError(msg)

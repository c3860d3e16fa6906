"""Writes HDF5 files: nothing that could not be written, or is not read back, gets its name."""

import io
import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from importlib import metadata
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import DTypeLike, NDArray

from merec_hpc import __version__
from merec_hpc.errors import MerecError
from merec_hpc.files.atomic import published
from merec_hpc.store.layout import (
    FORMAT,
    LIBVER,
    checksum,
    kept_form,
    options,
    sums_name,
    write_text,
)
from merec_hpc.store.nexus import add_plots
from merec_hpc.store.reading import Store, opened_store
from merec_hpc.store.schema import ArraySpec, FileSpec


class Rows:
    """An array that is written, and will be read, row by row."""

    def __init__(self, dataset: h5py.Dataset) -> None:
        self._dataset = dataset
        self.sums: list[int] = []

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.sums)

    def append(self, rows: NDArray[Any]) -> None:
        """Write rows, (n, ...), behind those that are there."""
        kept = np.ascontiguousarray(rows, self._dataset.dtype)
        first = len(self.sums)
        self.sums += [checksum(row) for row in kept]
        self._dataset.resize(len(self.sums), axis=0)
        self._dataset[first:] = kept

    def cut(self, n_rows: int) -> None:
        """Forget all rows but the first ones."""
        del self.sums[n_rows:]
        self._dataset.resize(n_rows, axis=0)


class StoreWriter:
    """Takes the arrays of a file: row by row, or whole."""

    def __init__(self, file: h5py.File, spec: FileSpec) -> None:
        self._file, self._spec = file, spec
        self._rows: dict[str, Rows] = {}

    def rows(
        self,
        name: str,
        shape: tuple[int, ...],
        dtype: DTypeLike,
        *,
        chunks: tuple[int, ...] | None = None,
        gzip: int | None = None,
    ) -> Rows:
        """Begin an array of rows of that shape.

        Parameters
        ----------
        chunks
            Shape of a chunk of a row; without it a chunk is a row.
        gzip
            Level of compression; without it there is none.
        """
        packed = {} if gzip is None else {"compression": "gzip", "compression_opts": gzip}
        dataset = self._file.create_dataset(
            name,
            (0, *shape),
            dtype,
            maxshape=(None, *(length or None for length in shape)),
            chunks=(1, *(max(1, length) for length in chunks or shape)),
            fletcher32=True,
            shuffle=gzip is not None,
            **packed,
        )
        self._rows[name] = Rows(dataset)
        return self._rows[name]

    def write(self, arrays: Mapping[str, Any]) -> None:
        """Write the arrays that are not there yet, and say what each means."""
        for array in self._spec.arrays:
            if array.name in self._rows:
                self._end_rows(array)
            elif not (array.is_optional and arrays.get(array.name) is None):
                self._put(array, arrays[array.name])

    def _put(self, array: ArraySpec, values: Any) -> None:
        kept = kept_form(array, values)
        if array.by_row:
            rows = self.rows(array.name, kept.shape[1:], kept.dtype)
            rows.append(kept)
            self._end_rows(array)
            return
        # With the data, HDF5 would make the dtype of texts anew, without their encoding.
        dataset = self._file.create_dataset(
            array.name, kept.shape, kept.dtype, **options(kept, array)
        )
        dataset[...] = kept
        if array.kind == "bits":
            dataset.attrs["n_bits"] = np.shape(values)[-1]
        dataset.attrs["crc32"] = np.uint32(checksum(kept))
        self._describe(array)

    def _end_rows(self, array: ArraySpec) -> None:
        sums = np.array(self._rows[array.name].sums, np.uint32)
        name = sums_name(array.name)
        own = ArraySpec(name, array.axes[:1], "integer", f"CRC-32 of each row of {array.name}.")
        dataset = self._file.create_dataset(name, data=sums, **options(sums, own))
        dataset.attrs["crc32"] = np.uint32(checksum(sums))
        self._describe(own)
        self._describe(array)

    def _describe(self, array: ArraySpec) -> None:
        write_text(self._file[array.name], "axes", ", ".join(array.axes))
        write_text(self._file[array.name], "meaning", array.meaning)


class _Sink:
    """The file that HDF5 writes to. It keeps the first error, which HDF5 itself would swallow.

    HDF5 writes much of a file when an array or the file is closed, does not tell what failed then,
    and may crash afterwards. So it is told that all went well, and the error is raised later.
    """

    def __init__(self, file: io.RawIOBase) -> None:
        self.error: OSError | None = None
        self._file = file

    def write(self, data: Any) -> int:
        """Write at the place where the file stands."""
        left = memoryview(data)
        try:
            while left and self.error is None:
                left = left[self._file.write(left) :]
        except OSError as error:
            self.error = error
        return len(memoryview(data))

    def read(self, size: int = -1) -> bytes:
        """Read what was written: h5py knows a file by this."""
        return self._file.read(size) or b""

    def readinto(self, buffer: Any) -> int:
        """Read what was written; zeros beyond the end."""
        view = memoryview(buffer)
        n_read = self._file.readinto(view) or 0
        view[n_read:] = bytes(len(view) - n_read)
        return len(view)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a place."""
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """Return the place."""
        return self._file.tell()

    def truncate(self, size: int | None = None) -> int:
        """Make the file so long."""
        try:
            return self._file.truncate(size)
        except OSError as error:
            self.error = self.error or error
            return size or 0

    def flush(self) -> None:
        """Do nothing: there is no buffer."""

    def close(self) -> None:
        """Bring everything to the disk, and raise what went wrong."""
        with self._file:
            if self.error is None:
                os.fsync(self._file.fileno())
        if self.error is not None:
            raise self.error


def _new_file(path: Path) -> io.RawIOBase:
    return io.FileIO(path, "w+")


def write_store(
    path: Path, spec: FileSpec, arrays: Mapping[str, Any], attributes: Mapping[str, object]
) -> None:
    """Write the arrays of a file, and attributes as JSON; the name appears when all is written."""
    with written_store(path, spec, attributes) as writer:
        writer.write(arrays)


@contextmanager
def written_store(
    path: Path,
    spec: FileSpec,
    attributes: Mapping[str, object],
    *,
    version: int | None = None,
    software: Mapping[str, str] | None = None,
) -> Iterator[StoreWriter]:
    """Open a new file to write arrays to; its name appears when all is written and read back.

    Every file also carries its kind, its format version and the versions of the software
    that made it.

    Parameters
    ----------
    version, software
        Of a file that is written again; without them those of today.

    Raises
    ------
    MerecError
        If there is no room, or what was written is not what is read.
    """
    with published(path) as partial:
        sink = _Sink(_new_file(partial))
        try:
            with h5py.File(sink, "w", libver=LIBVER) as file:
                write_text(file, "kind", spec.kind)
                file.attrs["version"] = version or spec.version
                file.attrs["store_format"] = FORMAT
                write_text(
                    file, "software", json.dumps(_software() if software is None else software)
                )
                for name, value in attributes.items():
                    write_text(file, name, json.dumps(value, sort_keys=True))
                yield StoreWriter(file, spec)
                add_plots(file, spec.kind)
        except BaseException:
            with suppress(OSError):
                sink.close()
            if sink.error is not None:  # what was raised may follow from it
                raise sink.error from None
            raise
        sink.close()
        _read_back(path, partial, spec)


def _read_back(path: Path, partial: Path, spec: FileSpec) -> None:
    """Raise a ``MerecError`` if a new file does not hold what was written."""
    try:
        with opened_store(partial, spec) as store:
            _read_all(store)
    except MerecError as error:
        told = str(error).removeprefix(str(partial)).lstrip(": ")
        msg = f"{path}: what was written expected when it is read back ({told})"
        raise MerecError(msg) from None


def _read_all(store: Store) -> None:
    for array in store.spec.arrays:
        if array.name not in store:
            continue
        if array.by_row:
            for _ in store.rows(array.name):
                pass
        else:
            store.array(array.name)


def try_folder(folder: Path) -> str:
    """Write and read a small file there, and return the version of HDF5.

    Raises
    ------
    OSError
        If that cannot be, for want of rights or of file locks.
    """
    with tempfile.TemporaryDirectory(dir=folder) as inside:
        path = Path(inside) / "try.h5"
        with h5py.File(path, "w") as file:
            file["try"] = np.arange(3)
        with h5py.File(path, "r") as file, h5py.File(path, "r"):
            assert file["try"][2] == 2
    return f"{h5py.version.hdf5_version}, h5py {h5py.version.version}"


def _software() -> dict[str, str]:
    found = {"merec_hpc": __version__}
    # Of OpenCV's packages one is there: that with contributed modules takes the other's place.
    opencv = ("opencv-python-headless", "opencv-contrib-python-headless")
    for name in ("numpy", "scipy", "torch", "torchvision", *opencv, "numba"):
        with suppress(PackageNotFoundError):
            found[name] = metadata.version(name)
    return found

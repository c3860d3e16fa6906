"""Writes ``docs/data_formats.md`` from the specifications that the code reads and writes by."""

from pathlib import Path

from merec_hpc.store.schema import describe_formats

HEADER = """# Data formats

Written by `make docs` from `merec_hpc/store/schema.py`.

Every HDF5 file carries the attributes `kind`, `version` (of its format), `software` (JSON: the
versions that made it) and those of its stage, as JSON: `settings` and `weights_sha256`;
features have the digests of the catalog, of the audit and of each subject's faces (`catalog_sha256`, `audit_sha256`, `faces_sha256`); a selection has `method`, `fold`, `seed`, `settings` and `scaling`. Arrays carry their `axes` and
their `meaning`. "bits" are booleans packed along the last axis, most significant bit first,
whose number is the attribute `n_bits`: `numpy.unpackbits(array, axis=-1, count=n_bits)`.

Axes of one name have one length in a file.

Files are of format 2 (attribute `store_format`): HDF5 1.10 or later, whose metadata have checksums of
their own; texts in UTF-8 of a fixed length; every array in chunks with Fletcher's checksum, texts,
bits and integers with gzip and shuffle. `crc32`, an attribute of each array, is the CRC-32 of its
values as they are kept (`zlib.crc32(array.tobytes())`); an array that is read row by row has
`NAME_crc32` beside it instead, one number a row. A file is written whole, read back and
synced before it gets its name. What is damaged is refused in one line; so are links and values that
lie in other files, and arrays that declare more than the file can hold.

`entry` is for viewers (NeXus, as h5web and silx read it): what to plot, by hard links to the
arrays, and masks unpacked.

Files of format 1, which had none of these, are read by a process of its own, since a damaged one can stop
its reader for ever. `merec convert --store FILE --output FILE` makes one of format 2 of it. A view knows its
stores by their bytes: join them again after they are converted.

"""

if __name__ == "__main__":
    text = HEADER + describe_formats().rstrip() + "\n"
    Path(__file__).with_name("data_formats.md").write_text(text, encoding="utf-8")

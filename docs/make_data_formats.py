"""Writes ``docs/data_formats.md`` from the specifications that the code reads and writes by."""

from pathlib import Path

from merec_hpc.store.schema import describe_formats

HEADER = """# Data formats

Written by `make docs` from `merec_hpc/store/schema.py`.

Every HDF5 file carries the attributes `kind`, `version` (of its format), `software` (JSON: the
versions that made it) and those of its stage, as JSON: `settings` and `weights_sha256`; a
selection has `method`, `fold`, `seed`, `settings` and `scaling`. Arrays carry their `axes` and
their `meaning`. "bits" are booleans packed along the last axis, most significant bit first,
whose number is the attribute `n_bits`: `numpy.unpackbits(array, axis=-1, count=n_bits)`.

Axes of one name have one length in a file.

"""

if __name__ == "__main__":
    text = HEADER + describe_formats().rstrip() + "\n"
    Path(__file__).with_name("data_formats.md").write_text(text, encoding="utf-8")

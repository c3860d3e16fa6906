"""One module for each dataset as it was released: its folder becomes a listing.

A module has a ``READER``; the section of its settings is in ``config.datasets``.
"""

from importlib import import_module

from merec_hpc.dataset.listing import Reader

_ROOM = "merec_hpc.dataset.readers"

READERS: dict[str, str] = {
    name: f"{_ROOM}.{name}"
    for name in (
        "simulated",
        "smic",
        "casme",
        "casme2",
        "samm",
        "casme_sq",
        "casme3",
        "mmew",
        "ckplus",
        "fer2013",
        "rafdb",
        "jaffe",
        "sfew",
        "cmu_faces",
        "megc2019",
        "manifest",
    )
}
"""The module of each dataset's reader, imported when it is used."""


def find_reader(name: str) -> Reader:
    """Return the reader of a dataset."""
    reader: Reader = import_module(READERS[name]).READER
    return reader

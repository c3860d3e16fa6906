"""Checks the archives that torch saves, which torch is built not to do.

torch takes a flipped bit of a weight, and where a size in the archive's directory is damaged it gives
back what happens to be in memory. Every part says its size and checksum twice, in the directory and
behind its data: both are compared here, and with the data.
"""

import io
import struct
import zipfile
import zlib
from collections.abc import Iterator

from merec_hpc.networks.unreadable import UnreadableError

SIGNATURE = b"PK\x03\x04"
_HEADER = struct.Struct("<4s5H3I2H")
_END = struct.Struct("<4s4H2IH")  # of the directory: how many parts it has, and what follows
_MANY = 0xFFFF  # stands for more parts than two bytes hold
_BEHIND = 8  # the flag of sizes that stand behind the data
_DESCRIPTOR = b"PK\x07\x08"
_LARGE = 0xFFFFFFFF  # stands for a size of more than four bytes


def checked_archive(content: bytes) -> bytes:
    """Return an archive of the same parts, made anew of what was checked.

    Raises
    ------
    UnreadableError
        If a part is damaged, compressed, or there twice.
    """
    made = io.BytesIO()
    try:
        with (
            zipfile.ZipFile(io.BytesIO(content)) as archive,
            zipfile.ZipFile(made, "w", zipfile.ZIP_STORED) as copy,
        ):
            for name, data in _parts(content, archive):
                copy.writestr(zipfile.ZipInfo(name), data)
    # Python's reader raises these and others on damaged directories.
    except (
        zipfile.BadZipFile,
        struct.error,
        EOFError,
        OSError,
        NotImplementedError,
        RuntimeError,
        UnicodeError,
        OverflowError,
    ) as error:
        msg = f"a damaged archive ({type(error).__name__})"
        raise UnreadableError(msg) from None
    return made.getvalue()


def _parts(content: bytes, archive: zipfile.ZipFile) -> Iterator[tuple[str, memoryview]]:
    names: set[str] = set()
    *_, n_parts, _, _, n_comment = _END.unpack(content[-_END.size :])
    if n_comment or n_parts not in {len(archive.infolist()), _MANY}:
        msg = "a damaged archive: its directory ends early"
        raise UnreadableError(msg)
    for part in archive.infolist():
        if part.compress_type != zipfile.ZIP_STORED or part.compress_size != part.file_size:
            msg = "an archive with compressed parts, which torch does not write, or damaged"
            raise UnreadableError(msg)
        if part.filename in names:
            msg = f"an archive with '{part.filename[:40]!a}' twice"
            raise UnreadableError(msg)
        names.add(part.filename)
        first = _data_of(content, part)
        data = memoryview(content)[first : first + part.file_size]
        if len(data) != part.file_size or zlib.crc32(data) != part.CRC:
            msg = "a damaged archive: the checksum of a part is another"
            raise UnreadableError(msg)
        yield part.filename, data


def _data_of(content: bytes, part: zipfile.ZipInfo) -> int:
    """Return where a part's data begin; raise if it says another size there, or behind them."""
    head = _HEADER.unpack_from(content, part.header_offset)
    signature, _, flags, _, _, _, *said, n_name, n_extra = head
    place: int = part.header_offset + _HEADER.size
    name = content[place : place + n_name]
    first = place + int(n_name) + int(n_extra)
    expected = [part.CRC, part.compress_size, part.file_size]
    is_same = said in (expected, [part.CRC, _LARGE, _LARGE])
    if flags & _BEHIND:
        end = first + part.file_size
        is_same = any(
            content[end : end + size] == _DESCRIPTOR + struct.pack(kind, *expected)
            for kind, size in (("<III", 16), ("<IQQ", 24))
            if size == 24 or max(expected) <= _LARGE
        )
    if signature != SIGNATURE or name != part.orig_filename.encode() or not is_same:
        msg = "a damaged archive: a part says two sizes, names or checksums"
        raise UnreadableError(msg)
    return first

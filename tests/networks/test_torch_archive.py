"""Archives of torch, damaged in every bit."""

import io
import zipfile

import pytest
import torch

from merec_hpc.networks.torch_archive import checked_archive
from merec_hpc.networks.unreadable import UnreadableError

STATE = {"first": torch.arange(5.0), "second": torch.tensor([7, 8])}


@pytest.fixture(scope="module")
def whole() -> bytes:
    file = io.BytesIO()
    torch.save(STATE, file)
    return file.getvalue()


def parts_of(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_parts_are_the_same_and_torch_reads_them(whole: bytes) -> None:
    checked = checked_archive(whole)
    assert parts_of(checked) == parts_of(whole)
    loaded = torch.load(io.BytesIO(checked), weights_only=True)
    assert all(torch.equal(loaded[name], values) for name, values in STATE.items())


def test_flipped_bits_are_refused_or_change_no_part(whole: bytes) -> None:
    """Every bit of the file."""
    plain, n_refused = parts_of(whole), 0
    for bit in range(8 * len(whole)):
        damaged = bytearray(whole)
        damaged[bit // 8] ^= 1 << bit % 8
        try:
            checked = checked_archive(bytes(damaged))
        except UnreadableError as error:
            n_refused += "\n" not in str(error)
        else:
            assert parts_of(checked) == plain
    assert n_refused > 1000


@pytest.mark.parametrize("n_zeros", [1, 4, 12, 40])
def test_zeros_are_refused_or_change_no_part(whole: bytes, n_zeros: int) -> None:
    """A size and a checksum of zero fit an empty part; what stands behind the data does not."""
    plain = parts_of(whole)
    for place in range(len(whole) - n_zeros):
        damaged = whole[:place] + bytes(n_zeros) + whole[place + n_zeros :]
        try:
            checked = checked_archive(damaged)
        except UnreadableError:
            continue
        assert parts_of(checked) == plain


def test_archive_that_ends_early_is_refused(whole: bytes) -> None:
    for n_bytes in range(0, len(whole), 7):
        with pytest.raises(UnreadableError):
            checked_archive(whole[:n_bytes])


def test_archive_of_python_itself_is_read() -> None:
    """Its sizes stand before the data."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as made:
        made.writestr("a/data", b"content")
    assert parts_of(checked_archive(file.getvalue())) == {"a/data": b"content"}


def test_compressed_parts_are_not_unpacked() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("a/data", bytes(1000))
    with pytest.raises(UnreadableError, match="compressed parts"):
        checked_archive(file.getvalue())

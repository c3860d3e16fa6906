import math

import h5py
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from merec_hpc.store.layout import CHUNK_BYTES, checksum, kept_form, options
from merec_hpc.store.schema import ArraySpec

TEXTS = ArraySpec("names", ("feature",), "text", "")
VALUES = ArraySpec("values", ("clip", "feature"), "float", "")


@given(st.lists(st.integers(0, 20_000), min_size=1, max_size=3), st.sampled_from([1, 2, 4, 8]))
def test_chunks_fit_the_array_and_are_never_large(shape: list[int], itemsize: int) -> None:
    kept = np.lib.stride_tricks.as_strided(np.zeros(1, f"V{itemsize}"), shape, [0] * len(shape))
    chunks = options(kept, VALUES)["chunks"]
    assert all(1 <= chunk <= max(1, length) for chunk, length in zip(chunks, shape, strict=True))
    assert math.prod(chunks) * itemsize <= CHUNK_BYTES


def test_rows_and_columns_are_both_read_in_few_chunks() -> None:
    """A row of VGG-F's features of CASME II, and a column, each without most of the file."""
    kept = np.zeros((246, 18432), np.float32)
    rows, columns = options(kept, VALUES)["chunks"]
    of_a_row = rows * columns * math.ceil(18432 / columns)
    of_a_column = rows * columns * math.ceil(246 / rows)
    assert of_a_row <= kept.size / 3
    assert of_a_column <= kept.size / 30


def test_texts_have_one_length_and_no_zero_byte() -> None:
    kept = kept_form(TEXTS, np.array(["a", "pö", ""]))
    assert kept.dtype.itemsize == 3
    assert h5py.check_string_dtype(kept.dtype).encoding == "utf-8"
    with pytest.raises(ValueError, match="NULL"):
        kept_form(TEXTS, ["a\0b"])


def test_a_checksum_is_of_every_byte() -> None:
    values = np.arange(12.0).reshape(3, 4)
    assert checksum(values) == checksum(values.copy(order="F"))
    for place in range(12):
        changed = values.copy()
        changed.flat[place] = -1
        assert checksum(changed) != checksum(values)

"""Memory of a process is in MB."""

import numpy as np

from merec_hpc.parallel.memory import peak_memory_mb


def test_the_peak_grows_by_what_is_used() -> None:
    before = peak_memory_mb()
    size_mb = int(before) + 50  # more than whatever was freed
    assert np.ones(size_mb * 2**17).sum() > 0
    assert 20 < peak_memory_mb() - before < 1.2 * size_mb

"""Tells how much memory a process has used: of MPI ranks Snakemake sees nothing."""

import resource
import sys


def peak_memory_mb() -> float:
    """Return the largest resident memory of this process so far, in MB; shared memory counts."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)

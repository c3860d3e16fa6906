"""Tells what an MPI launcher says to the processes that it starts; needs no library."""

import os

RANK_VARIABLES = ("PMI_RANK", "PMIX_RANK", "OMPI_COMM_WORLD_RANK", "MV2_COMM_WORLD_RANK")


def launched_rank() -> int | None:
    """Return the rank that an MPI launcher gave this process, ``None`` without a launcher."""
    return next((int(os.environ[name]) for name in RANK_VARIABLES if name in os.environ), None)

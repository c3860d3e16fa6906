"""A group of MPI processes: the only import of mpi4py."""

import os
from typing import Any, TypeVar

from merec_hpc.errors import MerecError
from merec_hpc.parallel.communicator import Communicator, SerialCommunicator

Item = TypeVar("Item")

# What launchers tell the processes that they start.
_RANK_VARIABLES = ("PMI_RANK", "PMIX_RANK", "OMPI_COMM_WORLD_RANK", "MV2_COMM_WORLD_RANK")


class MpiCommunicator:
    """A group of processes that ``mpiexec`` or ``srun`` started."""

    def __init__(self, communicator: Any) -> None:
        self._communicator = communicator
        self.rank: int = communicator.Get_rank()
        self.size: int = communicator.Get_size()

    def allgather(self, item: Item) -> list[Item]:
        """Return the items of all ranks, in rank order, on every rank."""
        gathered: list[Item] = self._communicator.allgather(item)
        return gathered


def launched_rank() -> int | None:
    """Return the rank that an MPI launcher gave this process, ``None`` without a launcher."""
    return next((int(os.environ[name]) for name in _RANK_VARIABLES if name in os.environ), None)


def connect(n_ranks: int) -> Communicator:
    """Return the group of processes that this one belongs to.

    Raises
    ------
    MerecError
        If MPI started another number of processes than ``n_ranks``: with a launcher that
        does not fit the MPI library each process would believe to be alone and write the
        same file.
    """
    if n_ranks == 1 and launched_rank() is None:
        return SerialCommunicator()
    from mpi4py import MPI  # noqa: PLC0415  # importing it starts MPI

    group = MpiCommunicator(MPI.COMM_WORLD)
    if group.size != n_ranks:
        msg = (
            f"{n_ranks} rank(s) expected (--ranks), found {group.size}: start the command with "
            f"'mpiexec -n {n_ranks} python -m mpi4py -m merec_hpc ...', with the mpiexec of "
            "the MPI library that mpi4py uses"
        )
        raise MerecError(msg)
    return group

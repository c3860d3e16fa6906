"""A group of MPI processes: the only import of mpi4py."""

from collections.abc import Callable, Sequence
from typing import Any, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from merec_hpc.errors import MerecError
from merec_hpc.parallel.communicator import Communicator, SerialCommunicator
from merec_hpc.parallel.launcher import launched_rank

Item = TypeVar("Item")


class MpiCommunicator:
    """A group of processes that ``mpiexec`` or ``srun`` started."""

    def __init__(self, communicator: Any) -> None:
        self._communicator = communicator
        self.rank: int = communicator.Get_rank()
        self.size: int = communicator.Get_size()
        self._node: Any = None
        self._windows: list[Any] = []

    def allgather(self, item: Item) -> list[Item]:
        """Return the items of all ranks, in rank order, on every rank."""
        gathered: list[Item] = self._communicator.allgather(item)
        return gathered

    def exchange(self, items: Sequence[Item]) -> list[Item]:
        """Send one item to each rank, and return what each rank sent here."""
        received: list[Item] = self._communicator.alltoall(items)
        return received

    def reduce(self, item: Item, join: Callable[[Item, Item], Item]) -> Item:
        """Return the items of all ranks, joined in rank order, on every rank."""
        joined: Item = self._communicator.allreduce(item, op=join)
        return joined

    def split(self, group: int) -> Communicator:
        """Return the group of those ranks that name the same number, in the same order."""
        return MpiCommunicator(self._communicator.Split(group, self.rank))

    def shared(self, make: Callable[[], NDArray[Any]]) -> NDArray[Any]:
        """Return an array that the first rank of each node makes in memory that all see."""
        from mpi4py import MPI  # noqa: PLC0415  # importing it starts MPI

        if self._node is None:
            self._node = self._communicator.Split_type(MPI.COMM_TYPE_SHARED)
        made = make() if self._node.Get_rank() == 0 else None
        form = None if made is None else (made.shape, made.dtype.str, made.flags.f_contiguous)
        shape, dtype, by_column = self._node.bcast(form)
        n_bytes = int(np.prod(shape)) * np.dtype(dtype).itemsize
        window = MPI.Win.Allocate_shared(
            0 if made is None else n_bytes, np.dtype(dtype).itemsize, comm=self._node
        )
        self._windows.append(window)
        memory: Any = window.Shared_query(0)[0]
        order: Literal["F", "C"] = "F" if by_column else "C"
        array: NDArray[Any] = np.ndarray(shape, dtype, memoryview(memory), order=order)
        if made is not None:
            array[...] = made
        self._node.Barrier()
        return array

    def release(self, n_kept: int = 0) -> None:
        """Free all but the first windows, together with all ranks of the node."""
        while len(self._windows) > n_kept:
            self._windows.pop().Free()


def library_version() -> str:
    """Return the name and version of the MPI library; nothing is started.

    Raises
    ------
    ImportError, RuntimeError
        If there is none that mpi4py can load.
    """
    import mpi4py  # noqa: PLC0415  # MPI must not be started

    mpi4py.rc.initialize = False
    from mpi4py import MPI  # noqa: PLC0415  # as above

    version: str = MPI.Get_library_version()
    return version.splitlines()[0].strip(" \0")


def connect(n_ranks: int) -> Communicator:
    """Return the group of processes that this one belongs to.

    Raises
    ------
    MerecError
        If MPI started another number of processes than ``n_ranks``: with a launcher that
        does not fit the MPI library each process believes it is alone, and all would write the
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

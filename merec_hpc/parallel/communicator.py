"""A group of equal processes, and the group of one."""

from typing import Protocol, TypeVar

Item = TypeVar("Item")


class Communicator(Protocol):
    """A group of equal processes that meet at every collective call."""

    @property
    def rank(self) -> int:
        """Number of this process, from 0."""
        ...

    @property
    def size(self) -> int:
        """Number of processes."""
        ...

    def allgather(self, item: Item) -> list[Item]:
        """Return the items of all ranks, in rank order, on every rank."""
        ...


class SerialCommunicator:
    """A group of one: works without MPI, and is the reference in tests."""

    rank = 0
    size = 1

    def allgather(self, item: Item) -> list[Item]:
        """Return the only item."""
        return [item]

"""A group of equal processes, and the group of one."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeVar

from numpy.typing import NDArray

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

    def exchange(self, items: Sequence[Item]) -> list[Item]:
        """Send one item to each rank, and return what each rank sent here."""
        ...

    def reduce(self, item: Item, join: Callable[[Item, Item], Item]) -> Item:
        """Return the items of all ranks, joined in rank order, on every rank."""
        ...

    def split(self, group: int) -> "Communicator":
        """Return the group of those ranks that name the same number, in the same order."""
        ...

    def shared(self, make: Callable[[], NDArray[Any]]) -> NDArray[Any]:
        """Return an array that is made, and kept, once for all ranks of a node."""
        ...

    def release(self, n_kept: int = 0) -> None:
        """Give back the memory of all but the first shared arrays, which nobody uses any more."""
        ...


class SerialCommunicator:
    """A group of one: works without MPI, and is the reference in tests."""

    rank = 0
    size = 1

    def allgather(self, item: Item) -> list[Item]:
        """Return the only item."""
        return [item]

    def exchange(self, items: Sequence[Item]) -> list[Item]:
        """Return the only item."""
        return list(items)

    def reduce(self, item: Item, join: Callable[[Item, Item], Item]) -> Item:  # noqa: ARG002
        """Return the item."""
        return item

    def split(self, group: int) -> Communicator:  # noqa: ARG002
        """Return the group itself."""
        return self

    def shared(self, make: Callable[[], NDArray[Any]]) -> NDArray[Any]:
        """Return the array."""
        return make()

    def release(self, n_kept: int = 0) -> None:
        """Do nothing: memory that nobody uses is given back by itself."""

"""A group of ranks made of threads that meet at a barrier: many ranks without MPI."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import reduce
from threading import Barrier, BrokenBarrierError
from typing import Any, TypeVar

from numpy.typing import NDArray

from merec_hpc.parallel.communicator import Communicator

Item = TypeVar("Item")

TIMEOUT_S = 120  # ends a test in which one rank calls and another does not


class ThreadCommunicator:
    """One rank; all ranks of a group share its slots and its barrier."""

    def __init__(self, rank: int, slots: list[Any], meet: Barrier) -> None:
        self.rank = rank
        self.size = len(slots)
        self._slots = slots
        self._meet = meet

    def allgather(self, item: Item) -> list[Item]:
        self._slots[self.rank] = item
        self._meet.wait()
        items = list(self._slots)
        self._meet.wait()  # nobody overwrites a slot before all have read
        return items

    def exchange(self, items: Sequence[Item]) -> list[Item]:
        return [sent[self.rank] for sent in self.allgather(list(items))]

    def reduce(self, item: Item, join: Callable[[Item, Item], Item]) -> Item:
        return reduce(join, self.allgather(item))

    def split(self, group: int) -> Communicator:
        groups = self.allgather(group)
        ranks = [rank for rank, other in enumerate(groups) if other == group]
        is_first = ranks[0] == self.rank
        meeting = ([None] * len(ranks), Barrier(len(ranks), timeout=TIMEOUT_S))
        slots, meet = self.allgather(meeting if is_first else None)[ranks[0]]  # type: ignore[misc]
        return ThreadCommunicator(ranks.index(self.rank), slots, meet)

    def shared(self, make: Callable[[], NDArray[Any]]) -> NDArray[Any]:
        return self.allgather(make() if self.rank == 0 else None)[0]

    def release(self, n_kept: int = 0) -> None:
        pass


def run_ranks(n_ranks: int, work: Callable[[Communicator], Item]) -> list[Item]:
    """Return what ``work`` returned on each rank; an error of one rank ends all of them."""
    slots: list[Any] = [None] * n_ranks
    meet = Barrier(n_ranks, timeout=TIMEOUT_S)

    def run(rank: int) -> Item:
        try:
            return work(ThreadCommunicator(rank, slots, meet))
        except BaseException:
            meet.abort()
            raise

    with ThreadPoolExecutor(n_ranks) as pool:
        futures = [pool.submit(run, rank) for rank in range(n_ranks)]
    errors = [error for error in (future.exception() for future in futures) if error is not None]
    # The others only report that the group broke.
    errors.sort(key=lambda error: isinstance(error, BrokenBarrierError))
    if errors:
        raise errors[0]
    return [future.result() for future in futures]

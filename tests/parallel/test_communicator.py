"""What every group of ranks promises, for one rank and for threads."""

import pytest
from parallel.threads import run_ranks

from merec_hpc.parallel.communicator import Communicator, SerialCommunicator


def test_a_group_of_one_gathers_its_own_item() -> None:
    comm = SerialCommunicator()
    assert (comm.rank, comm.size) == (0, 1)
    assert comm.allgather("item") == ["item"]
    assert comm.exchange(["item"]) == ["item"]
    assert comm.reduce("item", str.__add__) == "item"
    assert comm.split(3).allgather("item") == ["item"]


@pytest.mark.parametrize("n_ranks", [1, 2, 5])
def test_every_rank_receives_all_items_in_rank_order(n_ranks: int) -> None:
    gathered = run_ranks(n_ranks, lambda comm: comm.allgather((comm.rank, comm.size)))
    assert gathered == [[(rank, n_ranks) for rank in range(n_ranks)]] * n_ranks


@pytest.mark.parametrize("n_ranks", [1, 2, 5])
def test_every_rank_receives_what_each_sent_to_it(n_ranks: int) -> None:
    def work(comm: Communicator) -> list[str]:
        return comm.exchange([f"{comm.rank} to {other}" for other in range(comm.size)])

    expected = [[f"{sender} to {rank}" for sender in range(n_ranks)] for rank in range(n_ranks)]
    assert run_ranks(n_ranks, work) == expected


@pytest.mark.parametrize("n_ranks", [1, 2, 5, 7])
def test_a_fold_joins_in_rank_order(n_ranks: int) -> None:
    folded = run_ranks(n_ranks, lambda comm: comm.reduce(str(comm.rank), str.__add__))
    assert folded == ["0123456"[:n_ranks]] * n_ranks


def test_a_split_group_is_a_group_of_its_own() -> None:
    def work(comm: Communicator) -> tuple[int, list[int]]:
        part = comm.split(comm.rank % 2)
        return part.rank, part.allgather(comm.rank)

    odd, even = [1, 3], [0, 2, 4]
    assert run_ranks(5, work) == [(0, even), (0, odd), (1, even), (1, odd), (2, even)]


def test_successive_calls_do_not_mix() -> None:
    def work(comm: Communicator) -> list[list[int]]:
        return [comm.allgather(10 * turn + comm.rank) for turn in range(50)]

    expected = [[10 * turn, 10 * turn + 1, 10 * turn + 2] for turn in range(50)]
    assert run_ranks(3, work) == [expected] * 3


def test_a_failing_rank_of_threads_ends_the_others() -> None:
    def work(comm: Communicator) -> list[int]:
        if comm.rank == 1:
            message = "rank 1 failed"
            raise ValueError(message)
        return comm.allgather(comm.rank)

    with pytest.raises(ValueError, match="rank 1 failed"):
        run_ranks(3, work)

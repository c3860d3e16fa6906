"""Islands shared out among teams of ranks: the same result, whoever breeds them."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from parallel.threads import run_ranks
from selection.genetic.test_archipelago import SETTINGS, TWO, OneMax, contents, search

from merec_hpc.config.selection import GeneticSettings
from merec_hpc.errors import InterruptedSearchError
from merec_hpc.parallel.communicator import Communicator
from merec_hpc.parallel.signals import StopRequest
from merec_hpc.records import History, SearchState, Selection
from merec_hpc.selection.genetic.archipelago import evolve
from merec_hpc.selection.genetic.teams import share_out
from merec_hpc.store.checkpoint import Checkpoints, pack_state

MANY = replace(SETTINGS, n_islands=12, n_generations=4, migration_interval=1)


@given(st.integers(1, 200), st.integers(1, 200))
def test_every_island_and_every_rank_is_in_one_team_in_order(n_islands: int, n_ranks: int) -> None:
    teams = share_out(n_islands, n_ranks)
    assert [island for team in teams for island in team.islands] == list(range(n_islands))
    assert [rank for team in teams for rank in team.ranks] == list(range(n_ranks))
    assert all(team.islands and team.ranks for team in teams)


@pytest.mark.parametrize(
    ("n_islands", "n_ranks", "n_teams"),
    [(4, 1, 1), (4, 2, 1), (4, 3, 1), (1, 64, 1), (12, 6, 6), (6, 12, 6), (4096, 4096, 4096)],
)
def test_many_islands_are_spread_and_few_are_bred_by_all(
    n_islands: int, n_ranks: int, n_teams: int
) -> None:
    assert len(share_out(n_islands, n_ranks)) == n_teams


@pytest.mark.parametrize("n_ranks", [6, 24])
@pytest.mark.parametrize("topology", ["ring", "torus", "full", "custom"])
def test_the_first_rank_returns_what_one_rank_alone_would(topology: Any, n_ranks: int) -> None:
    edges = ((0, 7), (11, 2), (3, 7)) if topology == "custom" else ()
    n_emigrants = 1 if topology != "full" else 0
    settings = replace(
        MANY, topology=topology, edges=edges, n_emigrants=n_emigrants, n_individuals=10
    )
    assert len(share_out(12, n_ranks)) > 1
    alone = search(settings)
    first, *others = run_ranks(n_ranks, lambda comm: evolve(OneMax(), settings, comm))
    assert contents(first) == contents(alone)
    for selection in others:  # all but the last population
        assert contents(replace(selection, last=alone.last)) == contents(alone)
        assert len(selection.last.C) < len(alone.last.C)


@pytest.mark.parametrize("n_ranks", [6, 24])
def test_the_first_rank_returns_the_front_that_one_rank_alone_would(n_ranks: int) -> None:
    settings = replace(MANY, objectives=TWO)
    alone = search(settings)
    first, *others = run_ranks(n_ranks, lambda comm: evolve(OneMax(), settings, comm))
    assert contents(first) == contents(alone)
    for selection in others:  # of the whole archipelago: the champion and all that led to it
        known = replace(selection, last=alone.last, front=alone.front)
        assert contents(known) == contents(alone)


@pytest.mark.parametrize("objectives", [("fitness",), TWO])
def test_islands_of_many_teams_go_on_after_an_end(tmp_path: Path, objectives: Any) -> None:
    settings = replace(MANY, objectives=objectives)
    alone = contents(search(settings))

    def stopped_then_resumed(comm: Communicator) -> Selection:
        stop = StopRequest()

        def ask(history: History) -> None:
            if len(history.best_fitness) == 3:
                stop.note(15, None)

        checkpoints = Checkpoints(tmp_path / "checkpoint", "key", interval=100)
        with pytest.raises(InterruptedSearchError):
            evolve(OneMax(), settings, comm, checkpoints, stop, ask)
        return evolve(OneMax(), settings, comm, checkpoints)

    assert contents(run_ranks(6, stopped_then_resumed)[0]) == alone


def checkpoint_of(settings: GeneticSettings, n_ranks: int, path: Path) -> bytes:
    """Return the last checkpoint that so many ranks write."""
    checkpoints = Checkpoints(path, "key", interval=2)
    run_ranks(n_ranks, lambda comm: evolve(OneMax(), settings, comm, checkpoints))
    state = checkpoints.load()
    assert isinstance(state, SearchState)
    return pack_state(state)


def test_a_checkpoint_does_not_tell_how_many_ranks_wrote_it(tmp_path: Path) -> None:
    alone = checkpoint_of(MANY, 1, tmp_path / "one")
    assert checkpoint_of(MANY, 6, tmp_path / "six") == alone


def test_only_neighbours_are_written_to() -> None:
    sent: list[int] = []

    def counting(comm: Communicator) -> Selection:
        former = comm.exchange

        def exchange(items: Any) -> Any:
            if items and isinstance(items[0], dict):
                sent.append(sum(bool(item) for item in items))
            return former(items)

        comm.exchange = exchange  # type: ignore[method-assign]
        return evolve(OneMax(), MANY, comm)

    run_ranks(6, counting)
    # Two islands a team on a ring: one arrives from the team before, one stays.
    assert sent == [2] * len(sent)
    assert sent

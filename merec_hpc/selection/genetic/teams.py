"""Shares islands out among teams of ranks, and carries what passes between teams."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from merec_hpc.parallel.communicator import Communicator
from merec_hpc.records import PackedPopulation, Population, SearchState
from merec_hpc.selection.genetic.hall_of_fame import admit
from merec_hpc.store.checkpoint import pack_state, unpack_state

Item = TypeVar("Item")

# What the choice weighs, in evaluations of a mask; it changes speed only. Breeding was measured
# at 0.02 ms a child against 0.35 ms an evaluation (docs/speed.md).
_BREEDING = 0.06
# Islands differ in what their masks cost: a team waits for the slowest.
_IMBALANCE = 0.2


@dataclass(frozen=True)
class Team:
    """Ranks that breed the same islands, all alike, and share out the evaluation."""

    islands: range
    ranks: range


def share_out(n_islands: int, n_ranks: int) -> list[Team]:
    """Return the teams, in the order of islands and of ranks; every rank is in one.

    Few islands are bred by all ranks alike, which balances best: only fitness travels then.
    Many islands are spread, since breeding does not get faster by being repeated.
    """
    n_teams = min(
        range(1, min(n_islands, n_ranks) + 1), key=lambda count: _cost(n_islands, n_ranks, count)
    )

    def part(total: int, team: int) -> range:
        return range(team * total // n_teams, (team + 1) * total // n_teams)

    return [Team(part(n_islands, team), part(n_ranks, team)) for team in range(n_teams)]


def _cost(n_islands: int, n_ranks: int, n_teams: int) -> float:
    """Return what a generation costs the slowest team, relative to an evaluated island."""
    most_islands, fewest_ranks = -(-n_islands // n_teams), n_ranks // n_teams
    waiting = 1.0 + _IMBALANCE * (n_teams > 1)
    return waiting * most_islands * (_BREEDING + 1 / fewest_ranks)


class Teams:
    """All teams as one of their ranks sees them."""

    def __init__(self, comm: Communicator, n_islands: int) -> None:
        self._comm = comm
        self._teams = share_out(n_islands, comm.size)
        number = next(place for place, team in enumerate(self._teams) if comm.rank in team.ranks)
        self.islands = self._teams[number].islands
        """Those that the rank's team breeds."""
        self.ranks = comm if self._is_one else comm.split(number)
        """The rank's team."""

    @property
    def _is_one(self) -> bool:
        return len(self._teams) == 1

    @property
    def _speaks(self) -> bool:
        """Whether this rank is the one that speaks for its team."""
        return self.ranks.rank == 0

    def joined_hall(self, hall: Population, size: int, *, prefers_few: bool = False) -> Population:
        """Return the best distinct individuals of all teams' halls of fame, see ``admit``."""
        if self._is_one:
            return hall

        def join(former: PackedPopulation, later: PackedPopulation) -> PackedPopulation:
            joined = admit(former.unpacked(), later.unpacked(), size, prefers_few=prefers_few)
            return PackedPopulation.of(joined)

        return self._comm.reduce(PackedPopulation.of(hall), join).unpacked()

    def gathered(self, own: Sequence[Item]) -> list[Item]:
        """Return what each island has to say, in the order of the islands; small things."""
        if self._is_one:
            return list(own)
        parts = self._comm.allgather(list(own) if self._speaks else [])
        return [item for part in parts for item in part]

    def emigrants(
        self, own: Mapping[int, Population], sources: Sequence[Sequence[int]]
    ) -> Mapping[int, Population]:
        """Send the teams the emigrants of the islands that theirs receive from.

        Parameters
        ----------
        own
            Of each of the team's islands.
        sources
            For each island those that it receives from.
        """
        if self._is_one:
            return own
        parcels: list[dict[int, PackedPopulation]] = [{} for _ in range(self._comm.size)]
        for team in self._teams if self._speaks else ():
            wanted = {giver for taker in team.islands for giver in sources[taker]}
            parcel = {giver: PackedPopulation.of(own[giver]) for giver in wanted & set(own)}
            for rank in team.ranks:
                parcels[rank] = parcel
        received = self._comm.exchange(parcels)
        return {giver: sent.unpacked() for parcel in received for giver, sent in parcel.items()}

    def collected(self, own: SearchState) -> SearchState:
        """Return the state with all islands on rank 0, with the team's elsewhere."""
        if self._is_one:
            return own
        parcels = [b""] * self._comm.size
        if self._speaks:
            parcels[0] = pack_state(own)
        parts = [unpack_state(sent) for sent in self._comm.exchange(parcels) if sent]
        if not parts:
            return own
        return replace(
            own,
            islands=[island for part in parts for island in part.islands],
            rng_states=[state for part in parts for state in part.rng_states],
        )

    def dealt_out(self, state: SearchState | None) -> SearchState | None:
        """Return the team's part of the state that rank 0 has, if it has one."""
        parcels = [b""] * self._comm.size
        if state is not None:
            for team in self._teams:
                payload = pack_state(_part(state, team.islands))
                parcels[team.ranks.start : team.ranks.stop] = [payload] * len(team.ranks)
        sent = self._comm.exchange(parcels)[0]
        return unpack_state(sent) if sent else None


def _part(state: SearchState, islands: range) -> SearchState:
    """Return the state of some islands."""
    return replace(
        state,
        islands=state.islands[islands.start : islands.stop],
        rng_states=state.rng_states[islands.start : islands.stop],
    )

"""Support sets of many machines at once, by block pivots and batches of small systems.

As ``kernels.leave_out`` has it: with the residual z = y - K beta outside the support set S and
beta = 0 there, one of each clip's pair (beta, z) is 0. Both follow from one small system, of S in
K with right side y, or of the clips outside S in its inverse M with right side M y; the smaller
one is solved. Machines whose small systems are of about one size are a batch.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from merec_hpc.kernels.pivoting import MOST_ROUNDS, N_BLOCK_PIVOTS, ROUNDING, SLACK

_WIDTH = 8  # by which the sizes of small systems of one batch may differ
_COPIES = 4  # of a batch of small systems, or about that


@dataclass(frozen=True)
class Settled:
    """Machines with the conditions of their optimum fulfilled, in the order of their tasks."""

    beta: Tensor  # (n_tasks, n_clips)
    outside: Tensor  # (n_tasks, n_clips), bool: not among the support vectors, or held out
    is_settled: Tensor  # (n_tasks,), bool


@dataclass(frozen=True)
class BatchedMachines:
    """Machines of individuals that each leave folds out.

    One task is a machine of an individual that leaves one fold out: tasks stand in the order of
    individuals, then machines, then folds.
    """

    kernels: Tensor  # (n_individuals, n_clips, n_clips), K
    inverses: Tensor  # (n_individuals, n_clips, n_clips), M
    ridges: Tensor  # (n_individuals, n_clips), 1 / (2 C) of each clip
    targets: Tensor  # (n_machines, n_clips), +1 or -1
    held: Tensor  # (n_folds, n_clips), bool
    room: int
    """Numbers that a batch may take, about."""

    @property
    def n_tasks(self) -> int:
        """Number of tasks."""
        return len(self.kernels) * len(self.targets) * len(self.held)

    @cached_property
    def _tables(self) -> Tensor:
        """K of every individual, then M of every individual."""
        return torch.cat([self.kernels, self.inverses])

    @cached_property
    def _signed(self) -> Tensor:
        """M y, (n_individuals, n_machines, n_clips)."""
        return self.targets @ self.inverses

    @cached_property
    def _slacks(self) -> tuple[Tensor, Tensor]:
        """How negative y beta, and -y z, may be, (n_individuals, n_clips); see ``fill_slacks``."""
        scale = self.kernels.diagonal(dim1=1, dim2=2)
        spread = self.inverses.diagonal(dim1=1, dim2=2)
        return SLACK + ROUNDING * scale * spread, SLACK * self.ridges + ROUNDING * scale

    def settle(self, outside: Tensor) -> Settled:
        """Move clips in and out of the support sets until all conditions hold.

        Parameters
        ----------
        outside
            Clips to begin without, (n_tasks, n_clips), bool.
        """
        tasks = torch.arange(self.n_tasks, device=self.kernels.device)
        outside = outside | self.held[tasks % len(self.held)]
        beta = torch.zeros(outside.shape, dtype=torch.float64, device=tasks.device)
        fewest = torch.full_like(tasks, outside.shape[1] + 1)
        patience = torch.full_like(tasks, N_BLOCK_PIVOTS)
        for _ in range(MOST_ROUNDS):
            now = outside[tasks]
            values = self._exchange(tasks, now)
            wrong = self._find_wrong(tasks, now, values)
            beta[tasks] = values.masked_fill(now, 0.0)
            n_wrong = wrong.sum(dim=1)
            patience = torch.where(n_wrong < fewest, N_BLOCK_PIVOTS, patience - 1)
            fewest = torch.minimum(fewest, n_wrong)
            outside[tasks] = now ^ _keep_last(wrong, patience < 0)
            is_open = n_wrong > 0
            tasks, fewest, patience = tasks[is_open], fewest[is_open], patience[is_open]
            if not len(tasks):
                break
        is_settled = torch.ones(self.n_tasks, dtype=torch.bool, device=tasks.device)
        is_settled[tasks] = False
        return Settled(beta, outside, is_settled)

    def _places(self, tasks: Tensor) -> tuple[Tensor, Tensor]:
        """Return the individual and the machine of each task."""
        pairs = tasks // len(self.held)
        return pairs // len(self.targets), pairs % len(self.targets)

    def _find_wrong(self, tasks: Tensor, outside: Tensor, values: Tensor) -> Tensor:
        """Return the clips that break their condition, (n_tasks, n_clips)."""
        individuals, machines = self._places(tasks)
        within, beyond = self._slacks
        slack = torch.where(outside, beyond[individuals], within[individuals])
        largest = values.masked_fill(outside, 0.0).abs().amax(dim=1, keepdim=True)
        signed = self.targets[machines] * values
        signed = torch.where(outside, -signed, signed)
        return (signed < -slack * largest) & ~self.held[tasks % len(self.held)]

    def _exchange(self, tasks: Tensor, outside: Tensor) -> Tensor:
        """Return beta of the support vectors and z of the other clips, (n_tasks, n_clips)."""
        n_clips = outside.shape[1]
        is_by_support = 2 * outside.sum(dim=1) > n_clips
        core = outside ^ is_by_support[:, None]
        values = torch.empty(outside.shape, dtype=torch.float64, device=outside.device)
        for part, size in self._batches(core.sum(dim=1)):
            individuals, machines = self._places(tasks[part])
            by_support = is_by_support[part]
            tables = individuals + len(self.kernels) * ~by_support
            right = torch.where(
                by_support[:, None], self.targets[machines], self._signed[individuals, machines]
            )
            values[part] = _exchange_pairs(self._tables, tables, right, core[part], size)
        return values

    def _batches(self, sizes: Tensor) -> Iterator[tuple[Tensor, int]]:
        """Yield tasks whose small systems are of about one size, and the largest of their sizes."""
        order = torch.argsort(sizes, stable=True)
        counts = torch.bincount((sizes + _WIDTH - 1) // _WIDTH).tolist()
        first = 0
        for kind, count in enumerate(counts):
            size = max(kind * _WIDTH, 1)
            most = max(self.room // (_COPIES * size * self.kernels.shape[1]), 1)
            for part in torch.split(order[first : first + count], most):
                if len(part):
                    yield part, size
            first += count


def _keep_last(wrong: Tensor, is_alone: Tensor) -> Tensor:
    """Return the clips that move, (n_tasks, n_clips): where one moves alone, the last of them."""
    n_later = wrong.flip(1).cumsum(dim=1).flip(1)
    return wrong & ((n_later == 1) | ~is_alone[:, None])


def _exchange_pairs(
    tables: Tensor,  # (n_tables, n_clips, n_clips)
    chosen: Tensor,  # (n_tasks,), table of each task
    right: Tensor,  # (n_tasks, n_clips)
    core: Tensor,  # (n_tasks, n_clips), bool
    size: int,  # of the largest core, or more
) -> Tensor:
    """Return right with the pairs of the core's clips exchanged, (n_tasks, n_clips)."""
    tasks, clips = core.nonzero(as_tuple=True)
    places = core.cumsum(dim=1)[tasks, clips] - 1
    members = torch.zeros((len(core), size), dtype=torch.int64, device=core.device)
    members[tasks, places] = clips
    is_empty = torch.ones((len(core), size), dtype=torch.bool, device=core.device)
    is_empty[tasks, places] = False
    rows = tables[chosen[:, None], members].masked_fill_(is_empty[:, :, None], 0.0)
    block = rows.gather(2, members[:, None, :].expand(-1, size, -1))
    block.masked_fill_(is_empty[:, None, :], 0.0)
    block.diagonal(dim1=1, dim2=2).add_(is_empty)  # places that no clip takes
    sides = right.gather(1, members).masked_fill_(is_empty, 0.0)
    factors, _ = torch.linalg.cholesky_ex(block)
    solution = torch.cholesky_solve(sides[:, :, None], factors)
    values = torch.baddbmm(right[:, None, :], solution.transpose(1, 2), rows, alpha=-1.0)[:, 0]
    values[tasks, clips] = solution[tasks, places, 0]
    return values

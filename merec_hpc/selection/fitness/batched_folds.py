"""Decisions of left-out clips of many individuals at once, with bounds of their errors.

In double precision throughout, by batched operations of torch: on a GPU, or on the CPU.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from merec_hpc.kernels.certificate import ROUNDING
from merec_hpc.selection.fitness.batched_pivoting import BatchedMachines
from merec_hpc.selection.fitness.inner_problem import System

NEAR = 1e-6
"""Of a clip's largest decision: classes that are closer are not told apart here."""
_MOST_ILL = 1e12  # trace of K times the length of M: beyond it M has hardly a digit


@dataclass(frozen=True)
class BatchedFolds:
    """Inner folds that see the features alike, on one device."""

    features: Tensor  # (n_clips, n_features)
    squares: Tensor  # (n_features,), mean square of each: the unit of a bias
    targets: Tensor  # (n_machines, n_clips), +1 or -1
    systems: Sequence[System]
    room: int
    """Numbers that a batch of matrices may take, about."""

    @classmethod
    def on(
        cls,
        device: torch.device,
        features: NDArray[np.float64],
        squares: NDArray[np.float64],
        targets: NDArray[np.float64],
        systems: Sequence[System],
        room: int,
    ) -> Self:
        """Copy features, their mean squares and targets to a device."""
        moved = [_moved(array, device) for array in (features, squares, targets)]
        return cls(moved[0], moved[1], moved[2], systems, room)

    def decide(
        self,
        masks: NDArray[np.bool_],
        penalties: NDArray[np.float64],
        biases: NDArray[np.float64],
        decisions: Tensor,
        errors: Tensor,
    ) -> None:
        """Write decisions and bounds of their errors, for the clips of these folds.

        Parameters
        ----------
        masks
            Shape (n_individuals, n_features).
        penalties, biases
            Shape (n_individuals,).
        decisions, errors
            Shape (n_individuals, n_machines, n_clips), on the device. An infinite error says
            that nothing is known.
        """
        device = self.features.device
        chosen = _moved(masks, device)
        grams = self.grams(chosen)
        if biases.any():
            constants = _moved(biases, device) ** 2 * (chosen @ self.squares)
            grams += constants[:, None, None]
        for system in self.systems:
            ridges = _moved(0.5 / (penalties[:, None] * system.penalties), device)
            self._decide(grams, ridges, system, decisions, errors)

    def grams(self, masks: Tensor) -> Tensor:
        """Return the Gram matrix of the clips under each mask, (n_masks, n_clips, n_clips).

        As products of masks with those of all pairs of clips, or, where these take too much
        room, with the features of each mask.
        """
        n_clips, n_features = self.features.shape
        if self._pairs is None:
            most = max(self.room // (n_clips * n_features), 1)
            return torch.cat([self._multiply(part) for part in torch.split(masks, most)])
        rows, columns = torch.triu_indices(n_clips, n_clips, device=masks.device)
        sums = masks @ self._pairs
        grams = torch.empty((len(masks), n_clips, n_clips), dtype=sums.dtype, device=sums.device)
        grams[:, rows, columns] = sums
        grams[:, columns, rows] = sums
        return grams

    @cached_property
    def _pairs(self) -> Tensor | None:
        """Products of the features of all pairs of clips, (n_features, n_pairs), if there is room."""
        n_clips, n_features = self.features.shape
        if n_features * n_clips * (n_clips + 1) // 2 > self.room:
            return None
        rows, columns = torch.triu_indices(n_clips, n_clips, device=self.features.device)
        transposed = self.features.T.contiguous()
        return transposed[:, rows] * transposed[:, columns]

    def _multiply(self, masks: Tensor) -> Tensor:
        return (masks[:, None, :] * self.features) @ self.features.T

    def _decide(
        self, grams: Tensor, ridges: Tensor, system: System, decisions: Tensor, errors: Tensor
    ) -> None:
        """Write what the machines of a system say of the clips of its folds."""
        kernels = grams + torch.diag_embed(ridges)
        inverses, is_sound = _invert(kernels)
        kernels = torch.where(is_sound[:, None, None], kernels, inverses)
        first, last = int(system.edges[0]), int(system.edges[-1])
        held = _held_by(system, grams.device)
        targets = self.targets[system.machines]
        machines = BatchedMachines(kernels, inverses, ridges, targets, held, self.room)
        beta, is_settled = _train(machines)
        known = is_sound[:, None, None] & is_settled
        stiffness = torch.linalg.matrix_norm(inverses)
        certificate = _Certificate(grams, ridges, targets, held, beta, stiffness)
        answers, bounds = certificate.bounded()
        clips = torch.arange(first, last, device=grams.device)
        folds = held[:, first:last].int().argmax(dim=0)
        decisions[:, system.machines, first:last] = answers[:, :, folds, clips]
        bounds = torch.where(known[..., None], bounds, torch.inf)
        errors[:, system.machines, first:last] = bounds[:, :, folds, clips]


def predict(decisions: Tensor, errors: Tensor, is_trained: Tensor) -> tuple[Tensor, Tensor]:
    """Return the predicted classes, and of which individuals all of them are certain.

    Parameters
    ----------
    decisions, errors
        Shape (n_individuals, n_machines, n_clips).
    is_trained
        False for a class without a machine, (n_clips, n_classes).

    Returns
    -------
    tuple
        Shapes (n_individuals, n_clips), int, and (n_individuals,), bool.
    """
    if is_trained.shape[1] == 2:  # one machine: the other class has its negative
        decisions = torch.cat([decisions, -decisions], dim=1)
        errors = torch.cat([errors, errors], dim=1)
    decisions = decisions.masked_fill(~is_trained.T, -torch.inf)
    best, kinds = decisions.max(dim=1, keepdim=True)
    # Any class whose bound is wide may be the best one, not only the second.
    doubt = errors + errors.gather(1, kinds) + NEAR * torch.maximum(decisions.abs(), best.abs())
    is_other = is_trained.T.expand_as(decisions).scatter(1, kinds, value=False)
    is_certain = (best - decisions > doubt) | ~is_other
    return kinds[:, 0], is_certain.all(dim=(1, 2))


@dataclass(frozen=True)
class _Certificate:
    """What the conditions of the optimum leave open, as ``kernels.certificate`` has it."""

    grams: Tensor  # (n_individuals, n_clips, n_clips), G
    ridges: Tensor  # (n_individuals, n_clips)
    targets: Tensor  # (n_machines, n_clips)
    held: Tensor  # (n_folds, n_clips), bool
    beta: Tensor  # (n_individuals, n_machines, n_folds, n_clips)
    stiffness: Tensor  # (n_individuals,), the length of M

    def bounded(self) -> tuple[Tensor, Tensor]:
        """Return the decisions and bounds of their errors, shaped as beta."""
        squares = self.grams.diagonal(dim1=1, dim2=2)
        answers = (self.beta.flatten(1, 2) @ self.grams).view_as(self.beta)
        lacks = self._lacks(answers).norm(dim=3, keepdim=True)
        weighed = self.beta * squares.sqrt()[:, None, None]
        rounding = ROUNDING * weighed.norm(dim=3, keepdim=True)
        length = squares.sum(dim=1).sqrt()[:, None, None, None]
        reach = ((squares + self.ridges) * self.stiffness[:, None]).sqrt()[:, None, None]
        errors = reach * (lacks + length * rounding)
        return answers, errors + rounding * squares.sqrt()[:, None, None]

    def _lacks(self, answers: Tensor) -> Tensor:
        """Return what each training clip's condition lacks, shaped as beta."""
        targets, signed = self.targets[:, None], self.targets[:, None] * self.beta
        pulled = self.ridges[:, None, None] * signed
        margins = 1.0 - targets * answers
        lacks = torch.where(signed > 0, margins, margins.clamp(min=0.0)) - pulled
        return lacks.masked_fill_(self.held, 0.0)


def _train(machines: BatchedMachines) -> tuple[Tensor, Tensor]:
    """Return beta, and whether all conditions hold, of every individual, machine and fold.

    Every machine is trained on all clips first: its folds begin with that support set.
    """
    shape = (len(machines.kernels), len(machines.targets), *machines.held.shape)
    nobody = torch.zeros_like(machines.held[:1])
    whole = replace(machines, held=nobody)
    start = whole.settle(nobody.expand(whole.n_tasks, -1)).outside
    found = machines.settle(start.repeat_interleave(len(machines.held), dim=0))
    return found.beta.view(shape), found.is_settled.view(shape[:3])


def _invert(kernels: Tensor) -> tuple[Tensor, Tensor]:
    """Return the inverses, and whether they have digits: the others are replaced by ones."""
    inverses, failed = torch.linalg.inv_ex(kernels)
    traces = kernels.diagonal(dim1=1, dim2=2).sum(dim=1)
    condition = traces * torch.linalg.matrix_norm(inverses)
    is_sound = (failed == 0) & (condition < _MOST_ILL)
    ones = torch.eye(kernels.shape[1], dtype=kernels.dtype, device=kernels.device)
    inverses = torch.where(is_sound[:, None, None], inverses, ones)
    return (inverses + inverses.transpose(1, 2)) / 2, is_sound


def _held_by(system: System, device: torch.device) -> Tensor:
    """Return which clips each fold of a system leaves out, (n_folds, n_clips)."""
    clips, edges = np.arange(len(system.penalties)), system.edges
    held = (clips >= edges[:-1, None]) & (clips < edges[1:, None])
    return torch.from_numpy(held).to(device)


def _moved(array: NDArray[Any], device: torch.device) -> Tensor:
    """Return a copy on a device, in double precision."""
    return torch.from_numpy(np.ascontiguousarray(array)).to(device).to(torch.float64)

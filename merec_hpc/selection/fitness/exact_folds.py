"""Decisions of left-out clips that are known to be right, and what makes them so."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from merec_hpc.kernels.certificate import refine_fold
from merec_hpc.kernels.twofold import multiply_twofold
from merec_hpc.selection.fitness.least_squares import fit_machine


@dataclass(frozen=True)
class Exact:
    """Decisions of left-out clips with bounds of their errors, and the machines behind them."""

    decisions: NDArray[np.float64]  # (n_machines, n_clips)
    errors: NDArray[np.float64]  # (n_machines, n_clips)
    duals: NDArray[np.float64]  # (n_machines, n_folds, n_clips), beta

    @classmethod
    def empty(cls, targets: NDArray[np.float64], n_folds: int) -> Self:
        """Return room for the machines of targets, (n_machines, n_clips)."""
        n_machines, n_clips = targets.shape
        duals = np.zeros((n_machines, n_folds, n_clips))
        return cls(np.zeros_like(targets), np.zeros_like(targets), duals)

    def doubtful(self, is_trained: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Return whose errors may change the class of which clip, (n_machines, n_clips).

        Parameters
        ----------
        is_trained
            (n_clips, n_classes), False for a class without a machine.
        """
        decisions, errors = self.decisions, self.errors
        if is_trained.shape[1] == 2:
            return ~(np.abs(decisions) > errors) & is_trained.all(axis=1)
        decisions = np.where(is_trained.T, decisions, -np.inf)
        best = decisions.argmax(axis=0)
        clips = np.arange(len(best))
        margins = decisions[best, clips] - decisions
        overtakes = ~(margins > errors[best, clips] + errors) & is_trained.T
        overtakes[best, clips] = False
        overtakes[best, clips] = overtakes.any(axis=0)
        flags: NDArray[np.bool_] = overtakes
        return flags

    def of(self, machine: int, fold: int, held: slice) -> "ExactFold":
        """Return the part of one machine and fold."""
        return ExactFold(
            self.decisions[machine], self.errors[machine], self.duals[machine, fold], held
        )


@dataclass(frozen=True)
class ExactFold:
    """Of one machine, with one fold left out."""

    decisions: NDArray[np.float64]  # (n_clips,), those held out count
    errors: NDArray[np.float64]  # (n_clips,), those held out count
    dual: NDArray[np.float64]  # (n_clips,), beta
    held: slice

    def is_within(self, tolerance: float) -> bool:
        """Return whether errors are known to be within a tolerance of the largest decision."""
        largest = np.abs(self.decisions[self.held]).max(initial=0.0)
        return bool((self.errors[self.held] <= tolerance * largest).all())

    def refine(
        self,
        gram: NDArray[np.float64],
        target: NDArray[np.float64],
        penalties: NDArray[np.float64],
        stiffness: float,
    ) -> bool:
        """Refine the machine by its Gram matrix, see ``refine_fold``; return whether it can be.

        Parameters
        ----------
        gram
            Shape (n_clips, n_clips).
        target, penalties
            +1 or -1 and C of each clip, shape (n_clips,).
        """
        held = self.held.start, self.held.stop
        written = self.decisions, self.errors
        try:
            refine_fold(gram, 0.5 / penalties, target, *held, self.dual, stiffness, *written)
        except np.linalg.LinAlgError:
            return False
        return True

    def solve(
        self,
        values: NDArray[np.float64],
        target: NDArray[np.float64],
        penalties: NDArray[np.float64],
    ) -> None:
        """Solve the machine by orthogonal factors, from features (n_clips, n_features).

        Raises
        ------
        IllConditionedError
            If double precision cannot hold it.
        """
        training = np.ones(len(values), np.bool_)
        training[self.held] = False
        start = self.dual[training] @ values[training]  # of what the Gram matrix gave
        machine = fit_machine(values[training], target[training], penalties[training], start)
        self.dual[:] = 0.0
        self.dual[training] = machine.dual
        held = np.ascontiguousarray(values[self.held].T)
        self.decisions[self.held] = multiply_twofold(held, machine.weights[None], 0.0)
        # Of the weights' last bits, and of what a rotation did to the last bits of each clip.
        shares = np.linalg.norm(values[training], axis=1) @ np.abs(machine.dual)
        lengths = np.linalg.norm(held, axis=0)
        self.errors[self.held] = np.finfo(float).eps * lengths * shares

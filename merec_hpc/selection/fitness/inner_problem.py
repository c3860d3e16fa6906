"""The SVMs of some inner folds that see the features scaled alike."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from copy import copy
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise, repeat
from operator import call
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from merec_hpc.kernels import few
from merec_hpc.kernels.certificate import bound_errors, bound_flips
from merec_hpc.kernels.few import leave_one_fold_out
from merec_hpc.kernels.flips import flip_features, settle_fold
from merec_hpc.kernels.gram import MOST_MASKS, gram_matrices
from merec_hpc.kernels.leave_out import leave_folds_out
from merec_hpc.kernels.pivoting import IMPRECISE, SOLVED
from merec_hpc.kernels.simd import BLOCK
from merec_hpc.learning.bias import bias_feature, mean_squares, with_constant
from merec_hpc.records import Masks
from merec_hpc.selection.fitness.exact_folds import Exact, ExactFold
from merec_hpc.selection.fitness.least_squares import rotate

PRECISION = 2.0**-24
"""Of an entry of a single-precision Gram matrix, in units of sqrt(G_ii G_jj)."""
WIDE = 4
"""Features per clip above which single precision pays: below, double precision costs little
more, and large C leaves many decisions uncertain."""
_FEW = 2
"""Clips per feature, and more: then a fold alone is better solved by its features."""
_LEAST_LEFT = 1e-6
"""Of an eigenvalue of 1 - U'M U: below, rounding leaves next to nothing of it."""
_GROUPS_AT_ONCE = 8  # whose shifts are one matrix product
_CLASS_COST = 8  # features: what a class of features costs besides the pass over its own

_NO_DUALS = np.empty((0, 0, 0))

Share = Callable[[Callable[[], NDArray[Any]]], NDArray[Any]]


@dataclass(frozen=True)
class Gram:
    """A Gram matrix of the clips."""

    matrix: NDArray[np.float64]  # (n_clips or more, n_clips or more), upper triangle
    shifts: NDArray[np.float64]  # (n_clips,), to be added to its rows and to its columns
    is_quick: bool
    """Whether it is of single precision."""


@dataclass(frozen=True)
class System:
    """Machines of one or more folds that share one kernel matrix."""

    edges: NDArray[np.int64]  # (n_folds + 1,), first clip of each fold, then the end
    machines: slice
    penalties: NDArray[np.float64]  # (n_clips,), of each clip, in units of C
    first_fold: int = 0
    """Of all inner folds, the first of these."""


@dataclass(frozen=True)
class _Part:
    """One machine without one fold."""

    place: int  # of its system
    system: System
    machine: int
    fold: ExactFold


class InnerProblem:
    """Gram matrices of masks, and the decisions that follow from them."""

    def __init__(
        self,
        features: NDArray[np.float64],
        targets: NDArray[np.float64],
        systems: Sequence[System],
        share: Share = call,
        measured: NDArray[np.bool_] | None = None,
        *,
        may_be_quick: bool = True,
    ) -> None:
        """Take features (n_clips, n_features) and targets (n_machines, n_clips) of +1 and -1.

        Parameters
        ----------
        measured
            The clips whose lengths are the unit of a bias, (n_clips,); without it all.
        may_be_quick
            Whether Gram matrices may be of single precision.
        """
        self._features = features
        self._measured = slice(None) if measured is None else measured
        self._targets, self._systems = targets, systems
        n_clips, n_features = features.shape
        self._is_wide = bool(may_be_quick and n_features > WIDE * n_clips)
        if not self._is_wide:
            return
        # Sums of centred features are small, and so are their rounding errors.
        self._mean = features.mean(axis=0)
        self._columns = share(self._centred_columns)
        # Of G = (Xc + 1 m')(Xc + 1 m')' what is not Xc Xc': the sum of a row's and a column's part.
        self._shares = share(self._row_shares)

    def of_systems(self, systems: Sequence[System]) -> Self:
        """Return the same clips with other machines; the features are kept once for both."""
        other = copy(self)
        other._systems = systems
        return other

    def _row_shares(self) -> NDArray[np.float64]:
        """Return each feature's part in the shifts of the clips, (n_features, n_clips)."""
        return np.ascontiguousarray(((self._features - self._mean / 2) * self._mean).T)

    def _centred_columns(self) -> NDArray[np.float32]:
        """Return the features of blocks of clips, (n_blocks, n_features, BLOCK)."""
        n_clips, n_features = self._features.shape
        columns = np.zeros((-(-n_clips // BLOCK), n_features, BLOCK), np.float32)
        for block, column in enumerate(columns):
            clips = self._features[block * BLOCK : (block + 1) * BLOCK] - self._mean
            column[:, : len(clips)] = clips.T
        return columns

    @cached_property
    def squares(self) -> NDArray[np.float64]:
        """Mean square of each feature over the clips that a bias is measured by, (n_features,)."""
        return mean_squares(self._features[self._measured])

    def constant(self, mask: NDArray[np.bool_], bias: float) -> float:
        """Return the feature that a bias gives every clip under a mask: it depends on both alone."""
        return bias_feature(self.squares, mask, bias) if bias else 0.0

    @property
    def systems(self) -> Sequence[System]:
        """Machines of folds that share a kernel matrix."""
        return self._systems

    @property
    def is_wide(self) -> bool:
        """Whether ``grams`` are of single precision."""
        return self._is_wide

    @property
    def sums_grams(self) -> bool:
        """Whether Gram matrices in double precision cost no pass over the features."""
        return False

    def chosen(self, which: NDArray[np.bool_] | NDArray[np.int64]) -> NDArray[np.float64]:
        """Return some features of the clips, by a mask or by places, (n_clips, n_chosen)."""
        return self._features[:, which]

    @property
    def precision(self) -> float:
        """Of an entry of what ``grams`` yields, in units of sqrt(G_ii G_jj)."""
        return PRECISION if self._is_wide else 0.0

    def grams(self, masks: Masks) -> Iterator[Gram]:
        """Yield a Gram matrix of each mask; its upper triangle only.

        With many more features than clips, in single precision: it then depends on the masks
        that it is computed with, by rounding.
        """
        if not self._is_wide:
            yield from map(self.exact_gram, masks)
            return
        size = _group_size(masks.shape[1])
        blocks = np.empty_like(self._columns)
        n_padded = len(blocks) * BLOCK
        matrices = np.empty((size, n_padded, n_padded))
        for first in range(0, len(masks), size):
            if first % (_GROUPS_AT_ONCE * size) == 0:
                chunk = masks[first : first + _GROUPS_AT_ONCE * size]
                shifts = iter(chunk.astype(np.float64) @ self._shares)
            group = np.ascontiguousarray(masks[first : first + size])
            gram_matrices(self._columns, group, blocks, matrices)
            yield from map(Gram, matrices[: len(group)], shifts, repeat(True))

    def exact_gram(self, mask: NDArray[np.bool_]) -> Gram:
        """Return the Gram matrix of a mask in double precision: of that mask alone."""
        chosen = self.chosen(mask)
        return Gram(chosen @ chosen.T, np.zeros(len(chosen)), is_quick=False)

    def double_gram(self, mask: NDArray[np.bool_], constant: float) -> NDArray[np.float64]:
        """Return ``exact_gram`` of the clips with one more feature, that all have alike."""
        chosen = with_constant(self.chosen(mask), constant)
        return np.asarray(chosen @ chosen.T, np.float64)

    def decide(
        self,
        gram: Gram,
        penalty: float,
        decisions: NDArray[np.float64],
        reach: NDArray[np.float64],
        constant: float = 0.0,
    ) -> int:
        """Write decisions and their reach, (n_machines, n_clips), for the clips of the folds.

        Parameters
        ----------
        constant
            A feature that all clips have alike, 0 for none.

        Returns
        -------
        int
            The worst state of ``leave_folds_out``.
        """
        shifts = gram.shifts + constant**2 / 2  # a row's and a column's: every entry has both
        try:
            states = [
                leave_folds_out(
                    gram.matrix,
                    shifts,
                    0.5 / (penalty * system.penalties),
                    self._targets[system.machines],
                    system.edges,
                    decisions[system.machines],
                    reach[system.machines],
                    _NO_DUALS,
                    np.empty(1),
                    gram.is_quick,
                )
                for system in self._systems
            ]
        except np.linalg.LinAlgError:
            return IMPRECISE
        return int(max(states))

    def is_few(self, n_features: int) -> bool:
        """Return whether ``decide_few`` pays, if there is one fold."""
        return 0 < _FEW * n_features <= len(self._targets[0])

    def decide_few(
        self,
        chosen: NDArray[np.float64],
        penalty: float,
        decisions: NDArray[np.float64],
        reach: NDArray[np.float64],
        duals: NDArray[np.float64] = _NO_DUALS,
    ) -> int:
        """Write decisions and their reach, as ``decide`` does, in units of ``few.PRECISION``.

        In time that grows with the square of the number of features, and with the folds.

        Parameters
        ----------
        chosen
            What the machines see of the clips, (n_clips, n_chosen).
        duals
            (n_machines, n_folds, n_clips), beta; what is empty is not written.
        """
        rows = np.ascontiguousarray(chosen)
        worst, outside = SOLVED, np.empty(len(chosen), np.bool_)
        decided, reached = np.zeros((2, len(chosen)))
        for system in self._systems:
            for machine in range(*system.machines.indices(len(self._targets))):
                penalties, target = penalty * system.penalties, self._targets[machine]
                outside[:] = False
                for place, fold in enumerate(pairwise(system.edges), system.first_fold):
                    written = outside, decided, reached
                    worst = max(worst, _leave_out(rows, penalties, target, fold, *written))
                    held = slice(*fold)
                    decisions[machine, held], reach[machine, held] = decided[held], reached[held]
                    if len(duals):
                        lacks = np.maximum(1.0 - target * decided, 0.0)
                        lacks[held] = 0.0
                        duals[machine, place] = 2.0 * penalties * target * lacks
                    outside[held] = False
        return worst

    def decide_flips(
        self,
        mask: NDArray[np.bool_],
        penalty: float,
        bias: float,
        flipped: NDArray[np.int64],
        decisions: NDArray[np.float64],
        errors: NDArray[np.float64],
    ) -> NDArray[np.int64]:
        """Write the decisions of a mask with one feature more or less, for each of some features.

        Parameters
        ----------
        flipped
            Features that join the mask, or leave it, one at a time, (n_flips,).
        decisions
            (n_machines, n_flips, n_clips), those of the folds' clips are written.
        errors
            The same of bounds of their errors.

        Returns
        -------
        NDArray[np.int64]
            The worst state of each feature, (n_flips,).
        """
        constant = self.constant(mask, bias)
        gram = self.double_gram(mask, constant)
        chosen = np.ascontiguousarray(with_constant(self.chosen(mask), constant))
        squares = bias**2 * self.squares[flipped] if bias else np.zeros(len(flipped))
        features = np.ascontiguousarray(self.chosen(flipped).T)
        signs = np.where(mask[flipped], -1.0, 1.0)
        states = np.zeros(len(flipped), np.int64)
        n_clips = len(gram)
        norms, duals = np.sqrt(gram.diagonal()), np.empty(features.shape)
        start, outside = np.empty(n_clips), np.empty(n_clips, np.bool_)
        response, changes = np.empty((n_clips, n_clips)), np.empty((n_clips, n_clips))
        unused = np.empty((2, n_clips))
        for system in self._systems:
            ridges = 0.5 / (penalty * system.penalties)
            kernel = gram + np.diag(ridges)
            stiffness = _stiffness(kernel, ridges, features, signs, squares)
            for machine in range(*system.machines.indices(len(self._targets))):
                target = self._targets[machine]
                outside[:] = False
                if len(system.edges) == 2 and self.is_few(chosen.shape[1]):
                    # Of few features a support set costs little.
                    fold = (system.edges[0], system.edges[1])
                    _leave_out(chosen, penalty * system.penalties, target, fold, outside, *unused)
                for fold in pairwise(system.edges):
                    # A fold starts from the support set of the one before it.
                    known = ridges, target, *fold
                    state = settle_fold(kernel, *known, outside, start, response, changes)
                    if state != SOLVED:
                        return np.full(len(flipped), state)
                    flip_features(
                        features,
                        features @ response.T,
                        signs,
                        squares,
                        response.sum(axis=1),
                        np.ascontiguousarray(kernel.diagonal()),
                        *known,
                        outside,
                        start,
                        changes,
                        duals,
                        states,
                    )
                    fitted = duals @ gram
                    bounded = duals, fitted, stiffness, errors[machine]
                    bound_flips(features, signs, squares, norms, *known, *bounded)
                    held = slice(*fold)
                    decisions[machine, :, held] = fitted[:, held]
        return states

    def decide_exactly(
        self,
        mask: NDArray[np.bool_],
        penalty: float,
        constant: float,
        tolerance: float,
        found: Exact,
        is_trained: NDArray[np.bool_] | None = None,
    ) -> None:
        """Write decisions of the folds, each right within a tolerance.

        From the features, if they are few, or a Gram matrix in double precision where that is
        enough; else refined, or solved by orthogonal factors.

        Parameters
        ----------
        constant
            The feature that a bias gives every clip, or 0.
        tolerance
            Of a fold's largest decision by a machine.
        is_trained
            (n_clips, n_classes), False for a class without a machine: with it, what cannot change
            a clip's class may be further off.

        Raises
        ------
        IllConditionedError
            If double precision cannot hold a machine.
        """
        chosen = with_constant(self.chosen(mask), constant)
        if self.is_few(chosen.shape[1]):
            self._decide_by_features(chosen, penalty, found)
            if not self._lacking(found, tolerance, is_trained):
                return
        gram = self.double_gram(mask, constant)
        stiffness = [self._decide_by_gram(gram, penalty, system, found) for system in self._systems]
        for part in self._lacking(found, tolerance, is_trained):
            penalties = penalty * part.system.penalties
            part.fold.refine(gram, self._targets[part.machine], penalties, stiffness[part.place])
        lacking = self._lacking(found, tolerance, is_trained)
        if not lacking:
            return
        rotated = rotate(chosen)
        for part in lacking:
            machine = self._targets[part.machine], penalty * part.system.penalties
            part.fold.solve(rotated, *machine)
            if rotated is not chosen and not part.fold.is_within(tolerance):
                part.fold.solve(chosen, *machine)

    def _lacking(
        self, found: Exact, tolerance: float, is_trained: NDArray[np.bool_] | None
    ) -> list[_Part]:
        """Return machines and folds whose decisions are not known well enough."""
        counts = np.ones_like(found.errors, np.bool_)
        if is_trained is not None:
            counts = found.doubtful(is_trained)
        parts = [
            _Part(place, system, machine, found.of(machine, system.first_fold + fold, held))
            for place, system in enumerate(self._systems)
            for fold, held in enumerate(map(slice, system.edges[:-1], system.edges[1:]))
            for machine in range(*system.machines.indices(len(self._targets)))
            if counts[machine, held].any()
        ]
        return [part for part in parts if not part.fold.is_within(tolerance)]

    def seen(
        self, mask: NDArray[np.bool_], bias: float
    ) -> Iterator[tuple[int, NDArray[np.float64]]]:
        """Yield each fold, and the clips as its machines see them: with a bias, one feature more."""
        chosen = with_constant(self.chosen(mask), self.constant(mask, bias))
        folds = {
            system.first_fold + place
            for system in self._systems
            for place in range(len(system.edges) - 1)
        }
        for fold in sorted(folds):
            yield fold, chosen

    def _decide_by_features(
        self, chosen: NDArray[np.float64], penalty: float, found: Exact
    ) -> None:
        """Write what ``decide_few`` does, and bounds of its errors: infinite where it gives up."""
        state = self.decide_few(chosen, penalty, found.decisions, found.errors, found.duals)
        edges = np.concatenate([system.edges for system in self._systems])
        own = slice(edges.min(), edges.max())
        found.errors[:, own] *= few.PRECISION
        if state != SOLVED:
            found.errors[:, own] = np.inf

    def _decide_by_gram(
        self, gram: NDArray[np.float64], penalty: float, system: System, found: Exact
    ) -> float:
        """Write what a Gram matrix in double precision gives, and bounds of its errors.

        Return the stiffness of the machines, see ``bound_errors``.
        """
        ridges = 0.5 / (penalty * system.penalties)
        targets = self._targets[system.machines]
        folds = slice(system.first_fold, system.first_fold + len(system.edges) - 1)
        decisions, errors = found.decisions[system.machines], found.errors[system.machines]
        # Where it gives up, beta is 0 for now, and what that lacks is seen below.
        duals, stiffness = np.zeros_like(found.duals[system.machines, folds]), np.full(1, np.inf)
        with suppress(np.linalg.LinAlgError):
            leave_folds_out(
                gram,
                np.zeros(len(gram)),
                ridges,
                targets,
                system.edges,
                decisions,
                errors,
                duals,
                stiffness,
                False,  # Numba takes no keywords
            )
        bound_errors(gram, ridges, targets, system.edges, duals, stiffness[0], decisions, errors)
        found.duals[system.machines, folds] = duals
        return float(stiffness[0])


def _leave_out(
    chosen: NDArray[np.float64],
    penalties: NDArray[np.float64],
    target: NDArray[np.float64],
    fold: tuple[int, int],
    outside: NDArray[np.bool_],
    decisions: NDArray[np.float64],
    reach: NDArray[np.float64],
) -> int:
    """Leave a fold out by ``kernels.few``; what overflows is imprecise."""
    try:
        known = chosen, penalties, target, *fold
        return int(leave_one_fold_out(*known, outside, decisions, reach))
    except np.linalg.LinAlgError:
        return IMPRECISE


def _stiffness(
    kernel: NDArray[np.float64],
    ridges: NDArray[np.float64],
    features: NDArray[np.float64],
    signs: NDArray[np.float64],
    squares: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Bound the largest eigenvalue of the inverse of K with each feature flipped, (n_features,).

    One that joins makes it no larger. M of K without U U', of x and the root of what a bias loses,
    is M + M U (1 - U'M U)^-1 U'M.
    """
    most = 1.0 / ridges.min()
    values, vectors = np.linalg.eigh(kernel)
    inverse = 1.0 / np.maximum(values, 1.0 / most)
    stiffness = np.full(len(signs), inverse[0])
    leaving = np.flatnonzero(signs < 0)
    own, one = features[leaving] @ vectors, vectors.sum(axis=0)
    roots = np.sqrt(squares[leaving])
    first, second = 1.0 - own**2 @ inverse, 1.0 - roots**2 * (one**2 @ inverse)
    mixed = roots * (own @ (one * inverse))
    left = (first + second) / 2 - np.hypot((first - second) / 2, mixed)
    added = own**2 @ inverse**2 + roots**2 * (one**2 @ inverse**2)
    added /= np.maximum(left, np.finfo(np.float64).tiny)
    stiffness[leaving] += np.where(left > _LEAST_LEFT, added, np.inf)
    return np.asarray(np.minimum(stiffness, most), np.float64)


def _group_size(n_features: int) -> int:
    """Return how many masks to take at once, by what a mask then costs."""
    sizes = np.arange(1, MOST_MASKS + 1)
    return int(sizes[np.argmin((n_features + _CLASS_COST * 2.0**sizes) / sizes)])

"""Scores masks by linear SVMs that leave each training subject out."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from merec_hpc.config.selection import Criterion
from merec_hpc.criteria import OF_DECISIONS, fold_accuracies, mu, score_answers
from merec_hpc.kernels.pivoting import SOLVED
from merec_hpc.records import Masks
from merec_hpc.selection.fitness.fold_machines import EXACT, FoldMachines

_FLIPS_EXACT = 1e-8  # what EXACT is of a mask, of a flip, for criteria of decisions
_FLIPS_AT_ONCE = 1024  # whose decisions are in memory

OwnMasks = Sequence[NDArray[np.bool_]]
"""Masks of each inner fold, (n_folds, n_individuals, n_features), of each grouping."""


@dataclass(frozen=True)
class Answers:
    """What masks say of left-out clips, in the order of the folds."""

    predicted: NDArray[np.int64]  # (n_masks, n_clips), index of the class, -1 of an empty mask
    judged: NDArray[Any]
    """What a criterion is of: those, or decisions (n_masks, n_clips, n_classes)."""

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """Return what the same masks say of the clips of several folds, one after the other."""
        return cls(
            np.concatenate([part.predicted for part in parts], axis=1),
            np.concatenate([part.judged for part in parts], axis=1),
        )

    def of_clips(self, clips: slice) -> Self:
        """Return what is said of some clips."""
        return replace(self, predicted=self.predicted[:, clips], judged=self.judged[:, clips])


class SubjectFoldFitness(FoldMachines):
    """Leave-one-subject-out accuracy of masks, from one Gram matrix each.

    What a mask scores depends on the mask, C and bias alone, not on the batch in which it is
    scored: see ``FoldMachines``, whose arguments it takes.
    """

    @property
    def groupings(self) -> Sequence[Self]:
        """Those whose fitness is the mean fitness: this one alone."""
        return (self,)

    def combined(
        self,
        sizes: ArrayLike,  # noqa: ARG002  # one form for all that score
        scores: Sequence[NDArray[np.float64]],
    ) -> NDArray[np.float64]:
        """Return the fitness of masks from their scores on each of ``groupings``, (n,)."""
        (own,) = scores
        return own

    def score(
        self, masks: Masks, C: ArrayLike, criterion: Criterion, bias: ArrayLike | None = None
    ) -> NDArray[np.float64]:
        """Return the fitness by a named criterion, in [0, 1], shape (n_individuals,).

        An empty mask scores 0.
        """
        return self.judge(self.answers(masks, C, criterion, bias), criterion)

    def score_own(
        self, own: OwnMasks, C: ArrayLike, criterion: Criterion, bias: ArrayLike | None = None
    ) -> NDArray[np.float64]:
        """Return the fitness of what has a mask of its own in each inner fold, (n_individuals,).

        The machines of a fold see the fold's masks, and answer for its clips.

        Parameters
        ----------
        own
            Of this one grouping, (n_folds, n_individuals, n_features).
        """
        ((*masks,),) = own
        parts = []
        for fold, ours in enumerate(masks):
            one = self._of_fold(fold)
            parts.append(one.answers(ours, C, criterion, bias)[:, one._clips])
        return self.judge(np.concatenate(parts, axis=1), criterion)

    def rate(
        self, masks: Masks, C: ArrayLike, criterion: Criterion, bias: ArrayLike | None = None
    ) -> NDArray[np.float64]:
        """Return the fitness, and the mean accuracy over the folds, shape (n_individuals, 2)."""
        return self.rated(self._answer(masks, C, criterion, bias), criterion)

    def rated(self, answers: Answers, criterion: Criterion) -> NDArray[np.float64]:
        """Return the fitness of answers, and the mean accuracy over the folds, (n_masks, 2)."""
        accuracies = fold_accuracies(answers.predicted, self._folds.labels, self._folds.folds)
        return np.stack([self.judge(answers.judged, criterion), mu(accuracies)], axis=1)

    def _answer(
        self, masks: Masks, C: ArrayLike, criterion: Criterion, bias: ArrayLike | None
    ) -> Answers:
        predicted = self._predict(masks, C, bias)
        if criterion not in OF_DECISIONS:
            return Answers(predicted, predicted)
        return Answers(predicted, self.answers(masks, C, criterion, bias))

    def fold_answers(
        self,
        fold: int,
        masks: Masks,
        C: ArrayLike,
        criterion: Criterion,
        bias: ArrayLike | None = None,
    ) -> Answers:
        """Return what masks say of the clips of one fold: masks may differ from fold to fold.

        For ``rated``, once the answers of all folds are joined.
        """
        one = self._of_fold(fold)
        return one._answer(masks, C, criterion, bias).of_clips(one._clips)

    def fold_flip_answers(
        self,
        fold: int,
        mask: NDArray[np.bool_],
        C: float,
        criterion: Criterion,
        flipped: ArrayLike,
        bias: float = 0.0,
    ) -> Answers:
        """Return ``fold_answers`` of a mask with each of some features flipped."""
        one, places = self._of_fold(fold), np.asarray(flipped, np.int64)
        self._check(mask[None], [C], [bias])
        return one._answer_flips(mask, C, criterion, places, bias).of_clips(one._clips)

    def answers(
        self, masks: Masks, C: ArrayLike, criterion: Criterion, bias: ArrayLike | None = None
    ) -> NDArray[Any]:
        """Return what a criterion is of, for ``judge``; clips in the order of the folds.

        Predictions, shape (n_individuals, n_clips), -1 for an empty mask; or decisions, shape
        (n_individuals, n_clips, n_classes), NaN for an empty mask.
        """
        if criterion not in OF_DECISIONS:
            return self._predict(masks, C, bias)
        found = np.full((len(masks), *self._is_trained.shape), np.nan)
        for row, one in zip(found, zip(*self._check(masks, C, bias), strict=True), strict=True):
            if one[0].any():
                row[:] = self._of_classes(self._decide_exactly(*one, EXACT).decisions)
        return found

    def fold_accuracies(
        self, masks: Masks, C: ArrayLike, bias: ArrayLike | None = None
    ) -> NDArray[np.float64]:
        """Return the accuracy on each left-out subject, shape (n_individuals, n_folds).

        Folds stand in the sorted order of subjects; an empty mask scores 0.

        Parameters
        ----------
        masks
            Shape (n_individuals, n_features).
        C
            Penalty of each individual, shape (n_individuals,).
        bias
            Of each individual, shape (n_individuals,), 0 for none; without it none has one.
        """
        predicted = self._predict(masks, C, bias)
        return fold_accuracies(predicted, self._folds.labels, self._folds.folds)

    def score_flips(
        self,
        mask: NDArray[np.bool_],
        C: float,
        criterion: Criterion,
        flipped: ArrayLike,
        bias: float = 0.0,
    ) -> NDArray[np.float64]:
        """Return the fitness of a mask with each of some features joining or leaving it.

        What ``score`` says of each of those masks at a fraction of the cost: a feature changes the
        Gram matrix by one of rank one, and with a bias by another.

        Parameters
        ----------
        mask
            Shape (n_features,).
        flipped
            Features to flip, one at a time, shape (n_flips,).

        Returns
        -------
        NDArray[np.float64]
            Shape (n_flips,).
        """
        return self.rate_flips(mask, C, criterion, flipped, bias)[:, 0]

    def rate_flips(
        self,
        mask: NDArray[np.bool_],
        C: float,
        criterion: Criterion,
        flipped: ArrayLike,
        bias: float = 0.0,
    ) -> NDArray[np.float64]:
        """Return ``score_flips``, and the mean accuracy over the folds, shape (n_flips, 2)."""
        places = np.asarray(flipped, np.int64)
        self._check(mask[None], [C], [bias])
        blocks = np.split(places, range(_FLIPS_AT_ONCE, len(places), _FLIPS_AT_ONCE))
        parts = [
            self.rated(self._answer_flips(mask, C, criterion, block, bias), criterion)
            for block in blocks
            if len(block)
        ]
        return np.concatenate([np.empty((0, 2)), *parts])

    def judge(self, answers: NDArray[Any], criterion: Criterion) -> NDArray[np.float64]:
        """Return the fitness of ``answers``, shape (n_individuals,)."""
        return score_answers(criterion, answers, self._folds.labels, self._folds.folds)

    def _answer_flips(
        self,
        mask: NDArray[np.bool_],
        C: float,
        criterion: Criterion,
        flipped: NDArray[np.int64],
        bias: float,
    ) -> Answers:
        """Answer so many flips that their decisions are in memory."""
        predicted = np.full((len(flipped), len(self._folds.order)), -1)
        judged = predicted
        if criterion in OF_DECISIONS:
            judged = np.full((*predicted.shape, len(self.classes)), np.nan)
        decisions, errors, is_known = self._decide_flips(mask, C, flipped, bias)
        if criterion in OF_DECISIONS:
            is_known &= self._are_within(decisions, errors)
        for place, changed in enumerate(flipped_masks(mask, flipped)):
            if not changed.any():
                continue
            found = decisions[:, place]
            known = found, errors[:, place], 1.0, predicted[place]
            is_certain = is_known[place] and self._name_classes(*known)
            if criterion not in OF_DECISIONS:
                if not is_certain:
                    self._predict_exactly(changed, C, bias, predicted[place])
                continue
            if not is_certain:
                exact = self._decide_exactly(changed, C, bias, EXACT)
                found = exact.decisions
                self._name_classes(found, exact.errors, 0.0, predicted[place])
            judged[place] = self._of_classes(found)
        return Answers(predicted, judged)

    def _answer_each(
        self,
        mask: NDArray[np.bool_],
        C: float,
        criterion: Criterion,
        flipped: NDArray[np.int64],
        bias: float,
    ) -> Answers:
        """Answer flips as the masks that they lead to."""
        one_each = np.ones(len(flipped))
        changed = flipped_masks(mask, flipped)
        return self._answer(changed, C * one_each, criterion, bias * one_each)

    def _decide_flips(
        self, mask: NDArray[np.bool_], C: float, flipped: NDArray[np.int64], bias: float
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]:
        """Return decisions, bounds of their errors, and of which flips they are.

        The first two of shape (n_machines, n_flips, n_clips).
        """
        n_machines, n_clips = self._targets.shape
        decisions, errors = np.zeros((2, n_machines, len(flipped), n_clips))
        states = np.zeros(len(flipped), np.int64)
        for problem in self._problems():
            state = problem.decide_flips(mask, C, bias, flipped, decisions, errors)
            states = np.maximum(states, state)
        return decisions, errors, states == SOLVED

    def _are_within(
        self, decisions: NDArray[np.float64], errors: NDArray[np.float64]
    ) -> NDArray[np.bool_]:
        """Return which flips are right within ``_FLIPS_EXACT``, (n_flips,)."""
        are_within = np.ones(decisions.shape[1], np.bool_)
        for fold in self._asked:
            held = slice(*self._folds.edges[fold : fold + 2])
            largest = np.abs(decisions[..., held]).max(axis=2, keepdims=True)
            are_within &= (errors[..., held] <= _FLIPS_EXACT * largest).all(axis=(0, 2))
        return are_within


def flipped_masks(mask: NDArray[np.bool_], flipped: NDArray[np.int64]) -> Masks:
    """Return a mask with each of some features flipped, (n_flips, n_features)."""
    changed = np.tile(mask, (len(flipped), 1))
    changed[np.arange(len(flipped)), flipped] ^= True
    return changed


def compile_kernels(part: int) -> None:
    """Compile what scores masks: an even ``part`` all but the folds, an odd one those.

    Compiled code is kept on disk, so that two processes that begin with one half each have
    both in little more than the time of the longer one.
    """
    labels, subjects = np.arange(4) % 2, np.arange(4) // 2
    n_features = 64 if part % 2 == 0 else 8
    fitness = SubjectFoldFitness(np.ones((4, n_features)), labels, subjects)
    masks = np.ones((1, n_features), np.bool_)
    if part % 2 == 0:
        for problem in fitness._problems():
            list(problem.grams(masks))
        fitness.training_accuracies(masks, [1.0])
    else:
        fitness.predictions(masks, [1.0])

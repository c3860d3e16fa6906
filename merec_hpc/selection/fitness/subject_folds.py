"""Scores masks by linear SVMs that leave each training subject out."""

from collections.abc import Iterator, Sequence
from copy import copy
from itertools import groupby
from operator import call
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from merec_hpc.config.base import ClassWeight, ScalingName
from merec_hpc.config.selection import Criterion
from merec_hpc.criteria import OF_DECISIONS, fold_accuracies, mu, score_answers
from merec_hpc.kernels.leave_out import leave_nothing_out
from merec_hpc.kernels.pivoting import SOLVED
from merec_hpc.kernels.prediction import predict
from merec_hpc.learning.scaling import Scaling
from merec_hpc.records import Masks
from merec_hpc.selection.fitness.inner_folds import InnerFolds
from merec_hpc.selection.fitness.inner_problem import InnerProblem, Share, System
from merec_hpc.selection.fitness.least_squares import fit_support, rotate
from merec_hpc.selection.fitness.reordered import ReorderedProblem

_FLIPS_AT_ONCE = 1024  # whose decisions are in memory


class SubjectFoldFitness:
    """Leave-one-subject-out accuracy of masks, from one Gram matrix each.

    L2-regularised L2-loss linear SVMs, one-vs-rest, without bias (LIBLINEAR ``-s 1 -B -1``),
    solved exactly. What a mask scores depends on the mask and C alone, not on the batch in
    which it is scored: predictions from single-precision Gram matrices count where no
    rounding error can change them, and are made anew in double precision elsewhere. Criteria of
    decisions (``criteria.OF_DECISIONS``) are of double precision alone.
    """

    def __init__(
        self,
        features: ArrayLike,
        labels: ArrayLike,
        subjects: ArrayLike,
        *,
        scaling: ScalingName = "none",
        class_weight: ClassWeight = "none",
        n_folds: int | None = None,
        share: Share = call,
    ) -> None:
        """Take the training clips of one fold.

        Parameters
        ----------
        features
            Shape (n_clips, n_features).
        labels
            Class of each clip, shape (n_clips,).
        subjects
            Subject of each clip, shape (n_clips,).
        scaling
            "standard" standardises every feature by the training clips of each inner fold.
        class_weight
            "balanced" weighs C by class, see ``InnerFolds.balanced_weights``.
        n_folds
            Number of inner folds of whole subjects, of about as many clips each; ``None``
            leaves one subject out at a time.
        share
            Returns what its argument makes, once for all processes of a node.

        Raises
        ------
        ValueError
            If shapes do not fit, values are not finite, all clips are of one subject or one
            class, or there are fewer subjects than folds.
        """
        values = np.asarray(features)
        shapes = (values.shape[:1], np.shape(labels), np.shape(subjects))
        if values.ndim != 2 or len(shapes[1]) != 1 or len(set(shapes)) != 1:
            msg = (
                "features (n_clips, n_features), labels and subjects (n_clips,) expected, found "
                f"{values.shape}, {shapes[1]} and {shapes[2]}"
            )
            raise ValueError(msg)
        if not np.isfinite(values).all():
            msg = "finite features expected, found NaN or infinity"
            raise ValueError(msg)
        self._folds = InnerFolds.of(labels, subjects, n_folds)
        self._kept = share(lambda: np.asfortranarray(values[self._folds.order], np.float64))
        self._rows: NDArray[np.int64] | None = None  # of the kept clips, where others keep them
        self._targets, self._is_trained = self._folds.targets, self._folds.is_trained
        self._scaling, self._class_weight = scaling, class_weight
        self._unscaled = None
        if scaling == "none":
            self._unscaled = self._inner_problem(self._values, 0, self._folds.n_folds, share)

    @property
    def n_features(self) -> int:
        """Number of features that a mask chooses from."""
        return int(self._kept.shape[1])

    @property
    def _values(self) -> NDArray[np.float64]:
        """The features in the order of the folds: a copy, where another grouping keeps them."""
        return self._kept if self._rows is None else self._kept[self._rows]

    @property
    def features(self) -> NDArray[np.float64]:
        """The training clips' features, (n_clips, n_features), in the order of the folds."""
        return self._values

    @property
    def folds(self) -> InnerFolds:
        """Who is left out when, and the clips' classes."""
        return self._folds

    @property
    def classes(self) -> NDArray[np.generic]:
        """The classes, as they were given, sorted, (n_classes,)."""
        return self._folds.classes

    @property
    def groupings(self) -> Sequence[Self]:
        """Those whose fitness is the mean fitness: this one alone."""
        return (self,)

    def regrouped(self, fold_of: NDArray[np.int64]) -> Self:
        """Return the same clips in other inner folds; the features are kept once for both.

        Parameters
        ----------
        fold_of
            The fold of each subject, in the order of ``folds.subjects``, shape (n_subjects,).
        """
        other = copy(self)
        other._folds = self._folds.regrouped(fold_of)
        other._targets, other._is_trained = other._folds.targets, other._folds.is_trained
        rows = np.argsort(self._folds.order)[other._folds.order]
        other._rows = rows if self._rows is None else self._rows[rows]
        if self._unscaled is not None:
            systems = other._systems(0, other._folds.n_folds)
            other._unscaled = ReorderedProblem(self._unscaled, rows, other._targets, systems)
        return other

    def combined(
        self,
        sizes: ArrayLike,  # noqa: ARG002  # one form for all that score
        scores: Sequence[NDArray[np.float64]],
    ) -> NDArray[np.float64]:
        """Return the fitness of masks from their scores on each of ``groupings``, (n,)."""
        (own,) = scores
        return own

    def score(self, masks: Masks, C: ArrayLike, criterion: Criterion) -> NDArray[np.float64]:
        """Return the fitness by a named criterion, in [0, 1], shape (n_individuals,).

        An empty mask scores 0.
        """
        return self.judge(self.answers(masks, C, criterion), criterion)

    def rate(self, masks: Masks, C: ArrayLike, criterion: Criterion) -> NDArray[np.float64]:
        """Return the fitness, and the mean accuracy over the folds, shape (n_individuals, 2)."""
        means = mu(self.fold_accuracies(masks, C))
        return np.stack([self.score(masks, C, criterion), means], axis=1)

    def answers(self, masks: Masks, C: ArrayLike, criterion: Criterion) -> NDArray[Any]:
        """Return what a criterion is of, for ``judge``; clips in the order of the folds.

        Predictions, shape (n_individuals, n_clips), -1 for an empty mask; or decisions, shape
        (n_individuals, n_clips, n_classes), NaN for an empty mask.
        """
        if criterion not in OF_DECISIONS:
            return self._predict(masks, C)
        found = np.full((len(masks), *self._is_trained.shape), np.nan)
        for row, mask, machines in zip(
            found, masks, self._decide_each(*self._check(masks, C)), strict=True
        ):
            if mask.any():
                row[:] = self._of_classes(machines)
        return found

    def fold_accuracies(self, masks: Masks, C: ArrayLike) -> NDArray[np.float64]:
        """Return the accuracy on each left-out subject, shape (n_individuals, n_folds).

        Folds stand in the sorted order of subjects; an empty mask scores 0.

        Parameters
        ----------
        masks
            Shape (n_individuals, n_features).
        C
            Penalty of each individual, shape (n_individuals,).
        """
        return fold_accuracies(self._predict(masks, C), self._folds.labels, self._folds.folds)

    def predictions(self, masks: Masks, C: ArrayLike) -> NDArray[np.int64]:
        """Return the class of every clip by the SVM that never saw its subject.

        Shape (n_individuals, n_clips), an index into ``classes``; -1 for an empty mask.
        """
        predicted = np.empty((len(masks), len(self._folds.order)), np.int64)
        predicted[:, self._folds.order] = self._predict(masks, C)
        return predicted

    def decisions(self, masks: Masks, C: ArrayLike) -> NDArray[np.float64]:
        """Return the decision values of every clip by the SVM that never saw its subject.

        Shape (n_individuals, n_clips, n_classes); minus infinity for a class that has no
        clip among the training clips of that SVM.
        """
        decisions = np.empty((len(masks), *self._is_trained.shape))
        for individual, machines in enumerate(self._decide_each(*self._check(masks, C))):
            decisions[individual, self._folds.order] = self._of_classes(machines)
        return decisions

    def score_flips(
        self, mask: NDArray[np.bool_], C: float, criterion: Criterion, flipped: ArrayLike
    ) -> NDArray[np.float64]:
        """Return the fitness of a mask with each of some features joining or leaving it.

        What ``score`` says of each of those masks, at a fraction of the cost: a feature changes
        the Gram matrix by one of rank one.

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
        return self.rate_flips(mask, C, criterion, flipped)[:, 0]

    def rate_flips(
        self, mask: NDArray[np.bool_], C: float, criterion: Criterion, flipped: ArrayLike
    ) -> NDArray[np.float64]:
        """Return ``score_flips``, and the mean accuracy over the folds, shape (n_flips, 2)."""
        places = np.asarray(flipped, np.int64)
        self._check(mask[None], [C])
        parts = [
            self._rate_flips(mask, C, criterion, places[first : first + _FLIPS_AT_ONCE])
            for first in range(0, len(places), _FLIPS_AT_ONCE)
        ]
        return np.concatenate([np.empty((0, 2)), *parts])

    def judge(self, answers: NDArray[Any], criterion: Criterion) -> NDArray[np.float64]:
        """Return the fitness of ``answers``, shape (n_individuals,)."""
        return score_answers(criterion, answers, self._folds.labels, self._folds.folds)

    def _rate_flips(
        self, mask: NDArray[np.bool_], C: float, criterion: Criterion, flipped: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """Rate so many flips that their decisions are in memory."""
        predicted = np.full((len(flipped), len(self._folds.order)), -1)
        of_decisions = np.zeros(len(flipped))
        unused = np.empty_like(self._targets)
        for place, machines in enumerate(self._decide_flips(mask, C, flipped)):
            if machines is None:
                continue
            predict(machines, unused, 0.0, self._is_trained, predicted[place])
            if criterion in OF_DECISIONS:
                of_decisions[place] = self.judge(self._of_classes(machines)[None], criterion)[0]
        means = mu(fold_accuracies(predicted, self._folds.labels, self._folds.folds))
        scores = of_decisions if criterion in OF_DECISIONS else self.judge(predicted, criterion)
        return np.stack([scores, means], axis=1)

    def _decide_flips(
        self, mask: NDArray[np.bool_], C: float, flipped: NDArray[np.int64]
    ) -> Iterator[NDArray[np.float64] | None]:
        """Yield the decisions of each changed mask, (n_machines, n_clips); None of an empty one."""
        n_machines, n_clips = self._targets.shape
        decisions = np.empty((n_machines, len(flipped), n_clips))
        states = np.zeros(len(flipped), np.int64)
        for problem in self._problems():
            states = np.maximum(states, problem.decide_flips(mask, C, flipped, decisions))
        for place, feature in enumerate(flipped):
            changed = mask.copy()
            changed[feature] ^= True
            if not changed.any():
                yield None
            elif states[place] == SOLVED:
                yield np.ascontiguousarray(decisions[:, place])
            else:
                yield self._decide_exactly(changed, C)

    def training_accuracies(self, masks: Masks, C: ArrayLike) -> NDArray[np.float64]:
        """Return the accuracy on the very clips that an SVM is trained on, (n_individuals,).

        Scaling and class weights are those of all clips.
        """
        everyone = np.ones(len(self._values), np.bool_)
        features = self._values if self._scaling == "none" else self._scaled(everyone)
        weights = self._weights(everyone)
        accuracies = np.zeros(len(masks))
        for individual, (mask, penalty) in enumerate(zip(*self._check(masks, C), strict=True)):
            decisions = self._decide_training(features[:, mask], penalty * weights)
            predicted = self._both_signs(decisions).argmax(axis=0)
            accuracies[individual] = mask.any() * (predicted == self._folds.labels).mean()
        return accuracies

    def weights(self, masks: Masks, C: ArrayLike) -> NDArray[np.float64]:
        """Return the SVMs that are trained on all clips, (n_individuals, n_classes, n_features).

        Exactly solved; 0 for features outside of a mask. A class's decision value is its row
        times the features, scaled as those of ``SubjectFoldFitness`` are.
        """
        everyone = np.ones(len(self._values), np.bool_)
        features = self._values if self._scaling == "none" else self._scaled(everyone)
        shares = self._weights(everyone)
        found = np.zeros((len(masks), len(self.classes), self.n_features))
        for individual, (mask, penalty) in enumerate(zip(*self._check(masks, C), strict=True)):
            chosen = features[:, mask]
            decisions = self._decide_training(chosen, penalty * shares)
            # beta is what a clip's margin lacks, times 2 C: w = X' beta.
            lacking = np.maximum(1 - self._targets * decisions, 0.0)
            dual = 2 * penalty * shares * self._targets * lacking
            found[individual][:, mask] = self._both_signs(dual @ chosen)
        return found

    def _decide_training(
        self, chosen: NDArray[np.float64], penalties: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Return decisions of machines that are trained on all clips, (n_machines, n_clips)."""
        decisions = np.empty_like(self._targets)
        gram = chosen @ chosen.T
        for machine, (target, C) in enumerate(zip(self._targets, penalties, strict=True)):
            row = decisions[machine : machine + 1]
            if leave_nothing_out(gram, 0.5 / C, target[None], row) != SOLVED:
                values = rotate(chosen)
                everyone = np.ones(len(values), np.bool_)
                row[0] = values @ fit_support(values, target, C, everyone)
        return decisions

    def _predict(self, masks: Masks, C: ArrayLike) -> NDArray[np.int64]:
        """Return predicted classes with the clips in the order of the folds."""
        masks, penalties = self._check(masks, C)
        shape = (len(masks), *self._targets.shape)
        decisions, reach = np.zeros(shape), np.zeros(shape)
        predicted = np.full((len(masks), len(self._folds.order)), -1)
        is_solved = np.ones(len(masks), np.bool_)
        # Individuals that differ by C alone share their Gram matrix.
        members: dict[bytes, list[int]] = {}
        for individual in np.flatnonzero(masks.any(axis=1)).tolist():
            members.setdefault(masks[individual].tobytes(), []).append(individual)
        distinct = masks[[individuals[0] for individuals in members.values()]]
        precision = 0.0
        for problem in self._problems():
            precision = problem.precision
            for gram, individuals in zip(problem.grams(distinct), members.values(), strict=True):
                for place in individuals:
                    state = problem.decide(gram, penalties[place], decisions[place], reach[place])
                    is_solved[place] &= state == SOLVED
        for place in (place for individuals in members.values() for place in individuals):
            arguments = (reach[place], precision, self._is_trained, predicted[place])
            if not (is_solved[place] and predict(decisions[place], *arguments)):
                exact = self._decide_exactly(masks[place], penalties[place])
                predict(exact, reach[place], 0.0, self._is_trained, predicted[place])
        return predicted

    def _decide_exactly(self, mask: NDArray[np.bool_], penalty: float) -> NDArray[np.float64]:
        """Return decisions, (n_machines, n_clips), that depend on mask and C alone."""
        (decisions,) = self._decide_each(mask[None], np.array([penalty]))
        return np.asarray(decisions, np.float64)

    def _decide_each(self, masks: Masks, penalties: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return ``_decide_exactly`` of each individual, (n_individuals, n_machines, n_clips)."""
        decisions = np.zeros((len(masks), *self._targets.shape))
        unused = np.empty_like(self._targets)
        for problem in self._problems():
            # Individuals side by side that differ by C alone share their Gram matrix.
            for _, alike in groupby(range(len(masks)), key=lambda row: masks[row].tobytes()):
                rows = list(alike)
                gram = problem.exact_gram(masks[rows[0]])
                for row in rows:
                    state = problem.decide(gram, penalties[row], decisions[row], unused)
                    if state != SOLVED:
                        problem.decide_slowly(masks[row], penalties[row], decisions[row])
        return decisions

    def _problems(self) -> Iterator[InnerProblem]:
        """Yield one problem for all folds, or with scaled features one for each."""
        if self._unscaled is not None:
            yield self._unscaled
            return
        for fold in range(self._folds.n_folds):
            scaled = self._scaled(self._folds.folds != fold)
            yield self._inner_problem(scaled, fold, fold + 1)

    def _scaled(self, training: NDArray[np.bool_]) -> NDArray[np.float64]:
        scaling = Scaling.fit(self._values[training], self._scaling)
        return np.asfortranarray(scaling.apply(self._values))

    def _inner_problem(
        self, features: NDArray[np.float64], first: int, last: int, share: Share = call
    ) -> InnerProblem:
        """Return the problem of the folds first..last."""
        return InnerProblem(features, self._targets, self._systems(first, last), share)

    def _systems(self, first: int, last: int) -> list[System]:
        """Return what the machines of the folds first..last share."""
        edges = self._folds.edges
        if self._class_weight == "balanced":
            return [
                System(edges[fold : fold + 2], slice(machine, machine + 1), weights)
                for fold in range(first, last)
                for machine, weights in enumerate(self._weights(self._folds.folds != fold))
            ]
        every, penalties = slice(0, len(self._targets)), np.ones(len(self._folds.order))
        return [System(edges[first : last + 1], every, penalties)]

    def _weights(self, training: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Return the weight of C of each clip in each machine, (n_machines, n_clips)."""
        if self._class_weight == "none":
            return np.ones_like(self._targets)
        return self._folds.balanced_weights(training)

    def _check(self, masks: Masks, C: ArrayLike) -> tuple[Masks, NDArray[np.float64]]:
        """Return the masks and penalties if their shapes fit."""
        penalties = np.asarray(C, np.float64)
        if masks.shape[1:] != (self.n_features,) or penalties.shape != masks.shape[:1]:
            msg = (
                f"masks (n, {self.n_features}) and C (n,) expected, "
                f"found {masks.shape} and {penalties.shape}"
            )
            raise ValueError(msg)
        if masks.dtype != np.bool_:
            msg = f"masks of type bool expected, found {masks.dtype}"
            raise ValueError(msg)
        if not (np.isfinite(penalties) & (penalties > 0)).all():
            msg = f"C above 0 expected, found {penalties.min():g}"
            raise ValueError(msg)
        return masks, penalties

    def _of_classes(self, machines: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return decisions by class, (n_clips, n_classes), minus infinity for untrained ones."""
        return np.where(self._is_trained, self._both_signs(machines).T, -np.inf)

    def _both_signs(self, machines: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return one row a class, from one row a machine."""
        return np.concatenate([machines, -machines]) if len(self.classes) == 2 else machines


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

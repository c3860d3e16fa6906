"""Scores masks by linear SVMs that leave each training subject out."""

from collections.abc import Iterator, Sequence
from copy import copy
from dataclasses import dataclass, replace
from functools import cached_property
from operator import call
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from merec_hpc.config.base import ClassWeight, ScalingName
from merec_hpc.config.selection import Criterion
from merec_hpc.criteria import OF_DECISIONS, fold_accuracies, mu, score_answers
from merec_hpc.kernels import few
from merec_hpc.kernels.pivoting import SOLVED
from merec_hpc.kernels.prediction import predict
from merec_hpc.learning.bias import bias_feature, mean_squares, with_constant
from merec_hpc.learning.scaling import Scaling
from merec_hpc.records import LinearMachines, Masks
from merec_hpc.selection.fitness.exact_folds import Exact
from merec_hpc.selection.fitness.genome import Genome, n_selected
from merec_hpc.selection.fitness.inner_folds import InnerFolds
from merec_hpc.selection.fitness.inner_problem import InnerProblem, Share, System
from merec_hpc.selection.fitness.least_squares import IllConditionedError
from merec_hpc.selection.fitness.reordered import ReorderedProblem
from merec_hpc.selection.fitness.training import train_machines, violation

EXACT = 1e-9
"""Error of a decision, in units of the largest of its fold and machine, at most."""
_FLIPS_EXACT = 1e-8  # the same of a flip, for criteria of decisions
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


@dataclass(frozen=True)
class TrainingClips:
    """All clips, as those that an SVM is trained on."""

    kept: NDArray[np.float64]  # (n_clips, n_features)
    rows: NDArray[np.int64] | None = None  # of the kept clips, where others keep them

    @property
    def features(self) -> NDArray[np.float64]:
        """The clips' features, (n_clips, n_features): a copy, where others keep them."""
        return self.kept if self.rows is None else self.kept[self.rows]

    @cached_property
    def squares(self) -> NDArray[np.float64]:
        """Mean square of each feature, (n_features,)."""
        return mean_squares(self.features)

    def constant(self, mask: NDArray[np.bool_], bias: float) -> float:
        """Return the feature that a bias gives every clip."""
        return bias_feature(self.squares, mask, bias) if bias else 0.0

    def chosen(self, mask: NDArray[np.bool_], bias: float) -> NDArray[np.float64]:
        """Return what an SVM sees of the clips: with a bias, one feature more."""
        return with_constant(self.features[:, mask], self.constant(mask, bias))

    def weighted(self, weights: NDArray[np.float64] | None) -> Self:
        """Return the clips with every feature multiplied by its weight, (n_features,)."""
        return self if weights is None else replace(self, kept=self.kept * weights)


class SubjectFoldFitness:
    """Leave-one-subject-out accuracy of masks, from one Gram matrix each.

    L2-regularised L2-loss linear SVMs, one-vs-rest (LIBLINEAR ``-s 1``), solved exactly. What
    a mask scores depends on the mask, C and bias alone, not on the batch in which it is
    scored: predictions from single-precision Gram matrices count where no rounding error can
    change them, and are made anew in double precision elsewhere. Criteria of decisions
    (``criteria.OF_DECISIONS``) are of double precision alone.

    Every individual may have a bias b, at least 0, without which there is none (``-B -1``): a
    feature that is the same for all clips, b times the root of their mean squared length under
    the mask (see ``learning.bias``). That mean is over all clips that the fitness holds, so
    that every inner fold has the same constant; with scaling "standard" it is over the training
    clips of each inner fold, whose features are its own.
    """

    genome: Genome | None = None
    """What the genes of a mask stand for, where they are not features: see ``UnitFitness``."""

    def __init__(
        self,
        features: ArrayLike,
        labels: ArrayLike,
        subjects: ArrayLike,
        *,
        scaling: ScalingName = "none",
        class_weight: ClassWeight = "none",
        n_folds: int | None = None,
        feature_weights: NDArray[np.float64] | None = None,
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
        feature_weights
            What the given features have been multiplied by, (n_features,), for selectors that
            standardise them anew; nothing else reads it.
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
        kept = share(lambda: np.asfortranarray(values[self._folds.order], np.float64))
        self._all_clips = TrainingClips(kept)
        self._targets, self._is_trained = self._folds.targets, self._folds.is_trained
        self._scaling, self._class_weight = scaling, class_weight
        self.feature_weights = feature_weights
        self._ask(0, self._folds.n_folds)
        self._unscaled = None
        if scaling == "none":
            self._unscaled = self._inner_problem(self._values, 0, self._folds.n_folds, share)

    @property
    def n_features(self) -> int:
        """Number of features that a mask chooses from."""
        return int(self._all_clips.kept.shape[1])

    @property
    def _values(self) -> NDArray[np.float64]:
        """The features in the order of the folds: a copy, where another grouping keeps them."""
        return self._all_clips.features

    @property
    def features(self) -> NDArray[np.float64]:
        """The training clips' features, (n_clips, n_features), in the order of the folds."""
        return self._values

    def columns(self, mask: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Return what a mask chooses of the clips, (n_clips, n_chosen)."""
        return self._values[:, mask]

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
        other._ask(0, other._folds.n_folds)
        rows = np.argsort(self._folds.order)[other._folds.order]
        mine = self._all_clips
        other._all_clips = TrainingClips(mine.kept, rows if mine.rows is None else mine.rows[rows])
        if self._unscaled is not None:
            systems = other._systems(0, other._folds.n_folds)
            other._unscaled = ReorderedProblem(self._unscaled, rows, other._targets, systems)
        return other

    def _of_fold(self, fold: int) -> Self:
        """Return the same where one fold alone is asked: what is said of other clips is void."""
        other = copy(self)
        other._ask(fold, fold + 1)
        if self._unscaled is not None:
            other._unscaled = self._unscaled.of_systems(self._systems(fold, fold + 1))
        return other

    def _ask(self, first: int, last: int) -> None:
        """Let the folds first..last be those that are asked, and their clips those that count."""
        self._asked = range(first, last)
        self._clips = slice(*self._folds.edges[[first, last]].tolist())

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

    def predictions(
        self, masks: Masks, C: ArrayLike, bias: ArrayLike | None = None
    ) -> NDArray[np.int64]:
        """Return the class of every clip by the SVM that never saw its subject.

        Shape (n_individuals, n_clips), an index into ``classes``; -1 for an empty mask.
        """
        predicted = np.empty((len(masks), len(self._folds.order)), np.int64)
        predicted[:, self._folds.order] = self._predict(masks, C, bias)
        return predicted

    def decisions(
        self, masks: Masks, C: ArrayLike, bias: ArrayLike | None = None
    ) -> NDArray[np.float64]:
        """Return the decision values of every clip by the SVM that never saw its subject.

        Shape (n_individuals, n_clips, n_classes); minus infinity for a class that has no
        clip among the training clips of that SVM.
        """
        decisions = np.empty((len(masks), *self._is_trained.shape))
        for individual, one in enumerate(zip(*self._check(masks, C, bias), strict=True)):
            found = self._decide_exactly(*one, EXACT).decisions
            decisions[individual, self._folds.order] = self._of_classes(found)
        return decisions

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

    def training_accuracies(
        self, masks: Masks, C: ArrayLike, bias: ArrayLike | None = None
    ) -> NDArray[np.float64]:
        """Return the accuracy on the very clips that an SVM is trained on, (n_individuals,).

        Scaling, class weights and the unit of a bias are those of all clips.
        """
        accuracies = np.zeros(len(masks))
        individuals = zip(*self._check(masks, C, bias), strict=True)
        for individual, (mask, penalty, one) in enumerate(individuals):
            decisions, _, _ = self._train(*self._seen(mask), penalty, one)
            predicted = self._both_signs(decisions).argmax(axis=0)
            accuracies[individual] = mask.any() * (predicted == self._folds.labels).mean()
        return accuracies

    def machines(
        self,
        masks: Masks,
        C: ArrayLike,
        bias: ArrayLike | None = None,
        weights: NDArray[np.float64] | None = None,
    ) -> LinearMachines:
        """Return the SVMs that are trained on all clips, one an individual.

        Exactly solved; their weights are 0 for features outside of a mask. They are of features
        that are scaled as those of ``SubjectFoldFitness`` are.

        Parameters
        ----------
        weights
            What each scaled feature is multiplied by before, (n_individuals, n_features), above 0
            inside of a mask: the machines' weights are those of features without it.
        """
        everyone = self._everyone()
        found_weights = np.zeros((len(masks), len(self.classes), masks.shape[1]))
        intercepts = np.zeros(found_weights.shape[:2])
        individuals = zip(
            *self._check(masks, C, bias, self._all_clips.kept.shape[1]),
            self._check_weights(masks, weights),
            strict=True,
        )
        for individual, (mask, penalty, one, factors) in enumerate(individuals):
            clips = everyone.weighted(factors)
            _, trained, _ = self._train(clips, mask, penalty, one)
            found, constant = self._both_signs(trained), clips.constant(mask, one)
            inside = found[:, : np.count_nonzero(mask)]
            if factors is not None:
                inside = inside * factors[mask]
            found_weights[individual][:, mask] = inside
            if constant:  # the last feature
                intercepts[individual] = constant * found[:, -1]
        return LinearMachines(found_weights, intercepts)

    def _check_weights(
        self, masks: Masks, weights: NDArray[np.float64] | None
    ) -> Sequence[NDArray[np.float64] | None]:
        """Return the weights of each individual, if they fit; without them none of each."""
        if weights is None:
            return [None] * len(masks)
        if weights.shape != masks.shape or not (np.isfinite(weights) & (weights > 0))[masks].all():
            msg = f"weights {masks.shape}, above 0 inside of masks, expected, found {weights.shape}"
            msg += f" from {weights.min(initial=np.inf):g} to {weights.max(initial=0.0):g}"
            raise ValueError(msg)
        return list(weights)

    def _everyone(self) -> TrainingClips:
        """Return all clips, scaled by all."""
        if self._scaling == "none":
            return self._all_clips
        return TrainingClips(self._scaled(np.ones(len(self._values), np.bool_)))

    def certify(
        self, masks: Masks, C: ArrayLike, bias: ArrayLike | None = None
    ) -> NDArray[np.float64]:
        """Return the largest violation of the optimality conditions, (n_individuals,).

        Of all machines that ``decisions`` and ``machines`` speak of, taken in twice the working
        precision from the features: what 1 - y f, or 0 if that is negative, and y beta / (2 C)
        disagree by, in units of the machine's largest decision. The rounding of beta to doubles
        is seen, too: features of a large offset leave more. An empty mask has no machines, and 0.
        """
        individuals = zip(*self._check(masks, C, bias), strict=True)
        return np.array([self._certify(*one) if one[0].any() else 0.0 for one in individuals])

    def _certify(self, mask: NDArray[np.bool_], penalty: float, bias: float) -> float:
        found, worst = self._decide_exactly(mask, penalty, bias, EXACT), 0.0
        for problem in self._problems():
            for fold, seen in problem.seen(mask, bias):
                training = self._folds.folds != fold
                penalties = penalty * self._weights(training)[:, training]
                machines = self._targets[:, training], penalties, found.duals[:, fold, training]
                worst = max(worst, violation(seen[training], *machines))
        everyone = np.ones(len(self._values), np.bool_)
        clips, inside = self._seen(mask)
        _, _, duals = self._train(clips, inside, penalty, bias)
        chosen = clips.chosen(inside, bias)
        everything = violation(chosen, self._targets, penalty * self._weights(everyone), duals)
        return max(worst, everything)

    def _seen(self, mask: NDArray[np.bool_]) -> tuple[TrainingClips, NDArray[np.bool_]]:
        """Return the clips as the machines of a mask see them, and the features that it chooses."""
        return self._everyone(), mask

    def _train(
        self, clips: TrainingClips, mask: NDArray[np.bool_], penalty: float, bias: float
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """Return decisions, weights and beta of the machines that are trained on all clips."""
        penalties = penalty * self._weights(np.ones(len(self._values), np.bool_))
        chosen = clips.chosen(mask, bias)
        try:
            return train_machines(chosen, self._targets, penalties, EXACT)
        except IllConditionedError as error:
            raise IllConditionedError(_explain(clips.features[:, mask], penalty, error)) from None

    def _predict(self, masks: Masks, C: ArrayLike, bias: ArrayLike | None) -> NDArray[np.int64]:
        """Return predicted classes with the clips in the order of the folds."""
        masks, penalties, biases = self._check(masks, C, bias)
        shape = (len(masks), *self._targets.shape)
        decisions, reach = np.zeros(shape), np.zeros(shape)
        predicted = np.full((len(masks), len(self._folds.order)), -1)
        is_solved = np.ones(len(masks), np.bool_)
        left: list[int] = np.flatnonzero(masks.any(axis=1)).tolist()
        if len(self._asked) == 1:
            left = self._predict_few(left, masks, penalties, biases, predicted)
        # Individuals that differ by C or bias alone share their Gram matrix.
        members: dict[bytes, list[int]] = {}
        for individual in left:
            members.setdefault(masks[individual].tobytes(), []).append(individual)
        if not members:
            return predicted
        distinct = masks[[individuals[0] for individuals in members.values()]]
        precision = 0.0
        for problem in self._problems():
            precision = problem.precision
            for gram, individuals in zip(problem.grams(distinct), members.values(), strict=True):
                for place in individuals:
                    constant = problem.constant(masks[place], biases[place])
                    arguments = (decisions[place], reach[place], constant)
                    state = problem.decide(gram, penalties[place], *arguments)
                    is_solved[place] &= state == SOLVED
        for place in (place for individuals in members.values() for place in individuals):
            known = decisions[place], reach[place], precision, predicted[place]
            if not (is_solved[place] and self._name_classes(*known)):
                one = masks[place], penalties[place], biases[place]
                self._predict_exactly(*one, predicted[place])
        return predicted

    def _predict_few(
        self,
        individuals: list[int],
        masks: Masks,
        penalties: NDArray[np.float64],
        biases: NDArray[np.float64],
        predicted: NDArray[np.int64],
    ) -> list[int]:
        """Write what is certain of masks of few features; return the other individuals."""
        sizes, left = n_selected(self.genome, masks), []
        decisions, reach = np.zeros(self._targets.shape), np.zeros(self._targets.shape)
        for problem in self._problems():
            for place in individuals:
                if problem.is_few(sizes[place]):
                    constant = problem.constant(masks[place], biases[place])
                    chosen = with_constant(problem.chosen(masks[place]), constant)
                    state = problem.decide_few(chosen, penalties[place], decisions, reach)
                    known = decisions, reach, few.PRECISION, predicted[place]
                    if state == SOLVED and self._name_classes(*known):
                        continue
                left.append(place)
        return left

    def _predict_exactly(
        self, mask: NDArray[np.bool_], C: float, bias: float, predicted: NDArray[np.int64]
    ) -> None:
        """Write predicted classes, (n_clips,), that depend on mask, C and bias alone."""
        found = self._decide_exactly(mask, C, bias, EXACT, self._is_trained)
        self._name_classes(found.decisions, found.errors, 0.0, predicted)

    def _name_classes(
        self,
        decisions: NDArray[np.float64],
        reach: NDArray[np.float64],
        precision: float,
        predicted: NDArray[np.int64],
    ) -> bool:
        """Write the classes of the clips that are asked about; return whether they are certain."""
        clips = self._clips
        decided = np.ascontiguousarray(decisions[:, clips]), np.ascontiguousarray(reach[:, clips])
        certain = predict(*decided, precision, self._is_trained[clips], predicted[clips])
        return bool(certain)

    def _decide_exactly(
        self,
        mask: NDArray[np.bool_],
        penalty: float,
        bias: float,
        tolerance: float,
        is_trained: NDArray[np.bool_] | None = None,
    ) -> Exact:
        """Return decisions that depend on mask, C and bias alone, as ``InnerProblem`` has them."""
        found = Exact.empty(self._targets, self._folds.n_folds)
        try:
            for problem in self._problems():
                constant = problem.constant(mask, bias)
                problem.decide_exactly(mask, penalty, constant, tolerance, found, is_trained)
        except IllConditionedError as error:
            raise IllConditionedError(_explain(self.columns(mask), penalty, error)) from None
        return found

    def _problems(self) -> Iterator[InnerProblem]:
        """Yield one problem for all folds, or with scaled features one for each."""
        if self._unscaled is not None:
            yield self._unscaled
            return
        for fold in self._asked:
            training = self._folds.folds != fold
            scaled = self._scaled(training)
            yield self._inner_problem(scaled, fold, fold + 1, measured=training)

    def _scaled(self, training: NDArray[np.bool_]) -> NDArray[np.float64]:
        scaling = Scaling.fit(self._values[training], self._scaling)
        return np.asfortranarray(scaling.apply(self._values))

    def _inner_problem(
        self,
        features: NDArray[np.float64],
        first: int,
        last: int,
        share: Share = call,
        measured: NDArray[np.bool_] | None = None,
    ) -> InnerProblem:
        """Return the problem of the folds first..last."""
        others = self._targets, self._systems(first, last), share, measured
        return self._make_problem(features, *others)

    def _make_problem(self, features: NDArray[np.float64], *others: Any) -> InnerProblem:
        """Return what solves some folds, from what ``InnerProblem`` takes."""
        return InnerProblem(features, *others)

    def _systems(self, first: int, last: int) -> list[System]:
        """Return what the machines of the folds first..last share."""
        edges, targets = self._folds.edges, self._targets
        if self._class_weight == "balanced":
            return [
                System(edges[fold : fold + 2], slice(machine, machine + 1), weights, fold)
                for fold in range(first, last)
                for machine, weights in enumerate(self._weights(self._folds.folds != fold))
            ]
        every, penalties = slice(0, len(targets)), np.ones(len(self._folds.order))
        return [System(edges[first : last + 1], every, penalties, first)]

    def _weights(self, training: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Return the weight of C of each clip in each machine, (n_machines, n_clips)."""
        if self._class_weight == "none":
            return np.ones_like(self._targets)
        return self._folds.balanced_weights(training)

    def _check(
        self, masks: Masks, C: ArrayLike, bias: ArrayLike | None, n_features: int | None = None
    ) -> tuple[Masks, NDArray[np.float64], NDArray[np.float64]]:
        """Return masks, penalties and biases if their shapes fit; without it of ``n_features``."""
        n_wanted = self.n_features if n_features is None else n_features
        penalties = np.asarray(C, np.float64)
        biases = np.zeros_like(penalties) if bias is None else np.asarray(bias, np.float64)
        one_each = masks.shape[:1]
        if (masks.shape[1:], penalties.shape, biases.shape) != (
            (n_wanted,),
            one_each,
            one_each,
        ):
            msg = (
                f"masks (n, {n_wanted}), C (n,) and bias (n,) expected, "
                f"found {masks.shape}, {penalties.shape} and {biases.shape}"
            )
            raise ValueError(msg)
        if masks.dtype != np.bool_:
            msg = f"masks of type bool expected, found {masks.dtype}"
            raise ValueError(msg)
        if not (np.isfinite(penalties) & (penalties > 0)).all():
            msg = f"C above 0 expected, found {penalties.min():g}"
            raise ValueError(msg)
        if not (np.isfinite(biases) & (biases >= 0)).all():
            msg = f"a bias of at least 0 expected, found {biases.min():g}"
            raise ValueError(msg)
        return masks, penalties, biases

    def _of_classes(self, machines: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return decisions by class, (n_clips, n_classes), minus infinity for untrained ones."""
        return np.where(self._is_trained, self._both_signs(machines).T, -np.inf)

    def _both_signs(self, machines: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return one row a class, from one row a machine."""
        return np.concatenate([machines, -machines]) if len(self.classes) == 2 else machines


def flipped_masks(mask: NDArray[np.bool_], flipped: NDArray[np.int64]) -> Masks:
    """Return a mask with each of some features flipped, (n_flips, n_features)."""
    changed = np.tile(mask, (len(flipped), 1))
    changed[np.arange(len(flipped)), flipped] ^= True
    return changed


def _explain(chosen: NDArray[np.float64], penalty: float, error: Exception) -> str:
    """Return one line that says what double precision cannot hold."""
    sizes = np.sqrt(np.mean(chosen**2, axis=0))
    sizes = sizes[sizes > 0]
    return (
        f"features that double precision can hold expected, found root mean squares from "
        f"{sizes.min():.1e} to {sizes.max():.1e} at C {penalty:g} ({error}): scaling: standard "
        "helps"
    )


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

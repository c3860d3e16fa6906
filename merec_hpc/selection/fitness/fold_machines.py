"""The machines that leave each training subject out: what they predict of whom they never saw."""

from collections.abc import Iterator, Sequence
from copy import copy
from operator import call
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from merec_hpc.config.base import ClassWeight, ScalingName
from merec_hpc.kernels import few
from merec_hpc.kernels.pivoting import SOLVED
from merec_hpc.kernels.prediction import predict
from merec_hpc.learning.bias import with_constant
from merec_hpc.learning.scaling import Scaling
from merec_hpc.records import LinearMachines, Masks
from merec_hpc.selection.fitness.exact_folds import Exact
from merec_hpc.selection.fitness.genome import Genome, n_selected
from merec_hpc.selection.fitness.inner_folds import InnerFolds
from merec_hpc.selection.fitness.inner_problem import InnerProblem, Share, System
from merec_hpc.selection.fitness.least_squares import IllConditionedError
from merec_hpc.selection.fitness.reordered import ReorderedProblem
from merec_hpc.selection.fitness.training import train_machines, violation
from merec_hpc.selection.fitness.training_clips import TrainingClips

EXACT = 1e-9
"""Error of a decision, in units of the largest of its fold and machine, at most."""


class FoldMachines:
    """The SVMs of masks, trained without each subject in turn, from one Gram matrix a mask.

    L2-regularised L2-loss linear SVMs, one-vs-rest (LIBLINEAR ``-s 1``), solved exactly. What
    they say depends on the mask, C and bias alone, not on the batch that a mask is in:
    predictions from single-precision Gram matrices count where no rounding error can
    change them, and are made anew in double precision elsewhere. Decisions are of double
    precision alone.

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
        that are scaled as ``scaling`` says.

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


def _explain(chosen: NDArray[np.float64], penalty: float, error: Exception) -> str:
    """Return one line that says what double precision cannot hold."""
    sizes = np.sqrt(np.mean(chosen**2, axis=0))
    sizes = sizes[sizes > 0]
    return (
        f"features that double precision can hold expected, found root mean squares from "
        f"{sizes.min():.1e} to {sizes.max():.1e} at C {penalty:g} ({error}): scaling: standard "
        "helps"
    )

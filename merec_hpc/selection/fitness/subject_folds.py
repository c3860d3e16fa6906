"""Scores masks by linear SVMs that leave each training subject out."""

from collections.abc import Iterator
from operator import call

import numpy as np
from numpy.typing import ArrayLike, NDArray

from merec_hpc.config.base import ClassWeight, ScalingName
from merec_hpc.config.selection import Criterion
from merec_hpc.kernels.pivoting import SOLVED
from merec_hpc.kernels.prediction import predict
from merec_hpc.learning.scaling import Scaling
from merec_hpc.records import Masks
from merec_hpc.selection.fitness.criteria import fold_accuracies, score_predictions
from merec_hpc.selection.fitness.inner_folds import InnerFolds
from merec_hpc.selection.fitness.inner_problem import Exact, InnerProblem, Share, System
from merec_hpc.selection.fitness.least_squares import IllConditionedError
from merec_hpc.selection.fitness.training import train_machines, violation

EXACT = 1e-9
"""Error of a decision, in units of the largest of its fold and machine, at most."""
_FLIPS_AT_ONCE = 1024  # whose decisions are in memory
_FLIP_PRECISION = 1e-8  # of decisions of flips, in units of the largest


class SubjectFoldFitness:
    """Leave-one-subject-out accuracy of masks, from one Gram matrix each.

    L2-regularised L2-loss linear SVMs, one-vs-rest, without bias (LIBLINEAR ``-s 1 -B -1``),
    solved exactly. What a mask scores depends on the mask and C alone, not on the batch in
    which it is scored: predictions from single-precision Gram matrices count where no
    rounding error can change them, and are made anew in double precision elsewhere.
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
        self._values = share(lambda: np.asfortranarray(values[self._folds.order], np.float64))
        self._targets, self._is_trained = self._folds.targets, self._folds.is_trained
        self._scaling, self._class_weight = scaling, class_weight
        self._unscaled = None
        if scaling == "none":
            self._unscaled = self._inner_problem(self._values, 0, self._folds.n_folds, share)

    @property
    def n_features(self) -> int:
        """Number of features that a mask chooses from."""
        return int(self._values.shape[1])

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

    def score(self, masks: Masks, C: ArrayLike, criterion: Criterion) -> NDArray[np.float64]:
        """Return the fitness by a named criterion, in [0, 1], shape (n_individuals,)."""
        predicted = self._predict(masks, C)
        return score_predictions(criterion, predicted, self._folds.labels, self._folds.folds)

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
        predicted = np.empty((len(masks), len(self._values)), np.int64)
        predicted[:, self._folds.order] = self._predict(masks, C)
        return predicted

    def decisions(self, masks: Masks, C: ArrayLike) -> NDArray[np.float64]:
        """Return the decision values of every clip by the SVM that never saw its subject.

        Shape (n_individuals, n_clips, n_classes); minus infinity for a class that has no
        clip among the training clips of that SVM.
        """
        decisions = np.empty((len(masks), len(self._values), len(self.classes)))
        for individual, (mask, penalty) in enumerate(zip(*self._check(masks, C), strict=True)):
            both = self._both_signs(self._decide_exactly(mask, penalty, EXACT).decisions).T
            decisions[individual, self._folds.order] = np.where(self._is_trained, both, -np.inf)
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
        return self.judge(self.predict_flips(mask, C, flipped), criterion)

    def predict_flips(
        self, mask: NDArray[np.bool_], C: float, flipped: ArrayLike
    ) -> NDArray[np.int64]:
        """Return the predicted classes behind ``score_flips``, for ``judge``.

        Shape (n_flips, n_clips), clips in the order of the folds; -1 for an empty mask.
        """
        places = np.asarray(flipped, np.int64)
        self._check(mask[None], [C])
        parts = [
            self._predict_flips(mask, C, places[first : first + _FLIPS_AT_ONCE])
            for first in range(0, len(places), _FLIPS_AT_ONCE)
        ]
        return np.concatenate([np.empty((0, len(self._values)), np.int64), *parts])

    def judge(self, predicted: NDArray[np.int64], criterion: Criterion) -> NDArray[np.float64]:
        """Return the fitness of predictions of ``predict_flips``, shape (n_flips,)."""
        return score_predictions(criterion, predicted, self._folds.labels, self._folds.folds)

    def _predict_flips(
        self, mask: NDArray[np.bool_], C: float, flipped: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        """Return predicted classes, (n_flips, n_clips), clips in the order of the folds."""
        n_machines, n_clips = self._targets.shape
        decisions = np.empty((n_machines, len(flipped), n_clips))
        states = np.zeros(len(flipped), np.int64)
        for problem in self._problems():
            states = np.maximum(states, problem.decide_flips(mask, C, flipped, decisions))
        predicted = np.full((len(flipped), n_clips), -1)
        for place, feature in enumerate(flipped):
            changed = mask.copy()
            changed[feature] ^= True
            if not changed.any():
                continue
            found = np.ascontiguousarray(decisions[:, place])
            doubt = np.full_like(found, np.abs(found).max())
            if states[place] != SOLVED or not predict(
                found, doubt, _FLIP_PRECISION, self._is_trained, predicted[place]
            ):
                self._predict_exactly(changed, C, predicted[place])
        return predicted

    def training_accuracies(self, masks: Masks, C: ArrayLike) -> NDArray[np.float64]:
        """Return the accuracy on the very clips that an SVM is trained on, (n_individuals,).

        Scaling and class weights are those of all clips.
        """
        accuracies = np.zeros(len(masks))
        for individual, (mask, penalty) in enumerate(zip(*self._check(masks, C), strict=True)):
            decisions, _, _ = self._train(mask, penalty)
            predicted = self._both_signs(decisions).argmax(axis=0)
            accuracies[individual] = mask.any() * (predicted == self._folds.labels).mean()
        return accuracies

    def weights(self, masks: Masks, C: ArrayLike) -> NDArray[np.float64]:
        """Return the SVMs that are trained on all clips, (n_individuals, n_classes, n_features).

        Exactly solved; 0 for features outside of a mask. A class's decision value is its row
        times the features, scaled as those of ``SubjectFoldFitness`` are.
        """
        found = np.zeros((len(masks), len(self.classes), self.n_features))
        for individual, (mask, penalty) in enumerate(zip(*self._check(masks, C), strict=True)):
            _, weights, _ = self._train(mask, penalty)
            found[individual][:, mask] = self._both_signs(weights)
        return found

    def certify(self, masks: Masks, C: ArrayLike) -> NDArray[np.float64]:
        """Return the largest violation of the optimality conditions, (n_individuals,).

        Of all machines that ``decisions`` and ``weights`` speak of, taken in twice the working
        precision from the features: what 1 - y f, or 0 if that is negative, and y beta / (2 C)
        disagree by, in units of the machine's largest decision. The rounding of beta to doubles
        is seen, too: features of a large offset leave more. An empty mask has no machines, and 0.
        """
        worst = np.zeros(len(masks))
        for individual, (mask, penalty) in enumerate(zip(*self._check(masks, C), strict=True)):
            if not mask.any():
                continue
            found = self._decide_exactly(mask, penalty, EXACT)
            folds = self._folds.folds
            for fold in range(self._folds.n_folds):
                training = folds != fold
                values = self._seen(training)[np.ix_(training, mask)]
                of_fold = (
                    self._targets[:, training],
                    penalty * self._weights(training)[:, training],
                )
                duals = found.duals[:, fold, training]
                worst[individual] = max(worst[individual], violation(values, *of_fold, duals))
            everyone = np.ones(len(folds), np.bool_)
            values, penalties = self._seen(everyone)[:, mask], penalty * self._weights(everyone)
            _, _, duals = self._train(mask, penalty)
            everything = violation(values, self._targets, penalties, duals)
            worst[individual] = max(worst[individual], everything)
        return worst

    def _train(
        self, mask: NDArray[np.bool_], penalty: float
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """Return decisions, weights and beta of the machines that are trained on all clips."""
        everyone = np.ones(len(self._values), np.bool_)
        chosen = self._seen(everyone)[:, mask]
        try:
            return train_machines(chosen, self._targets, penalty * self._weights(everyone), EXACT)
        except IllConditionedError as error:
            raise IllConditionedError(self._explain(mask, penalty, error)) from None

    def _seen(self, training: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Return the features as machines see them that are trained on some clips."""
        return self._values if self._scaling == "none" else self._scaled(training)

    def _explain(self, mask: NDArray[np.bool_], penalty: float, error: Exception) -> str:
        """Return one line that says what double precision cannot hold."""
        sizes = np.sqrt(np.mean(self._values[:, mask] ** 2, axis=0))
        sizes = sizes[sizes > 0]
        return (
            f"features that double precision can hold expected, found root mean squares from "
            f"{sizes.min():.1e} to {sizes.max():.1e} at C {penalty:g} ({error}): scaling: standard "
            "helps"
        )

    def _predict(self, masks: Masks, C: ArrayLike) -> NDArray[np.int64]:
        """Return predicted classes with the clips in the order of the folds."""
        masks, penalties = self._check(masks, C)
        shape = (len(masks), *self._targets.shape)
        decisions, reach = np.zeros(shape), np.zeros(shape)
        predicted = np.full((len(masks), len(self._values)), -1)
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
                self._predict_exactly(masks[place], penalties[place], predicted[place])
        return predicted

    def _predict_exactly(
        self, mask: NDArray[np.bool_], C: float, predicted: NDArray[np.int64]
    ) -> None:
        """Write predicted classes, (n_clips,), that depend on mask and C alone."""
        found = self._decide_exactly(mask, C, np.inf)
        if not predict(found.decisions, found.errors, 1.0, self._is_trained, predicted):
            found = self._decide_exactly(mask, C, EXACT)
            predict(found.decisions, found.errors, 0.0, self._is_trained, predicted)

    def _decide_exactly(self, mask: NDArray[np.bool_], penalty: float, tolerance: float) -> Exact:
        """Return decisions that depend on mask and C alone, see ``InnerProblem.decide_exactly``."""
        found = Exact.empty(self._targets, self._folds.n_folds)
        try:
            for problem in self._problems():
                problem.decide_exactly(mask, penalty, tolerance, found)
        except IllConditionedError as error:
            raise IllConditionedError(self._explain(mask, penalty, error)) from None
        return found

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
        edges, targets = self._folds.edges, self._targets
        every = slice(0, len(targets))
        systems = [System(edges[first : last + 1], every, np.ones(len(features)), first)]
        if self._class_weight == "balanced":
            systems = [
                System(edges[fold : fold + 2], slice(machine, machine + 1), weights, fold)
                for fold in range(first, last)
                for machine, weights in enumerate(self._weights(self._folds.folds != fold))
            ]
        return InnerProblem(features, targets, systems, share)

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

"""Scores masks by linear SVMs that leave each training subject out."""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import lapack

from merec_hpc.arrays import Masks
from merec_hpc.errors import MerecError
from merec_hpc.kernels.leave_out import leave_folds_out, leave_nothing_out


def mu_minus_variance(accuracies: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return mean minus population variance over the folds (paper 1, IV.C.2).

    For accuracies in [0, 1], shape (n_individuals, n_folds); never negative.
    """
    fitness: NDArray[np.float64] = accuracies.mean(axis=1) - accuracies.var(axis=1)
    return fitness


def mu(accuracies: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean over the folds, for accuracies of shape (n_individuals, n_folds)."""
    fitness: NDArray[np.float64] = accuracies.mean(axis=1)
    return fitness


CRITERIA: dict[str, Callable[[NDArray[np.float64]], NDArray[np.float64]]] = {
    "mu_minus_variance": mu_minus_variance,
    "mu": mu,
}


class SubjectFoldFitness:
    """Leave-one-subject-out accuracy of masks, from one Gram matrix each.

    L2-regularised L2-loss linear SVMs, one-vs-rest, without bias (LIBLINEAR ``-s 1 -B -1``),
    solved exactly. What a mask scores depends on the mask and C alone, not on the batch in
    which it is scored.
    """

    def __init__(self, features: ArrayLike, labels: ArrayLike, subjects: ArrayLike) -> None:
        """Take the training clips of one fold.

        Parameters
        ----------
        features
            Shape (n_clips, n_features).
        labels
            Class of each clip, shape (n_clips,).
        subjects
            Subject of each clip, shape (n_clips,).

        Raises
        ------
        ValueError
            If shapes do not fit, values are not finite, or all clips are of one subject or
            one class.
        """
        self._features = np.asfortranarray(features, np.float64)
        shapes = (self._features.shape[:1], np.shape(labels), np.shape(subjects))
        if self._features.ndim != 2 or len(shapes[1]) != 1 or len(set(shapes)) != 1:
            msg = (
                "features (n_clips, n_features), labels and subjects (n_clips,) expected, found "
                f"{self._features.shape}, {shapes[1]} and {shapes[2]}"
            )
            raise ValueError(msg)
        self.classes, self._labels = np.unique(np.asarray(labels), return_inverse=True)
        self.subjects, self._folds = np.unique(np.asarray(subjects), return_inverse=True)
        if not np.isfinite(self._features).all():
            msg = "finite features expected, found NaN or infinity"
            raise ValueError(msg)
        for name, found in (("subjects", self.subjects), ("classes", self.classes)):
            if len(found) < 2:
                msg = f"at least two {name} expected, found {len(found)}"
                raise ValueError(msg)
        signs = np.where(np.arange(len(self.classes))[:, None] == self._labels, 1.0, -1.0)
        # Two classes are one machine: the other's decisions are its negative.
        self._targets = signs[:1] if len(self.classes) == 2 else signs  # (n_machines, n_clips)
        counts = np.zeros((len(self.subjects), len(self.classes)), np.int64)
        np.add.at(counts, (self._folds, self._labels), 1)
        # A class without a training clip has no machine in that fold.
        elsewhere = counts.sum(axis=0) > counts  # (n_folds, n_classes)
        self._is_trained = np.take(elsewhere, self._folds, axis=0)  # (n_clips, n_classes)

    @property
    def n_features(self) -> int:
        """Number of features that a mask chooses from."""
        return int(self._features.shape[1])

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
        decisions = self.decisions(masks, C)
        hits: NDArray[np.bool_] = np.asarray(decisions.argmax(axis=2) == self._labels)
        hits &= masks.any(axis=1, keepdims=True)  # (n_individuals, n_clips)
        folds = range(len(self.subjects))
        return np.stack([hits[:, self._folds == fold].mean(axis=1) for fold in folds], axis=1)

    def decisions(self, masks: Masks, C: ArrayLike) -> NDArray[np.float64]:
        """Return the decision values of every clip by the SVM that never saw its subject.

        Shape (n_individuals, n_clips, n_classes); minus infinity for a class that has no
        clip among the training clips of that SVM.
        """
        decisions = np.empty((len(masks), len(self._labels), len(self.classes)))
        for individual, (mask, penalty) in enumerate(zip(*self._check(masks, C), strict=True)):
            inverse, _ = self._invert(mask, penalty)
            machines = np.empty((len(self._labels), len(self._targets)))
            leave_folds_out(inverse, self._targets, self._folds, machines)
            decisions[individual] = self._both_signs(machines)
        return np.where(self._is_trained, decisions, -np.inf)

    def training_accuracies(self, masks: Masks, C: ArrayLike) -> NDArray[np.float64]:
        """Return the accuracy on the very clips that an SVM is trained on, (n_individuals,)."""
        accuracies = np.zeros(len(masks))
        for individual, (mask, penalty) in enumerate(zip(*self._check(masks, C), strict=True)):
            inverse, ridge = self._invert(mask, penalty)
            machines = np.empty((len(self._labels), len(self._targets)))
            leave_nothing_out(inverse, ridge, self._targets, machines)
            predicted = self._both_signs(machines).argmax(axis=1)
            accuracies[individual] = mask.any() * (predicted == self._labels).mean()
        return accuracies

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

    def _invert(self, mask: NDArray[np.bool_], penalty: float) -> tuple[NDArray[np.float64], float]:
        """Return (G + ridge I)^-1 of the chosen features, and ridge = 1 / (2 C)."""
        chosen = self._features[:, mask]
        ridge = 1 / (2 * penalty)
        factor, failed = lapack.dpotrf(chosen @ chosen.T + ridge * np.eye(len(chosen)), lower=True)
        if failed:
            msg = (
                f"features of moderate size expected at C = {penalty:g}, found values up to "
                f"{np.abs(chosen).max():.0e}, whose Gram matrix is singular in double precision; "
                "set scaling: standard, or a smaller C"
            )
            raise MerecError(msg)
        inverse = np.tril(lapack.dpotri(factor, lower=True)[0])
        return inverse + np.tril(inverse, -1).T, ridge

    def _both_signs(self, machines: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return one column a class, from one column a machine."""
        if len(self.classes) == 2:
            return np.concatenate([machines, -machines], axis=1)
        return machines

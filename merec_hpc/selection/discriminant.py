"""Fisher's linear discriminants: features projected onto what tells classes apart."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from merec_hpc.selection.ranking import checked_clips, ledoit_wolf

_LEAST_EIGENVALUE = 1e-10  # of the largest; less is rounding


@dataclass(frozen=True)
class LinearDiscriminants:
    """A projection that was learnt from clips and their classes."""

    mean: NDArray[np.float64]  # (n_features,), of the clips it was learnt from
    directions: NDArray[np.float64]  # (n_features, n_directions), best first
    shrinkage: float  # in (0, 1]

    @classmethod
    def fit(cls, features: ArrayLike, labels: ArrayLike, shrinkage: float | None = None) -> Self:
        """Learn directions w of the largest w' B w / w' W w, at most n_classes - 1.

        B is the covariance of the class means, each weighed by its number of clips, and
        W = (1 - s) S + s trace(S) / n_features I the pooled within-class covariance S (divided
        by n_clips), shrunk by s. Directions have w' W w = 1, and their largest weight is
        positive. There are fewer than n_classes - 1 if the means span less.

        Solved through the Gram matrix of the clips, (n_clips, n_clips), which is exact: nothing
        of n_features x n_features is made.

        Parameters
        ----------
        features
            Shape (n_clips, n_features), finite.
        labels
            Shape (n_clips,), of at least two classes.
        shrinkage
            s, in (0, 1]; without it Ledoit and Wolf's for S, at least 0.001.

        Raises
        ------
        ValueError
            If shapes do not fit, a feature is not finite, there is one class, or the shrinkage
            is out of range.

        References
        ----------
        Duda, Hart, Stork: Pattern Classification, 2nd ed., Wiley 2001, section 3.8.3.
        Friedman: Regularized discriminant analysis, JASA 84, 1989.
        Ledoit, Wolf: A well-conditioned estimator for large-dimensional covariance matrices,
        Journal of Multivariate Analysis 88, 2004, doi:10.1016/S0047-259X(03)00096-4.
        """
        values, numbers = _checked(features, labels, shrinkage)
        n_clips, n_features = values.shape
        counts = np.bincount(numbers)[:, None]
        mean = values.mean(axis=0)
        centred = values - mean
        class_means = (np.eye(len(counts))[:, numbers] @ centred) / counts
        means = np.sqrt(counts / n_clips) * class_means  # B = means.T @ means
        residuals = (centred - class_means[numbers]) / np.sqrt(n_clips)  # S = residuals.T @ ...
        gram = residuals @ residuals.T
        s = ledoit_wolf(gram, n_features) if shrinkage is None else shrinkage
        # Classes of one point each have no covariance: the directions are those of their means.
        ridge = s * np.trace(gram) / n_features or 1.0
        # W^-1 means.T by the identity of Woodbury.
        kernel = (1 - s) * gram + ridge * np.eye(n_clips)
        duals = np.linalg.solve(kernel, (1 - s) * (residuals @ means.T))
        solved = (means - duals.T @ residuals) / ridge  # (n_classes, n_features)
        # A direction is W^-1 means.T v, with v an eigenvector of means W^-1 means.T.
        eigenvalues, vectors = np.linalg.eigh(means @ solved.T)
        best_first = np.argsort(-eigenvalues, kind="stable")[: len(counts) - 1]
        least = max(_LEAST_EIGENVALUE * float(eigenvalues.max()), np.finfo(np.float64).tiny)
        kept = best_first[eigenvalues[best_first] > least]
        directions = solved.T @ (vectors[:, kept] / np.sqrt(eigenvalues[kept]))
        largest = np.abs(directions).argmax(axis=0)
        signs = np.sign(directions[largest, np.arange(len(kept))])
        return cls(mean, directions * signs, float(s))

    def apply(self, features: ArrayLike) -> NDArray[np.float64]:
        """Return clips along the directions, (n_clips, n_directions), from (n_clips, n_features).

        The clips that the directions were learnt from have mean 0.
        """
        projected: NDArray[np.float64] = (np.asarray(features) - self.mean) @ self.directions
        return projected


def _checked(
    features: ArrayLike, labels: ArrayLike, shrinkage: float | None
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return features in double precision and labels as indices of the classes there are."""
    values, numbers = checked_clips(np.asarray(features), np.asarray(labels))
    if shrinkage is not None and not 0 < shrinkage <= 1:
        msg = f"a shrinkage above 0 and at most 1 expected, found {shrinkage}"
        raise ValueError(msg)
    return values, numbers

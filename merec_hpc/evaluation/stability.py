"""How alike the masks of several folds are."""

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from merec_hpc.metrics import Interval


@dataclass(frozen=True)
class Stability:
    """Nogueira's stability with its interval."""

    value: float
    interval: Interval


def mean_jaccard(masks: NDArray[np.bool_]) -> float:
    """Return the mean over pairs of masks of shared by joint features, in [0, 1].

    It is not corrected for chance: it grows with the share of features that masks select. Two
    empty masks are alike, 1.

    Parameters
    ----------
    masks
        Shape (n_masks, n_features).

    Raises
    ------
    ValueError
        If there are fewer than two masks, or no features.
    """
    shared, sizes = _shared(masks)
    first, second = np.triu_indices(len(sizes), 1)
    joint = sizes[first] + sizes[second] - shared[first, second]
    values = np.where(joint > 0, shared[first, second] / np.maximum(joint, 1), 1.0)
    return float(values.mean())


def kuncheva_index(masks: NDArray[np.bool_]) -> float:
    """Return Kuncheva's index: the mean over pairs of shared features, corrected for chance.

    1 if all masks are equal, about 0 if they are drawn at random, at least -1. Not a number if
    masks are empty or full: chance then explains all.

    Parameters
    ----------
    masks
        Shape (n_masks, n_features), with equally many features each.

    Raises
    ------
    ValueError
        If there are fewer than two masks, or no features, or sizes differ.

    References
    ----------
    Kuncheva: A stability index for feature selection, AIA 2007.
    """
    shared, sizes = _shared(masks)
    if (sizes != sizes[0]).any():
        found = f"{int(sizes.min())} to {int(sizes.max())}"
        msg = f"masks of one size expected, found {found} features; see nogueira_stability"
        raise ValueError(msg)
    n_features, size = masks.shape[1], float(sizes[0])
    by_chance = size**2 / n_features
    if size == by_chance:
        return float("nan")
    pairs = shared[np.triu_indices(len(sizes), 1)]
    return float((pairs.mean() - by_chance) / (size - by_chance))


def nogueira_stability(masks: NDArray[np.bool_]) -> Stability:
    """Return the stability of masks of any sizes, corrected for chance, with its 95 % interval.

    1 if all masks are equal, about 0 if they are drawn at random, at least -1 / (n_masks - 1);
    equal to Kuncheva's index where sizes are equal. Not a number if all masks are empty or all
    are full: chance then explains all.

    The interval is that of the normal distribution, may reach past 1, and takes masks for
    independent. Masks of folds that share training subjects are not: there it is too narrow.

    Parameters
    ----------
    masks
        Shape (n_masks, n_features).

    Raises
    ------
    ValueError
        If there are fewer than two masks, or no features.

    References
    ----------
    Nogueira, Sechidis, Brown: On the Stability of Feature Selection Algorithms, JMLR 18, 2018:
    Definition 4 and Corollary 9.
    """
    _check(masks)
    n_masks, n_features = masks.shape
    chosen = masks.astype(np.float64)
    shares = chosen.mean(axis=0)  # of masks that select a feature, (n_features,)
    densities = chosen.mean(axis=1)  # share of features that a mask selects, (n_masks,)
    density = float(densities.mean())
    if not masks.any() or masks.all():
        nothing = float("nan")
        return Stability(nothing, Interval(nothing, nothing))
    by_chance = density * (1 - density)
    spread = float(np.mean(shares * (1 - shares))) * n_masks / (n_masks - 1)
    value = 1 - spread / by_chance
    influences = (
        chosen @ shares / n_features
        - densities * density
        + value / 2 * (2 * densities * density - densities - density + 1)
    ) / by_chance
    # The estimator is of second order in the masks, hence 4 times the variance of a mean.
    error = 2 * float(influences.std()) / np.sqrt(n_masks)
    reach = NormalDist().inv_cdf(0.975) * float(error)
    return Stability(value, Interval(value - reach, value + reach))


def _shared(masks: NDArray[np.bool_]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the features that pairs share, (n_masks, n_masks), and sizes, (n_masks,)."""
    _check(masks)
    chosen = masks.astype(np.float64)  # as floats, whose products are fast and exact here
    shared = chosen @ chosen.T
    return shared, np.diagonal(shared)


def _check(masks: NDArray[np.bool_]) -> None:
    if masks.ndim != 2 or len(masks) < 2 or masks.shape[1] == 0:
        msg = f"at least two masks of at least one feature expected, found shape {masks.shape}"
        raise ValueError(msg)

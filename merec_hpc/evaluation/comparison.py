"""Compares methods that predicted the same clips in the same folds."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import combinations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from merec_hpc.metrics import Interval, Metric, resample_subjects, subject_confusions

# Up to so many ways of swapping, all are tried: 12 subjects.
_MAX_EXACT = 4096
# Two ways of swapping with equal differences may differ by what adding rounds off.
_ROUNDING = 1e-12


@dataclass(frozen=True)
class Comparison:
    """One method against another, over the same clips."""

    method: str
    other: str
    difference: float
    """Metric of the method less that of the other, in [-1, 1]."""
    interval: Interval
    """Of the difference, over resampled subjects."""
    p_value: float
    """Two-sided, in (0, 1]."""
    corrected_p_value: float
    """By Holm's correction over all comparisons made at once."""


def compare_methods(
    labels: ArrayLike,
    subjects: ArrayLike,
    predictions: Mapping[str, ArrayLike],
    metric: Metric,
    n_resamples: int,
    seed: int,
    reference: str | None = None,
) -> list[Comparison]:
    """Compare each method with a reference, or all methods in pairs.

    The interval is that of 95 % between percentiles over whole subjects drawn with replacement,
    the same subjects for both methods. The p-value is that of a permutation test: were the
    methods alike, the predictions of any subject might as well have come from the other one,
    so whole subjects are swapped. All ways of swapping are tried if there are at most 4096;
    otherwise ``n_resamples`` are drawn, and the observed one counts as one of them.

    Both take subjects for independent. Machines of different folds share training subjects, so
    they speak of these machines on further subjects, not of further training sets.

    Parameters
    ----------
    labels
        Shape (n_clips,).
    subjects
        Of each clip, shape (n_clips,).
    predictions
        Of each method, shape (n_clips,).
    n_resamples
        Of subjects, and of ways of swapping where not all are tried; above 0.
    reference
        A method that all others are compared with.

    Returns
    -------
    list[Comparison]
        With a reference, one row for each other method, less the reference; without, one for
        each pair, the earlier method less the later; in the order of ``predictions``.

    Raises
    ------
    ValueError
        If there are fewer than two methods, if the reference is none of them, or if labels,
        subjects and predictions are not of one length.

    References
    ----------
    Good: Permutation, Parametric and Bootstrap Tests of Hypotheses, Springer 2005.
    Phipson and Smyth: Permutation P-values should never be zero, SAGMB 9, 2010.
    """
    pairs = _pairs(list(predictions), reference)
    classes = reduce(np.union1d, map(np.asarray, predictions.values()), np.asarray(labels))
    counts = {
        name: subject_confusions(labels, found, subjects, classes)
        for name, found in predictions.items()
    }
    on_counts = metric.on_counts
    values = {name: float(on_counts(own.sum(axis=0))) for name, own in counts.items()}
    resampled = {
        name: on_counts(resample_subjects(own, n_resamples, seed)) for name, own in counts.items()
    }
    p_values = [
        _swapping_p(counts[method], counts[other], on_counts, n_resamples, seed)
        for method, other in pairs
    ]
    return [
        Comparison(
            method,
            other,
            values[method] - values[other],
            _interval(resampled[method] - resampled[other]),
            p_value,
            corrected,
        )
        for (method, other), p_value, corrected in zip(pairs, p_values, holm(p_values), strict=True)
    ]


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p-values corrected for their number by Holm's step-down procedure, in their order.

    References
    ----------
    Holm: A simple sequentially rejective multiple test procedure, Scand. J. Statist. 6, 1979.
    """
    raw = np.asarray(p_values, np.float64)
    order = np.argsort(raw, kind="stable")
    stepped = np.maximum.accumulate(raw[order] * np.arange(len(raw), 0, -1))
    corrected = np.empty_like(raw)
    corrected[order] = np.minimum(stepped, 1.0)
    return [float(value) for value in corrected]


def _pairs(methods: list[str], reference: str | None) -> list[tuple[str, str]]:
    if len(methods) < 2:
        msg = f"at least two methods expected, found {methods}"
        raise ValueError(msg)
    if reference is None:
        return list(combinations(methods, 2))
    if reference not in methods:
        msg = f"a reference among {', '.join(methods)} expected, found '{reference}'"
        raise ValueError(msg)
    return [(method, reference) for method in methods if method != reference]


def _interval(values: NDArray[np.float64]) -> Interval:
    low, high = np.percentile(values, [2.5, 97.5])
    return Interval(float(low), float(high))


def _swapping_p(
    first: NDArray[np.int64],
    second: NDArray[np.int64],
    on_counts: Callable[[NDArray[np.int64]], NDArray[np.float64]],
    n_resamples: int,
    seed: int,
) -> float:
    """Return the share of swaps whose difference is at least as large as the observed one.

    Parameters
    ----------
    first, second
        Counts of two methods, shape (n_subjects, n_classes, n_classes).
    """
    change = second - first
    # To swap a subject that both count alike changes nothing: each way of swapping the others
    # stands for equally many, so they alone have the same p-value, and fewer ways.
    change = change[change.any(axis=(1, 2))]
    is_exact = 2 ** len(change) <= _MAX_EXACT
    swapped = _all_swaps(len(change)) if is_exact else _drawn_swaps(len(change), n_resamples, seed)
    moved = np.tensordot(swapped, change, axes=1)  # (n_swaps, n_classes, n_classes)
    total, other_total = first.sum(axis=0), second.sum(axis=0)
    observed = abs(on_counts(total) - on_counts(other_total))
    differences = abs(on_counts(total + moved) - on_counts(other_total - moved))
    n_extreme = int(np.count_nonzero(differences >= observed - _ROUNDING))
    return n_extreme / len(swapped) if is_exact else (n_extreme + 1) / (len(swapped) + 1)


def _all_swaps(n_subjects: int) -> NDArray[np.int64]:
    """Return 1 where a subject is swapped, shape (2 ** n_subjects, n_subjects)."""
    return np.arange(2**n_subjects)[:, None] >> np.arange(n_subjects) & 1


def _drawn_swaps(n_subjects: int, n_resamples: int, seed: int) -> NDArray[np.int64]:
    """Return 1 where a subject is swapped, shape (n_resamples, n_subjects)."""
    # Other numbers than those that resample subjects.
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(1,)))
    return rng.integers(2, size=(n_resamples, n_subjects))

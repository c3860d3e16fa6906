"""The family of rules: four genes each, and which of them share a Gram matrix."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Literal

import numpy as np
from numpy.typing import NDArray

KAPPA, P, B, C = range(4)
"""Columns of genes."""
Genes = NDArray[np.float64]  # (n_rules, 4)

_HALF_DECADES = tuple(10 ** (exponent / 2) for exponent in range(-3, 4))


@dataclass(frozen=True, kw_only=True)
class Family:
    """Which rules are tried, and how."""

    search: Literal["grid", "evolved", "random"] = "grid"
    """"evolved" and "random" try ``n_individuals`` times ``n_generations`` rules."""
    kappa_values: tuple[float, ...] = (0.0, 0.3, 1.0)
    """How much more, or less, people are believed to differ than training subjects show; 0 alone
    is inductive. Of the searches other than the grid only whether there is one above 0 matters;
    the same holds of ``p_values`` and ``b_values``."""
    p_values: tuple[float, ...] = (0.0, 0.5, 1.0, 2.0)
    """Power of F that a feature is weighted by."""
    b_values: tuple[float, ...] = (0.0, 0.03, 0.3)
    """Square of the constant feature, where the mean of a clip's squares is 1."""
    C_values: tuple[float, ...] = _HALF_DECADES
    min_clips: int = 1  # as the design was measured; the section's default is calibration's
    """A subject with fewer clips keeps its mean."""
    n_individuals: int = 12
    n_generations: int = 7
    seed: int = 0


ALL_FEATURES = Family(kappa_values=(0.0,), p_values=(0.0,))
"""All features with an intercept: the honest control."""


def grid_of(settings: Family) -> Genes:
    """Return every combination of the settings' values, (n_rules, 4), the last gene fastest."""
    axes = (settings.kappa_values, settings.p_values, settings.b_values, settings.C_values)
    return checked(np.array(list(product(*axes)), np.float64).reshape(-1, 4))


def checked(genes: Genes | Sequence[Sequence[float]]) -> Genes:
    """Return genes as they are, if they are any.

    Raises
    ------
    ValueError
        If there is no rule, or a gene is not finite or below 0, or C is 0.
    """
    array = np.asarray(genes, np.float64)
    if array.ndim != 2 or array.shape[1] != 4 or len(array) == 0:
        msg = f"genes (n_rules, 4) expected, found {array.shape}"
        raise ValueError(msg)
    if not (np.isfinite(array).all() and (array >= 0).all() and (array[:, C] > 0).all()):
        msg = f"kappa, p and b from 0 and C above 0 expected, found {array.min(axis=0).tolist()}"
        raise ValueError(msg)
    return array


def groups_of(
    values: NDArray[np.float64], rows: NDArray[np.int64]
) -> Iterator[tuple[float, NDArray[np.int64]]]:
    """Yield each value that some rows have, ascending, and the rows that have it."""
    for value in np.unique(values[rows]):
        yield float(value), rows[values[rows] == value]

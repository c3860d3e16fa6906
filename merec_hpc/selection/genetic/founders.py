"""Draws new individuals: founders, and the random migrants of every generation."""

import numpy as np
from numpy.typing import NDArray

from merec_hpc.records import Masks


def random_counts(n_individuals: int, n_features: int, rng: np.random.Generator) -> Masks:
    """Draw masks with a count uniform in 1..n_features, then that many random features.

    Paper 1, IV.C.1: the counts then span the whole range, which independent genes never do.
    """
    counts = rng.integers(1, n_features + 1, n_individuals)
    masks = np.zeros((n_individuals, n_features), np.bool_)
    for mask, count in zip(masks, counts, strict=True):
        few = min(count, n_features - count)  # the chosen ones, or those left out
        mask[rng.choice(n_features, few, replace=False, shuffle=False)] = True
        if few < count:
            np.logical_not(mask, out=mask)
    return masks


def random_genes(n_individuals: int, n_features: int, rng: np.random.Generator) -> Masks:
    """Draw masks whose features are each chosen with probability one half (Fig. 4, "gene")."""
    drawn = rng.integers(256, size=(n_individuals, -(-n_features // 8)), dtype=np.uint8)
    return np.unpackbits(drawn, axis=1, count=n_features).view(np.bool_)


FOUNDERS = {"random_count": random_counts, "random_gene": random_genes}


def random_penalties(
    n_individuals: int, C_values: tuple[float, ...], rng: np.random.Generator
) -> NDArray[np.float64]:
    """Draw a penalty C for each individual from the allowed values, shape (n_individuals,)."""
    drawn: NDArray[np.float64] = rng.choice(np.array(C_values, np.float64), n_individuals)
    return drawn


def random_biases(
    n_individuals: int, biases: tuple[float, ...], rng: np.random.Generator
) -> NDArray[np.float64]:
    """Draw a bias for each individual from the allowed values, shape (n_individuals,).

    Of one value nothing is drawn.
    """
    if len(biases) == 1:
        return np.full(n_individuals, biases[0], np.float64)
    drawn: NDArray[np.float64] = rng.choice(np.array(biases, np.float64), n_individuals)
    return drawn

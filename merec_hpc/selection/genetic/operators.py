"""Selects parents, crosses and mutates them: pure functions on whole populations."""

import numpy as np
from numpy.typing import NDArray

from merec_hpc.records import Masks


def spin_roulette(
    fitness: NDArray[np.float64], n_draws: int, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Draw individuals with probability proportional to their fitness, shape (n_draws,).

    Fitness is in [0, 1]; if all of it is 0, every individual is as likely.
    """
    edges = np.cumsum(fitness)
    if edges[-1] <= 0:
        return rng.integers(len(fitness), size=n_draws)
    drawn = np.searchsorted(edges, rng.random(n_draws) * edges[-1], side="right")
    return np.asarray(np.minimum(drawn, len(fitness) - 1), np.int64)


def hold_tournaments(
    order: NDArray[np.int64], n_draws: int, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Draw the better of two individuals, each as likely, shape (n_draws,).

    Parameters
    ----------
    order
        Places of the individuals, best first.
    """
    pairs = rng.integers(len(order), size=(n_draws, 2))
    return np.asarray(order[pairs.min(axis=1)], np.int64)


def cross_uniformly(
    mothers: Masks, fathers: Masks, probability: float, rng: np.random.Generator
) -> tuple[Masks, NDArray[np.bool_]]:
    """Give each child every gene of its mother or its father, each as likely.

    A pair is crossed with ``probability``; otherwise the child is its mother's copy.

    Returns
    -------
    tuple
        Children, shape (n_children, n_features), and which pairs were crossed, (n_children,).
    """
    n_children, n_features = mothers.shape
    crossed = np.less(rng.random(n_children), probability)
    drawn = rng.integers(256, size=(n_children, -(-n_features // 8)), dtype=np.uint8)
    from_father = np.unpackbits(drawn, axis=1, count=n_features).view(np.bool_)
    from_father &= crossed[:, None]
    return mothers ^ ((mothers ^ fathers) & from_father), crossed


def flip_bits(masks: Masks, rate: float, rng: np.random.Generator) -> Masks:
    """Flip every bit with probability ``rate``."""
    return masks ^ (rng.random(masks.shape, np.float32) < np.float32(rate))


def flip_one_bit(masks: Masks, rate: float, rng: np.random.Generator) -> Masks:
    """Flip one random bit of each individual with probability ``rate``."""
    flipped = masks.copy()
    mutated = np.flatnonzero(rng.random(len(masks)) < rate)
    flipped[mutated, rng.integers(masks.shape[1], size=len(mutated))] ^= True
    return flipped


MUTATIONS = {"bit": flip_bits, "individual": flip_one_bit}
"""What paper 1's "mutation rate 0.05" may mean: it does not say what is flipped."""

"""Draws further groupings of the training subjects into inner folds."""

import hashlib

import numpy as np
from numpy.typing import NDArray

from merec_hpc.selection.fitness.inner_folds import InnerFolds

_PURPOSE = 1  # of the stream of random numbers; islands and permutations have seeds of their own
_N_DEALS = 50  # of which the most balanced one is taken


def draw_groupings(folds: InnerFolds, n_groupings: int) -> list[NDArray[np.int64]]:
    """Return the fold of each subject in further groupings of them, each (n_subjects,).

    The subjects, ordered by their number of clips, are dealt to the folds a round at a time, each
    fold one of a round. Folds then differ by no more clips than the largest subject has, the bound
    of ``GroupKFold``'s too; of 50 such deals the one of the smallest difference is taken that is
    no former grouping, if there is one. The random numbers come from the names of the subjects
    and the number of the grouping: from nothing else.

    Parameters
    ----------
    folds
        The first grouping.
    n_groupings
        All of them, the first too.

    Raises
    ------
    ValueError
        If there are further groupings, but every fold is one subject.
    """
    counts = np.bincount(folds.owners)
    n_folds, n_subjects = folds.n_folds, len(counts)
    if n_groupings > 1 and n_folds == n_subjects:
        msg = (
            f"fewer inner folds than the {n_subjects} subjects expected for {n_groupings} "
            f"groupings, found {n_folds}"
        )
        raise ValueError(msg)
    found = [_in_order(folds.fold_of_subjects)]
    for number in range(1, n_groupings):
        rng = np.random.default_rng(_seed(folds.subjects, number))
        deals = [_deal(counts, n_folds, rng) for _ in range(_N_DEALS)]
        known = {grouping.tobytes() for grouping in found}
        fresh = [deal for deal in deals if deal.tobytes() not in known]
        found.append(min(fresh or deals, key=lambda deal: _difference(deal, counts)))
    return found[1:]


def _seed(subjects: NDArray[np.generic], number: int) -> np.random.SeedSequence:
    names = "\n".join(map(str, subjects.tolist()))
    entropy = int.from_bytes(hashlib.sha256(names.encode()).digest()[:16], "big")
    return np.random.SeedSequence(entropy, spawn_key=(_PURPOSE, number))


def _deal(counts: NDArray[np.int64], n_folds: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Deal subjects to folds, the largest first, of equals in random order."""
    shuffled = rng.permutation(len(counts))
    order = shuffled[np.argsort(-counts[shuffled], kind="stable")]
    fold_of = np.empty(len(counts), np.int64)
    for first in range(0, len(order), n_folds):
        dealt = order[first : first + n_folds]
        fold_of[dealt] = rng.permutation(n_folds)[: len(dealt)]
    return _in_order(fold_of)


def _in_order(fold_of: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return folds numbered by their first subjects: what differs in numbers alone is alike."""
    _, firsts, numbers = np.unique(fold_of, return_index=True, return_inverse=True)
    return np.asarray(np.argsort(np.argsort(firsts))[numbers], np.int64)


def _difference(fold_of: NDArray[np.int64], counts: NDArray[np.int64]) -> int:
    """Return by how many clips the largest fold exceeds the smallest."""
    sizes = np.bincount(fold_of, counts)
    return int(sizes.max() - sizes.min())

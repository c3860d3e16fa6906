"""Adds training clips to the rarer classes."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

_N_NEIGHBOURS = 5


def oversample(
    features: NDArray[np.float64],
    labels: NDArray[np.int64],
    kind: Literal["none", "smote"],
    seed: int,
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Give all classes as many rows as the largest has.

    A row that is added lies at random between a row of its class and one of that row's five
    nearest neighbours in the class. A class of 2 to 5 rows takes all its other rows as
    neighbours; a single row is repeated. "none" changes nothing.

    Parameters
    ----------
    features
        Of training clips only, shape (n_clips, n_features).
    labels
        Shape (n_clips,).
    seed
        At least 0, below 2**32.

    Returns
    -------
    tuple[NDArray[np.float64], NDArray[np.int64]]
        Features and labels: the given rows first, unchanged and in their order, then the rows
        added, by ascending class.

    References
    ----------
    Chawla et al.: SMOTE, JAIR 16, 2002, doi:10.1613/jair.953.
    """
    if kind == "none":
        return features, labels
    classes, sizes = np.unique(labels, return_counts=True)
    added = [
        _grow(features, labels, int(label), int(size), int(sizes.max()), seed)
        for label, size in zip(classes, sizes, strict=True)
    ]
    new_labels = np.repeat(classes, [len(rows) for rows in added])
    return np.concatenate([features, *added]), np.concatenate([labels, new_labels])


def _grow(
    features: NDArray[np.float64],
    labels: NDArray[np.int64],
    label: int,
    size: int,
    wanted: int,
    seed: int,
) -> NDArray[np.float64]:
    """Return the rows that a class lacks, shape (wanted - size, n_features)."""
    if size == wanted:
        return features[:0]
    if size == 1:
        return np.repeat(features[labels == label], wanted - 1, axis=0)
    from imblearn.over_sampling import SMOTE  # noqa: PLC0415  # takes a second

    smote = SMOTE(
        sampling_strategy={label: wanted},
        k_neighbors=min(_N_NEIGHBOURS, size - 1),
        random_state=seed,
    )
    rows: NDArray[np.float64] = smote.fit_resample(features, labels)[0][len(features) :]
    return rows

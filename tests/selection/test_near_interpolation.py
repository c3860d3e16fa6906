"""Decisions where machines nearly interpolate: all that decides is far below a margin's 1.

The reference solves each machine's primal on its support vectors by least squares (QR of the
features rotated onto the clips), and repeats with the clips whose margin is below 1 until they
are the same. It agrees with arithmetic in 40 digits to 1e-13 on sets of this kind.
"""

import numpy as np
import pytest
from numpy.typing import NDArray

from merec_hpc.selection.fitness import SubjectFoldFitness


def reference(
    values: NDArray[np.float64], target: NDArray[np.float64], C: float
) -> NDArray[np.float64] | None:
    """Return the weights of a machine, if its support set settles."""
    support = np.ones(len(target), np.bool_)
    root = np.sqrt(2 * C)
    for _ in range(200):
        rows = np.concatenate([values[support] * root, np.eye(values.shape[1])])
        right = np.concatenate([target[support] * root, np.zeros(values.shape[1])])
        weights: NDArray[np.float64] = np.linalg.lstsq(rows, right, rcond=None)[0]
        wanted = target * (values @ weights) < 1
        if (wanted == support).all():
            return weights
        support = wanted
    return None


@pytest.mark.parametrize("seed", range(20))
def test_decisions_of_wide_tables_are_the_references(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n_clips, n_features, n_subjects = (
        int(rng.integers(*edges)) for edges in ((60, 110), (200, 1000), (5, 9))
    )
    offset, C = float(rng.choice([0, 10, 127, 1000])), float(10 ** rng.uniform(-3, 2))
    subjects, labels = np.sort(np.arange(n_clips) % n_subjects), rng.integers(0, 3, n_clips)
    loadings, factors = rng.normal(size=(8, n_features)), rng.normal(size=(n_clips, 8))
    features = offset + 20 * (factors @ loadings) / 3 + 5 * rng.normal(size=(n_clips, n_features))
    features += 3 * rng.normal(size=(3, n_features))[labels]
    fitness = SubjectFoldFitness(features, labels, subjects)
    found = fitness.decisions(np.ones((1, n_features), np.bool_), [C])[0]
    rotated = np.linalg.qr(features.T).R.T
    n_settled = 0
    for subject in np.unique(subjects):
        training = subjects != subject
        for label in range(3):
            target = np.where(labels == label, 1.0, -1.0)
            weights = reference(rotated[training], target[training], C)
            if weights is not None:
                n_settled += 1
                exact = rotated[~training] @ weights
                error = np.abs(found[~training, label] - exact).max()
                assert error < 1e-8 * np.abs(exact).max()
    assert n_settled > 0

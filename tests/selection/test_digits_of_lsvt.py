"""Decisions on a real table, LSVT, against exact integers; see benchmarks/exactness.py."""

import os
from pathlib import Path

import numpy as np
import pytest
from conftest import required
from numpy.typing import NDArray
from oracles.refined_digits import Clips

from merec_hpc.config.base import ScalingName
from merec_hpc.learning.scaling import Scaling
from merec_hpc.selection.fitness.subject_folds import SubjectFoldFitness

TOLERANCE = 1e-8  # of the largest decision of a machine and fold


@pytest.fixture(scope="module")
def table() -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]:
    """126 clips of 14 subjects and two classes, by subject; 310 features that reach 1."""
    folder = Path(os.environ.get("MEREC_DATA", "MEREC_DATA-is-not-set"))
    stored = np.load(required(folder / "lsvt.npz", "LSVT (set MEREC_DATA)"), allow_pickle=True)
    subjects = np.unique(stored["group"], return_inverse=True)[1]
    order = np.argsort(subjects, kind="stable")
    values = stored["X"].astype(np.float64)[order]
    values /= np.abs(values).max(axis=0)
    return values, np.unique(stored["y"], return_inverse=True)[1][order], subjects[order]


@pytest.mark.parametrize("seed", range(24))
def test_decisions_are_those_of_exact_integers(
    seed: int, table: tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]
) -> None:
    rng = np.random.default_rng(seed)
    values, labels, subjects = table
    n_features = int(np.exp(rng.uniform(0, np.log(311))))
    chosen = values[:, rng.permutation(310)[:n_features]]
    chosen = chosen * 10.0 ** (rng.integers(-3, 7, n_features) if seed % 3 == 0 else 0)
    scaling: ScalingName = "standard" if seed % 2 else "none"
    C, subject = 10 ** rng.uniform(-5, 6), rng.integers(14)
    fitness = SubjectFoldFitness(chosen, labels, subjects, scaling=scaling)
    found = fitness.decisions(np.ones((1, n_features), np.bool_), [C])[0]
    training = subjects != subject
    # Means and deviations are those of features that lie in memory as the fitness has them.
    turned = np.asfortranarray(chosen)
    scaled = Scaling.fit(turned[training], scaling).apply(turned)
    target, penalties = np.where(labels == 0, 1.0, -1.0), np.full(126, C)
    expected = Clips.of(scaled).decisions(target, penalties, training)[~training]
    error = np.abs(found[~training, 0] - expected).max()
    assert error <= TOLERANCE * np.abs(expected).max()

"""What single precision does to decisions stays within the bound that is used."""

import numpy as np
import pytest

from merec_hpc.kernels.pivoting import IMPRECISE
from merec_hpc.selection.fitness.inner_problem import InnerProblem
from merec_hpc.selection.fitness.subject_folds import SubjectFoldFitness


def wide_problem(rng: np.random.Generator, spread: float) -> tuple[InnerProblem, int]:
    """Return a problem whose features share a common part ``1 / spread`` times their own."""
    labels = np.tile(np.arange(3), 16)
    values = 1 + spread * np.maximum(rng.normal(size=(48, 2000)), 0)
    values[:, :100] += spread * labels[:, None]
    fitness = SubjectFoldFitness(values, labels, np.repeat(np.arange(8), 6))
    return next(fitness._problems()), 3


@pytest.mark.parametrize("C", [1e-3, 0.1, 10.0, 1e4])
@pytest.mark.parametrize("spread", [1.0, 0.1, 0.01, 0.001])
@pytest.mark.parametrize("density", [0.5, 0.02])
def test_decisions_in_single_precision_are_within_their_bound(
    rng: np.random.Generator, C: float, spread: float, density: float
) -> None:
    problem, n_machines = wide_problem(rng, spread)
    masks = rng.random((8, 2000)) < density
    assert problem.precision > 0
    exact, quick, reach, unused = np.empty((4, n_machines, 48))
    for mask, gram in zip(masks, problem.grams(masks), strict=True):
        problem.decide(problem.exact_gram(mask), C, exact, unused)
        if problem.decide(gram, C, quick, reach) == IMPRECISE:
            assert C == 1e4
            continue
        errors = np.abs(quick - exact)
        assert errors.max() > 0
        assert (errors < problem.precision * reach).all()

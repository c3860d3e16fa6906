"""One machine and fold: refined, solved from features, and known to be right or not."""

import numpy as np
import pytest
from oracles.leave_out import svm_weights

from merec_hpc.selection.fitness.exact_folds import Exact


def test_a_machine_is_solved_refined_and_known_to_be_right(rng: np.random.Generator) -> None:
    values, target = rng.normal(size=(20, 30)), np.where(rng.random(20) < 0.4, 1.0, -1.0)
    penalties, held = np.full(20, 2.0), slice(5, 9)
    training = np.r_[0:5, 9:20]
    expected = values[held] @ svm_weights(values[training], target[training], 2.0)
    found = Exact.empty(target[None], 3)
    part = found.of(0, 1, held)
    part.solve(values, target, penalties)
    np.testing.assert_allclose(found.decisions[0, held], expected, atol=1e-10)
    assert part.is_within(1e-12)
    assert not part.is_within(1e-18)
    assert np.count_nonzero(found.duals[0, 1]) == np.count_nonzero(found.duals) > 0
    part.dual[training] *= 1.001  # no longer right, but all signs are
    assert part.refine(values @ values.T, target, penalties, 1.0)
    np.testing.assert_allclose(found.decisions[0, held], expected, atol=1e-10)
    assert part.is_within(1e-9)


def test_a_singular_system_cannot_be_refined() -> None:
    found = Exact.empty(np.array([[1.0, 1.0, -1.0]]), 1)
    part = found.of(0, 0, slice(2, 3))
    part.dual[:2] = 1.0
    target = np.array([1.0, 1.0, -1.0])
    assert not part.refine(np.ones((3, 3)), target, np.full(3, 1e300), 1.0)


@pytest.mark.parametrize("n_classes", [2, 3, 4])
def test_who_is_in_doubt_is_who_may_change_a_class(
    rng: np.random.Generator, n_classes: int
) -> None:
    n_machines, n_clips = 1 if n_classes == 2 else n_classes, 60
    decisions, errors = rng.normal(size=(2, n_machines, n_clips))
    errors = np.abs(errors) / 4
    is_trained = rng.random((n_clips, n_classes)) < 0.9
    is_trained[:, 0] = True
    found = Exact(decisions, errors, np.zeros((n_machines, 1, n_clips)))
    values = np.concatenate([decisions, -decisions]) if n_classes == 2 else decisions
    doubts = np.concatenate([errors, errors]) if n_classes == 2 else errors
    expected = np.zeros((n_classes, n_clips), np.bool_)
    for clip, trained in enumerate(is_trained):
        kinds = np.flatnonzero(trained)
        best = max(kinds, key=lambda kind: values[kind, clip])
        for kind in kinds:
            gap = values[best, clip] - values[kind, clip]
            if kind != best and gap <= doubts[best, clip] + doubts[kind, clip]:
                expected[[kind, best], clip] = True
    np.testing.assert_array_equal(found.doubtful(is_trained), expected[:n_machines])
    assert expected.any()
    assert not expected.all()

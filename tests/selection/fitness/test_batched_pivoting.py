"""Batches of machines against SVMs solved one by one, and against their conditions."""

from collections.abc import Iterator

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from oracles.leave_out import left_out_decisions, training_decisions

from merec_hpc.selection.fitness.batched_pivoting import BatchedMachines, Settled

N_CLIPS = 17
FOLDS = np.repeat(np.arange(4), [8, 5, 3, 1])
PENALTIES = np.array([1e-2, 1.0, 1e2])


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Let torch use one thread: small batches take longer with more."""
    n_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(n_threads)


def draw_tables(n_features: int, seed: int) -> NDArray[np.float64]:
    """Return the features of three individuals, (3, n_clips, n_features)."""
    return np.random.default_rng(seed).normal(size=(len(PENALTIES), N_CLIPS, n_features))


def draw_targets(seed: int) -> NDArray[np.float64]:
    """Return the targets of two machines, (2, n_clips)."""
    rng = np.random.default_rng(seed)
    return np.where(rng.random((2, N_CLIPS)) < 0.4, 1.0, -1.0)


def machines_of(
    features: NDArray[np.float64],
    targets: NDArray[np.float64],
    held: NDArray[np.bool_],
    room: int = 10**6,
) -> BatchedMachines:
    ridges = np.tile(0.5 / PENALTIES[:, None], N_CLIPS)
    kernels = features @ features.transpose(0, 2, 1) + ridges[:, :, None] * np.eye(N_CLIPS)
    parts = (kernels, np.linalg.inv(kernels), ridges, targets, held)
    return BatchedMachines(*map(torch.from_numpy, parts), room)


def decisions_of(features: NDArray[np.float64], found: Settled) -> NDArray[np.float64]:
    """Return G beta, (n_individuals, n_machines, n_folds, n_clips)."""
    beta = found.beta.numpy().reshape(len(features), 2, -1, N_CLIPS)
    grams = features @ features.transpose(0, 2, 1)
    return np.einsum("bmfi,bij->bmfj", beta, grams)


@pytest.mark.parametrize("n_features", [1, 3, 12, 60])
@pytest.mark.parametrize("seed", range(3))
def test_left_out_decisions_are_those_of_machines_solved_alone(n_features: int, seed: int) -> None:
    features, targets = draw_tables(n_features, seed), draw_targets(seed)
    held = np.arange(4)[:, None] == FOLDS
    machines = machines_of(features, targets, held)
    found = machines.settle(torch.zeros((machines.n_tasks, N_CLIPS), dtype=torch.bool))
    assert found.is_settled.all()
    decisions = decisions_of(features, found)
    for individual, C in enumerate(PENALTIES):
        expected = left_out_decisions(features[individual], targets, FOLDS, C)
        own = decisions[individual][:, FOLDS, np.arange(N_CLIPS)]
        np.testing.assert_allclose(own, expected.T, rtol=0, atol=1e-8)


@pytest.mark.parametrize("n_features", [2, 60])
def test_machines_of_all_clips_are_those_solved_alone_from_any_start(n_features: int) -> None:
    features, targets = draw_tables(n_features, 1), draw_targets(1)
    machines = machines_of(features, targets, np.zeros((1, N_CLIPS), np.bool_))
    starts = np.random.default_rng(2).random((machines.n_tasks, N_CLIPS)) < 0.5
    found = machines.settle(torch.from_numpy(starts))
    decisions = decisions_of(features, found)
    for individual, C in enumerate(PENALTIES):
        expected = training_decisions(features[individual], targets, C)
        np.testing.assert_allclose(decisions[individual, :, 0], expected.T, rtol=0, atol=1e-8)


def test_clips_outside_have_no_beta_and_their_margin() -> None:
    features, targets = draw_tables(12, 3), draw_targets(3)
    held = np.arange(4)[:, None] == FOLDS
    machines = machines_of(features, targets, held)
    found = machines.settle(torch.zeros((machines.n_tasks, N_CLIPS), dtype=torch.bool))
    shape = (len(PENALTIES), 2, 4, N_CLIPS)
    outside = found.outside.numpy().reshape(shape)
    assert outside[:, :, held].all()
    free = outside & ~held
    assert 0 < free.sum() < (~held).sum() * len(PENALTIES)
    assert (found.beta.numpy().reshape(shape)[outside] == 0).all()
    margins = targets[:, None] * decisions_of(features, found)
    assert (margins[free] >= 1 - 1e-8).all()
    assert (margins[~outside] < 1).all()


def test_room_does_not_change_what_is_found() -> None:
    features, targets = draw_tables(4, 5), draw_targets(5)
    held = np.arange(4)[:, None] == FOLDS
    found = []
    for room in (1, 3000, 10**6):
        machines = machines_of(features, targets, held, room)
        found.append(machines.settle(torch.zeros((machines.n_tasks, N_CLIPS), dtype=torch.bool)))
    for other in found[1:]:
        torch.testing.assert_close(other.beta, found[0].beta, rtol=0, atol=1e-9)
        assert torch.equal(other.outside, found[0].outside)

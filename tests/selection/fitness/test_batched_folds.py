"""Decisions of batches against SVMs solved one by one, and what their bounds are worth."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from oracles.leave_out import left_out_decisions

from merec_hpc.learning.bias import bias_feature, mean_squares, with_constant
from merec_hpc.selection.fitness.batched_folds import BatchedFolds, predict
from merec_hpc.selection.fitness.inner_problem import System

N_CLIPS = 20
FOLDS = np.repeat(np.arange(4), [9, 6, 4, 1])
EDGES = np.searchsorted(FOLDS, np.arange(5))
ROOM = 10**6


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Let torch use one thread: small batches take longer with more."""
    n_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(n_threads)


def draw(n_features: int, seed: int = 0) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return features (n_clips, n_features) and targets of three machines, (3, n_clips)."""
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(N_CLIPS) % 3)
    features = rng.normal(size=(N_CLIPS, n_features)) + np.eye(3, n_features)[labels]
    return features, np.where(labels == np.arange(3)[:, None], 1.0, -1.0)


def draw_individuals(n_features: int) -> Any:
    """Return masks, penalties and biases of five individuals."""
    rng = np.random.default_rng(1)
    masks = rng.random((5, n_features)) < 0.6
    masks[:, 0] = True
    return masks, np.array([1e-2, 1.0, 1e2, 1e-2, 10.0]), np.array([0.0, 0.0, 0.5, 2.0, 1.0])


def decide(folds: BatchedFolds, individuals: Any) -> tuple[torch.Tensor, torch.Tensor]:
    shape = (len(individuals[0]), *folds.targets.shape)
    decisions = torch.zeros(shape, dtype=torch.float64)
    errors = torch.full_like(decisions, -1.0)
    folds.decide(*individuals, decisions, errors)
    return decisions, errors


def folds_of(
    features: NDArray[np.float64],
    targets: NDArray[np.float64],
    systems: list[System] | None = None,
    room: int = ROOM,
) -> BatchedFolds:
    whole = System(EDGES, slice(0, len(targets)), np.ones(N_CLIPS))
    squares = mean_squares(features)
    device = torch.device("cpu")
    return BatchedFolds.on(device, features, squares, targets, systems or [whole], room)


@pytest.mark.parametrize("offset", [0.0, 100.0])
@pytest.mark.parametrize("n_features", [1, 4, 15, 100])
def test_decisions_are_right_within_their_bounds(n_features: int, offset: float) -> None:
    features, targets = draw(n_features)
    features += offset
    masks, penalties, biases = individuals = draw_individuals(n_features)
    decisions, errors = decide(folds_of(features, targets), individuals)
    squares = mean_squares(features)
    for place, (mask, C, bias) in enumerate(zip(masks, penalties, biases, strict=True)):
        seen = with_constant(features[:, mask], bias_feature(squares, mask, bias))
        expected = left_out_decisions(seen, targets, FOLDS, C).T
        found, bound = decisions[place].numpy(), errors[place].numpy()
        rounding = 1e-9 * np.abs(expected).max() * max(offset, 1.0)  # of the oracle
        assert (np.abs(found - expected) <= bound + rounding).all()
        if not offset:
            assert (bound < 1e-6).all()


def test_machines_with_penalties_of_their_own_are_those_solved_alone() -> None:
    features, targets = draw(30)
    masks, penalties, _ = draw_individuals(30)
    weights = [np.where(target > 0, 3.0, 0.5) for target in targets]
    systems = [
        System(EDGES[fold : fold + 2], slice(machine, machine + 1), weights[machine], fold)
        for fold in range(4)
        for machine in range(3)
    ]
    individuals = (masks, penalties, np.zeros(5))
    decisions, _ = decide(folds_of(features, targets, systems), individuals)
    for machine in range(3):
        whole = [System(EDGES, slice(machine, machine + 1), weights[machine])]
        alone, _ = decide(folds_of(features, targets, whole), individuals)
        torch.testing.assert_close(decisions[:, machine], alone[:, machine], rtol=0, atol=1e-10)
    same = [System(EDGES, slice(0, 3), np.full(N_CLIPS, 3.0))]
    scaled, _ = decide(folds_of(features, targets, same), individuals)
    plain, _ = decide(folds_of(features, targets), (masks, 3.0 * penalties, np.zeros(5)))
    torch.testing.assert_close(scaled, plain, rtol=0, atol=1e-10)
    assert not torch.allclose(decisions, plain, rtol=0, atol=1e-3)


@pytest.mark.parametrize("room", [ROOM, 1, 2000])
def test_gram_matrices_are_those_of_the_chosen_features(room: int) -> None:
    features, targets = draw(40)
    masks = draw_individuals(40)[0]
    found = folds_of(features, targets, room=room).grams(torch.from_numpy(masks).double())
    expected = [features[:, mask] @ features[:, mask].T for mask in masks]
    np.testing.assert_allclose(found.numpy(), expected, rtol=0, atol=1e-12)


def test_kernels_without_a_digit_say_nothing_and_leave_others_alone() -> None:
    features, targets = draw(30)
    masks, penalties, biases = draw_individuals(30)
    expected, _ = decide(folds_of(features, targets), (masks, penalties, biases))
    features = np.column_stack([features, np.repeat(1e9 + features[:10, 0], 2)])
    masks = np.column_stack([masks, np.arange(5) == 1])
    decisions, errors = decide(folds_of(features, targets), (masks, penalties, 0 * biases))
    assert errors[1].isinf().all()
    assert decisions.isfinite().all()
    assert errors[[0, 2, 3, 4]].isfinite().all()
    torch.testing.assert_close(decisions[0], expected[0], rtol=0, atol=1e-12)


ALL_TRAINED = torch.ones((1, 3), dtype=torch.bool)


def column(*values: float) -> torch.Tensor:
    """Return values of machines for one clip of one individual."""
    return torch.tensor(values, dtype=torch.float64)[None, :, None]


@pytest.mark.parametrize(
    ("errors", "is_certain"),
    [
        ((0.0, 0.0, 0.0), True),
        ((0.4, 0.5, 0.0), True),
        ((0.5, 0.6, 0.0), False),
        ((0.0, 0.0, 4.9), True),
        ((0.0, 0.0, 5.1), False),  # the last class may be the best one
        ((np.inf, 0.0, 0.0), False),
    ],
)
def test_classes_are_certain_beyond_their_errors(
    errors: tuple[float, ...], is_certain: bool
) -> None:
    predicted, certain = predict(column(1.0, 2.0, -3.0), column(*errors), ALL_TRAINED)
    assert (predicted.tolist(), certain.tolist()) == ([[1]], [is_certain])


def test_classes_that_tie_are_not_certain() -> None:
    tied = column(1.0, 1.0, 0.0)
    assert not predict(tied, torch.zeros_like(tied), ALL_TRAINED)[1]
    near = column(1.0, 1.0 + 1e-8, 0.0)
    assert not predict(near, torch.zeros_like(near), ALL_TRAINED)[1]


def test_class_without_a_training_clip_does_not_count() -> None:
    is_trained = torch.tensor([[True, False, True]])
    predicted, certain = predict(column(1.0, 2.0, 0.0), column(0.0, np.inf, 0.0), is_trained)
    assert (predicted.tolist(), certain.tolist()) == ([[0]], [True])
    alone = torch.tensor([[False, False, True]])
    predicted, certain = predict(column(1.0, 2.0, 0.0), column(0.1, 0.1, 0.1), alone)
    assert (predicted.tolist(), certain.tolist()) == ([[2]], [True])


def test_of_two_classes_the_first_machine_decides() -> None:
    is_trained = torch.ones((3, 2), dtype=torch.bool)
    decisions = torch.tensor([[[0.5, -0.5, 2.0]]], dtype=torch.float64)
    predicted, certain = predict(decisions, torch.full_like(decisions, 0.4), is_trained)
    assert (predicted.tolist(), certain.tolist()) == ([[0, 1, 0]], [True])
    _, certain = predict(decisions, torch.full_like(decisions, 0.6), is_trained)
    assert certain.tolist() == [False]


def test_one_doubtful_clip_makes_an_individual_doubtful() -> None:
    decisions = torch.tensor([[[1.0, 1.0], [0.0, 1.0]], [[1.0, 1.0], [0.0, 0.0]]]).double()
    decisions = torch.cat([decisions, torch.full((2, 1, 2), -1.0).double()], dim=1)
    is_trained = torch.ones((2, 3), dtype=torch.bool)
    _, certain = predict(decisions, torch.zeros_like(decisions), is_trained)
    assert certain.tolist() == [False, True]

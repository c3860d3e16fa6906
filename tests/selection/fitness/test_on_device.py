"""Batches on a device predict what the fitness itself predicts."""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from merec_hpc.config.selection import GeneticSettings
from merec_hpc.errors import MerecError
from merec_hpc.parallel.communicator import SerialCommunicator
from merec_hpc.records import Features
from merec_hpc.selection.fitness.class_weights import ClassWeightFitness
from merec_hpc.selection.fitness.grouped import GroupedFitness
from merec_hpc.selection.fitness.on_device import DeviceFitness, moved
from merec_hpc.selection.fitness.subject_folds import SubjectFoldFitness
from merec_hpc.selection.genetic.archipelago import evolve

WIDE, SQUARE, NARROW, SINGLE = (24, 200), (30, 30), (36, 6), (20, 1)
SHAPES = (WIDE, SQUARE, NARROW, SINGLE)
N_MASKS = 16
FEW = N_MASKS // 4  # that pivot too long where features are about as many as clips


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Let torch use one thread: small batches take longer with more."""
    n_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(n_threads)


def some_table(shape: tuple[int, int], n_classes: int, seed: int) -> Any:
    """Return features, labels and subjects: one of half of the clips, and some of one clip."""
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(shape[0]) % n_classes)
    values = rng.normal(size=shape) + 0.5 * rng.normal(size=(n_classes, shape[1]))[labels]
    subjects = rng.choice(6, size=shape[0], p=[0.5, 0.2, 0.15, 0.1, 0.03, 0.02])
    subjects[:2] = [4, 5]
    return values, labels, subjects


def some_individuals(n_features: int, seed: int) -> Any:
    """Return masks, one of them empty, C and biases, half of them 0."""
    rng = np.random.default_rng(seed + 100)
    masks = rng.random((N_MASKS, n_features)) < rng.choice([0.1, 0.5, 0.9], size=(N_MASKS, 1))
    masks[3] = False
    biases = np.where(rng.random(N_MASKS) < 0.5, 0.0, rng.uniform(0.1, 3.0, N_MASKS))
    return masks, 10.0 ** rng.uniform(-3, 4, N_MASKS), biases


def handed_over(fitness: SubjectFoldFitness, individuals: Any, device: str = "cpu") -> int:
    """Assert that predictions are those of the fitness; return how many it made itself."""
    batched = DeviceFitness(fitness, device, 5)
    found, expected = batched.predictions(*individuals), fitness.predictions(*individuals)
    np.testing.assert_array_equal(found, expected)
    assert (found[~individuals[0].any(axis=1)] == -1).all()
    return batched.n_handed_over


@pytest.mark.parametrize("n_classes", [2, 3, 5])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("seed", range(3))
def test_predictions_are_those_of_the_fitness(
    shape: tuple[int, int], n_classes: int, seed: int
) -> None:
    fitness = SubjectFoldFitness(*some_table(shape, n_classes, seed))
    assert handed_over(fitness, some_individuals(shape[1], seed)) <= FEW


@pytest.mark.parametrize(
    "options",
    [
        {"class_weight": "balanced"},
        {"scaling": "standard"},
        {"scaling": "standard", "class_weight": "balanced"},
        {"n_folds": 3},
    ],
    ids=str,
)
@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("shape", [WIDE, NARROW])
def test_options_of_the_fitness_hold(
    shape: tuple[int, int], n_classes: int, options: dict[str, Any]
) -> None:
    fitness = SubjectFoldFitness(*some_table(shape, n_classes, 7), **options)
    assert handed_over(fitness, some_individuals(shape[1], 7)) <= FEW


def test_given_weights_of_classes_hold() -> None:
    table = some_table(WIDE, 3, 8)
    fitness = ClassWeightFitness(*table, class_weight={0: 5.0, 2: 0.2})
    individuals = some_individuals(WIDE[1], 8)
    assert handed_over(fitness, individuals) <= FEW
    plain = DeviceFitness(SubjectFoldFitness(*table), "cpu").predictions(*individuals)
    assert (plain != fitness.predictions(*individuals)).any()


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("n_features", [3, 200])
def test_ties_are_handed_over(n_classes: int, n_features: int) -> None:
    rng = np.random.default_rng(9)
    values = rng.integers(-1, 2, size=(20, n_features))[rng.integers(8, size=20)]
    labels, subjects = np.arange(20) % n_classes, rng.permutation(np.arange(20) % 5)
    fitness = SubjectFoldFitness(values, labels, subjects)
    masks, C, _ = some_individuals(n_features, 9)
    masks[5:] = False
    masks[np.arange(5, N_MASKS), rng.integers(n_features, size=N_MASKS - 5)] = True
    assert handed_over(fitness, (masks, C, None)) > 0


def test_features_of_a_large_offset_are_handed_over() -> None:
    values, labels, subjects = some_table((12, 6), 3, 10)
    fitness = SubjectFoldFitness(values + 1e6, labels, subjects)
    masks = np.ones((3, 6), np.bool_)
    masks[1] = False
    assert handed_over(fitness, (masks, np.full(3, 100.0), None)) == 2  # one is empty


def test_classes_without_training_clips_are_never_predicted(features: Features) -> None:
    labels = np.where(features.subjects == "s02", 2, np.arange(24) % 2)
    fitness = SubjectFoldFitness(features.values, labels, features.subjects)
    individuals = some_individuals(30, 11)
    assert handed_over(fitness, individuals) <= FEW
    predicted = DeviceFitness(fitness, "cpu").predictions(*individuals)
    assert not (predicted[:, features.subjects == "s02"] == 2).any()


@pytest.mark.parametrize("scaling", ["none", "standard"])
def test_batch_size_does_not_matter(scaling: Any) -> None:
    fitness = SubjectFoldFitness(*some_table(SQUARE, 3, 12), scaling=scaling)
    individuals = some_individuals(SQUARE[1], 12)
    expected = DeviceFitness(fitness, "cpu").predictions(*individuals)
    assert len(np.unique(expected)) == 4
    for size in (1, 7, N_MASKS):
        found = DeviceFitness(fitness, "cpu", size).predictions(*individuals)
        assert found.tobytes() == expected.tobytes()


def test_a_second_call_predicts_the_same() -> None:
    fitness = SubjectFoldFitness(*some_table(WIDE, 3, 13))
    individuals = some_individuals(WIDE[1], 13)
    batched = DeviceFitness(fitness, "cpu")
    first = batched.predictions(*individuals)
    np.testing.assert_array_equal(batched.predictions(*individuals), first)


@pytest.mark.parametrize("criterion", ["mu_minus_variance", "minimum", "pooled_uf1"])
def test_scores_are_those_of_the_fitness(criterion: Any) -> None:
    fitness = SubjectFoldFitness(*some_table(WIDE, 3, 14))
    masks, C, bias = some_individuals(WIDE[1], 14)
    found = DeviceFitness(fitness, "cpu").score(masks, C, criterion, bias)
    np.testing.assert_array_equal(found, fitness.score(masks, C, criterion, bias))
    assert found[3] == 0
    without = DeviceFitness(fitness, "cpu").score(masks, C, criterion)
    np.testing.assert_array_equal(without, fitness.score(masks, C, criterion))


def test_no_mask_has_no_prediction() -> None:
    fitness = SubjectFoldFitness(*some_table(NARROW, 3, 15))
    batched = DeviceFitness(fitness, "cpu")
    assert batched.predictions(np.empty((0, 6), np.bool_), []).shape == (0, 36)
    assert (batched.predictions(np.zeros((2, 6), np.bool_), [1.0, 2.0]) == -1).all()
    assert (batched.n_features, batched.n_handed_over) == (6, 0)


def test_masks_that_do_not_fit_are_refused() -> None:
    batched = DeviceFitness(SubjectFoldFitness(*some_table(NARROW, 3, 16)), "cpu")
    with pytest.raises(ValueError, match=r"masks \(n, 6\)"):
        batched.predictions(np.ones((1, 7), np.bool_), [1.0])


@pytest.mark.parametrize("device", ["gpu", "mps", "cuda:99"])
def test_devices_that_are_not_there_are_refused(device: str) -> None:
    fitness = SubjectFoldFitness(*some_table(NARROW, 3, 17))
    with pytest.raises(MerecError, match=f"device: one of those here .* found '{device}'") as info:
        DeviceFitness(fitness, device)
    assert "\n" not in str(info.value)


@pytest.mark.parametrize("size", [0, -1])
def test_batches_of_nothing_are_refused(size: int) -> None:
    fitness = SubjectFoldFitness(*some_table(NARROW, 3, 18))
    with pytest.raises(ValueError, match="at least one individual expected"):
        DeviceFitness(fitness, "cpu", size)


def test_torch_is_imported_by_use_alone() -> None:
    code = "import sys, merec_hpc.selection.fitness.on_device; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here")
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("n_classes", [2, 3])
def test_cuda_predicts_the_same(shape: tuple[int, int], n_classes: int) -> None:
    fitness = SubjectFoldFitness(*some_table(shape, n_classes, 19))
    assert handed_over(fitness, some_individuals(shape[1], 19), "cuda") <= FEW


def test_a_search_on_a_device_is_the_same_search(features: Features) -> None:
    table = features.values, features.labels, features.subjects
    settings = GeneticSettings(
        n_islands=2, n_individuals=8, n_random_migrants=2, n_generations=3, migration_interval=2
    )
    for changes in ({}, {"training_accuracy": "inner_folds"}, {"criterion": "balanced_hinge"}):
        own = replace(settings, **changes)
        fitness = SubjectFoldFitness(*table)
        found = evolve(moved(fitness, "cpu"), own, SerialCommunicator(), shows_progress=False)
        expected = evolve(fitness, own, SerialCommunicator(), shows_progress=False)
        np.testing.assert_array_equal(found.last.masks, expected.last.masks)
        for name, column in vars(expected.history).items():
            np.testing.assert_array_equal(getattr(found.history, name), column)


def test_regrouped_folds_are_predicted_alike(features: Features) -> None:
    table = features.values, features.labels, np.arange(24) // 3
    fitness = SubjectFoldFitness(*table, n_folds=4).regrouped(np.arange(8) % 4)
    masks, C, biases = some_individuals(30, 1)
    found = DeviceFitness(fitness, "cpu").predictions(masks, C, biases)
    np.testing.assert_array_equal(found, fitness.predictions(masks, C, biases))


def test_several_groupings_are_refused(features: Features) -> None:
    first = SubjectFoldFitness(features.values, features.labels, np.arange(24) // 3, n_folds=4)
    with pytest.raises(MerecError, match=r"--device: inner\.n_groupings 1 and inner\.departure"):
        moved(GroupedFitness(first, 2), "cpu")

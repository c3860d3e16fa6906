"""The mean over groupings, and the penalty on departing from all features."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from parallel.threads import run_ranks

from merec_hpc.config.scaling import STANDARD
from merec_hpc.config.selection import GeneticSettings, InnerSettings
from merec_hpc.criteria import criteria_names, mu
from merec_hpc.parallel.communicator import Communicator
from merec_hpc.records import Features
from merec_hpc.selection.fitness.grouped import GroupedFitness, grouped
from merec_hpc.selection.fitness.inner_fitness import InnerFitness
from merec_hpc.selection.fitness.subject_folds import SubjectFoldFitness
from merec_hpc.selection.genetic.archipelago import evolve
from merec_hpc.selection.training_folds import fold_fitness

PENALTY = 0.15


@pytest.fixture
def first(features: Features) -> SubjectFoldFitness:
    """Eight subjects of three clips each in four groups."""
    return SubjectFoldFitness(features.values, features.labels, np.arange(24) // 3, n_folds=4)


@pytest.fixture
def several(first: SubjectFoldFitness) -> GroupedFitness:
    return GroupedFitness(first, 3, PENALTY)


@pytest.fixture
def masks(rng: np.random.Generator) -> NDArray[np.bool_]:
    drawn: NDArray[np.bool_] = rng.random((5, 30)) < rng.random((5, 1))
    drawn[3], drawn[4] = True, False
    return drawn


C = np.array([0.1, 1.0, 10.0, 1.0, 1.0])
BIAS = np.array([0.0, 0.5, 2.0, 0.5, 0.0])


@pytest.mark.parametrize("criterion", criteria_names())
def test_fitness_is_the_mean_less_the_penalty(
    first: SubjectFoldFitness, several: GroupedFitness, masks: NDArray[np.bool_], criterion: str
) -> None:
    found = several.score(masks, C, criterion, BIAS)
    for mask, penalty, bias, fitness in zip(masks, C, BIAS, found, strict=True):
        alone = [g.score(mask[None], [penalty], criterion, [bias])[0] for g in several.groupings]
        left_out = np.count_nonzero(~mask) / 30
        assert fitness == pytest.approx(max(sum(alone) / 3 - PENALTY * left_out, 0), abs=1e-12)
    assert several.groupings[0] is first
    # All features lose nothing, and no feature scores nothing.
    assert found[4] == 0
    plain = GroupedFitness(first, 3).score(masks, C, criterion, BIAS)
    assert found[3] == plain[3]
    assert (found[:3] < plain[:3]).all()


def test_fitness_is_never_negative(first: SubjectFoldFitness, masks: NDArray[np.bool_]) -> None:
    found = GroupedFitness(first, 1, 1.0).score(masks, C, "minimum")
    assert found.min() == 0


@pytest.mark.parametrize("criterion", ["mu_minus_variance", "balanced_hinge", "balanced_log_loss"])
def test_flips_score_as_the_changed_masks(several: GroupedFitness, criterion: str) -> None:
    mask, flipped = np.arange(30) < 12, np.array([3, 11, 12, 29, 0])
    changed = np.tile(mask, (5, 1))
    changed[np.arange(5), flipped] ^= True
    found = several.rate_flips(mask, 1.0, criterion, flipped)
    np.testing.assert_allclose(found, several.rate(changed, np.ones(5), criterion), atol=2e-9)
    np.testing.assert_array_equal(several.score_flips(mask, 1.0, criterion, flipped), found[:, 0])
    np.testing.assert_allclose(found[:, 1], mu(several.fold_accuracies(changed, np.ones(5))))


def test_groupings_differ_and_what_is_not_of_folds_is_the_first_ones(
    first: SubjectFoldFitness, several: GroupedFitness, masks: NDArray[np.bool_]
) -> None:
    owners = [
        g.folds.fold_of_subjects[:, None] == g.folds.fold_of_subjects for g in several.groupings
    ]
    assert len({pairs.tobytes() for pairs in owners}) == 3
    assert several.n_features == 30
    assert several.folds is first.folds
    assert several.classes is first.classes
    np.testing.assert_array_equal(several.features, first.features)
    np.testing.assert_array_equal(
        several.machines(masks, C).weights, first.machines(masks, C).weights
    )
    assert several.fold_accuracies(masks, C).shape == (5, 12)


def test_without_any_of_it_the_fitness_is_the_first_grouping_itself(
    first: SubjectFoldFitness,
) -> None:
    assert grouped(first, InnerSettings()) is first
    assert len(grouped(first, InnerSettings(n_inner_folds=4, n_groupings=2)).groupings) == 2
    penalised = grouped(first, InnerSettings(departure_penalty=0.1))
    assert penalised.groupings == [first]


def test_a_search_records_the_penalised_fitness_on_any_number_of_ranks(
    features: Features,
) -> None:
    settings = GeneticSettings(
        bias=(0.0,),
        n_islands=2,
        n_individuals=6,
        n_random_migrants=2,
        n_generations=3,
        n_emigrants=1,
        migration_interval=2,
        criterion="balanced_log_loss",
        departure_penalty=PENALTY,
        n_inner_folds=2,
        n_groupings=2,
    )

    def search(comm: Communicator) -> Any:
        fitness, _ = fold_fitness(features, "s02", STANDARD, settings, comm.shared)
        return evolve(fitness, settings, comm, shows_progress=False), fitness

    (alone, fitness), *_ = run_ranks(1, search)
    for found, _ in run_ranks(3, search)[:1]:
        np.testing.assert_array_equal(found.history.best_masks, alone.history.best_masks)
        np.testing.assert_array_equal(found.history.best_fitness, alone.history.best_fitness)
    checked: InnerFitness = fitness
    hall = alone.hall_of_fame
    np.testing.assert_array_equal(
        checked.score(hall.masks, hall.C, settings.criterion), hall.fitness
    )
    assert alone.fitness == alone.history.best_fitness[alone.generation]

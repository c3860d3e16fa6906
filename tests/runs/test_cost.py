"""The model of a search's time: its laws, and that measured costs are costs."""

from dataclasses import replace

import numpy as np
import pytest

from merec_hpc.config.selection import GeneticSettings
from merec_hpc.parallel.communicator import SerialCommunicator
from merec_hpc.records import Features
from merec_hpc.runs.cost import (
    Costs,
    Interconnect,
    measure_costs,
    n_evaluations,
    predict_search,
)
from merec_hpc.selection.fitness.grouped import GroupedFitness
from merec_hpc.selection.fitness.subject_folds import SubjectFoldFitness
from merec_hpc.selection.genetic.archipelago import evolve

COSTS = Costs(evaluation_s=4e-4, evaluation_spread=0.5, breeding_s=2e-5, training_s=1e-3)
NETWORK = Interconnect(latency_s=2e-6, bytes_per_s=1e10)
PANMICTIC = GeneticSettings(n_islands=1)


def test_one_rank_neither_waits_nor_talks() -> None:
    alone = predict_search(PANMICTIC, 9216, 1, COSTS, NETWORK)
    assert alone.waiting_s == alone.communication_s == alone.bytes_per_generation == 0
    # 50 generations of 49 children and 10 migrants, and the champion's training accuracy; one
    # child in five is not crossed, and of these 0.95 squared are not mutated.
    scored = 59 - 49 * 0.2 * 0.95**2
    assert alone.evaluation_s == pytest.approx(50 * (scored * 4e-4 + 1e-3))
    assert alone.breeding_s == pytest.approx(50 * 59 * 2e-5)


def test_a_panmictic_population_has_no_use_for_more_ranks_than_individuals() -> None:
    as_many = predict_search(PANMICTIC, 9216, 59, COSTS, NETWORK)
    more = predict_search(PANMICTIC, 9216, 4096, COSTS, NETWORK)
    assert more.evaluation_s == as_many.evaluation_s
    assert more.total_s > as_many.total_s
    assert as_many.breeding_s == predict_search(PANMICTIC, 9216, 1, COSTS, NETWORK).breeding_s


def test_an_island_a_rank_takes_little_longer_on_many_ranks() -> None:
    few, many = (
        predict_search(replace(PANMICTIC, n_islands=n), 9216, n, COSTS, NETWORK) for n in (64, 4096)
    )
    assert many.evaluation_s == few.evaluation_s
    assert many.breeding_s == few.breeding_s
    assert few.total_s < many.total_s < 2 * few.total_s


@pytest.mark.parametrize("n_islands", [1, 3])
def test_no_search_scores_more_than_is_counted(features: Features, n_islands: int) -> None:
    class Counting(SubjectFoldFitness):
        n_scored = 0

        def score(self, masks, C, criterion, bias=None):  # type: ignore[no-untyped-def]
            self.n_scored += len(masks)
            return super().score(masks, C, criterion, bias)

    settings = GeneticSettings(
        n_islands=n_islands, n_individuals=8, n_random_migrants=2, n_generations=3
    )
    fitness = Counting(features.values, features.labels, features.subjects)
    evolve(fitness, settings, SerialCommunicator())
    assert 0.5 * n_evaluations(settings) < fitness.n_scored <= n_evaluations(settings)


def test_every_grouping_is_measured_by_the_criterion_that_is_asked_for(
    features: Features, monkeypatch: pytest.MonkeyPatch
) -> None:
    scored: list[tuple[int, str]] = []
    score = SubjectFoldFitness.score

    def counted(self, masks, C, criterion, bias=None):  # type: ignore[no-untyped-def]
        scored.append((len(masks), criterion))
        return score(self, masks, C, criterion, bias)

    monkeypatch.setattr(SubjectFoldFitness, "score", counted)
    first = SubjectFoldFitness(features.values, features.labels, np.arange(24) // 3, n_folds=4)
    settings = replace(PANMICTIC, criterion="balanced_hinge")
    totals = []
    for fitness in (first, GroupedFitness(first, 3)):
        scored.clear()
        measure_costs(fitness, settings)
        totals.append(sum(count for count, _ in scored))
        assert {criterion for _, criterion in scored} == {"balanced_hinge"}
    assert totals[1] == 3 * totals[0] > 0


def test_costs_are_measured(features: Features) -> None:
    fitness = SubjectFoldFitness(features.values, features.labels, features.subjects)
    costs = measure_costs(fitness, PANMICTIC)
    assert 0 < costs.evaluation_s < 1
    assert 0 < costs.breeding_s < 1
    assert 0 < costs.training_s < 1
    assert costs.evaluation_spread >= 0

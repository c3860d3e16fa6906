"""What a selector takes is counted from a measured part: of the right order, and by its settings."""

import time
from dataclasses import replace

import numpy as np
import pytest

from merec_hpc.config.evaluation import Method
from merec_hpc.config.selection import (
    AntColonySettings,
    ForwardSettings,
    GeneticSettings,
    InnerSettings,
    RandomMasksSettings,
    RankingSettings,
)
from merec_hpc.runs import selector_cost
from merec_hpc.runs.cost import Costs, measure_costs
from merec_hpc.runs.selector_cost import (
    FoldSample,
    evaluation_seconds,
    n_masks_kept,
    selection_seconds,
)
from merec_hpc.selection.fitness.genome import Genome
from merec_hpc.selection.fitness.grouped import GroupedFitness
from merec_hpc.selection.fitness.subject_folds import SubjectFoldFitness
from merec_hpc.selection.fitness.unit_fitness import UnitFitness
from merec_hpc.selection.selectors import SELECTORS, Selector, select

COSTS = Costs(evaluation_s=1e-3, evaluation_spread=0.5, breeding_s=1e-5, training_s=2e-3)


@pytest.fixture
def sample(rng: np.random.Generator) -> FoldSample:
    labels = np.arange(40) % 3
    subjects = np.repeat(np.arange(5), 8)
    return FoldSample(SubjectFoldFitness(rng.normal(size=(40, 300)), labels, subjects), COSTS)


def test_masks_are_counted(sample: FoldSample) -> None:
    masks = RandomMasksSettings(bias=(0.0,), n_masks=30)
    assert selection_seconds(sample, "random_masks", masks) == pytest.approx(30 * 5 * 1e-3)
    ants = AntColonySettings(bias=(0.0,), n_ants=7, n_iterations=2, C_values=(1.0, 10.0))
    assert selection_seconds(sample, "leaky_ant_colony", ants) == pytest.approx(7 * 2 * 2 * 1e-3)


def test_masks_of_each_fold_are_counted(
    sample: FoldSample, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []

    def own_seconds(_sample: FoldSample, n_selected: int, _settings: InnerSettings) -> float:
        seen.append(n_selected)
        return 10.0

    monkeypatch.setattr(selector_cost, "_own_seconds", own_seconds)
    monkeypatch.setattr(selector_cost, "_order_seconds", lambda *_: 1000.0)
    ants = AntColonySettings(bias=(0.0,), n_ants=7, n_iterations=2)
    assert selection_seconds(sample, "ant_colony", ants) == (5 + 1) * 1000 + 7 * 2 * 10
    ranking = RankingSettings(bias=(0.0,), n_selected_values=(5, 10, 400, 500))
    # Of all 300 features there are no more.
    assert selection_seconds(sample, "fisher", ranking) == (5 + 1) * 1000 + 3 * 10
    assert seen == [150, 10]


@pytest.mark.parametrize("ranking", ["fisher", "mrmr"])
def test_rankings_of_a_ranked_search_are_counted(
    sample: FoldSample, monkeypatch: pytest.MonkeyPatch, ranking: str
) -> None:
    monkeypatch.setattr(selector_cost, "_order_seconds", lambda *_: 1e6)
    settings = ForwardSettings(bias=(0.0,), n_steps=2, C_values=(1.0,))
    for name, n_orders in (("ranked_forward_", 6), ("leaky_ranked_forward_", 1)):
        seconds = selection_seconds(sample, f"{name}{ranking}", settings)
        assert seconds == pytest.approx(n_orders * 1e6, rel=1e-3)


def test_rankings_are_made_without_each_fold_of_each_grouping(
    sample: FoldSample, monkeypatch: pytest.MonkeyPatch
) -> None:
    values, folds = sample.fitness.features, sample.fitness.folds
    first = SubjectFoldFitness(values, folds.labels, np.arange(40) // 4, n_folds=4)
    monkeypatch.setattr(selector_cost, "_order_seconds", lambda *_: 1000.0)
    monkeypatch.setattr(selector_cost, "_own_seconds", lambda *_: 10.0)
    settings = RankingSettings(bias=(0.0,), n_selected_values=(5, 10), C_values=(1.0,))
    for n_groupings in (1, 3):
        grouped = FoldSample(GroupedFitness(first, n_groupings), COSTS)
        seconds = selection_seconds(grouped, "fisher", settings)
        assert seconds == pytest.approx((4 * n_groupings + 1) * 1000.0 + 2 * 10.0)


@pytest.mark.parametrize("selector", SELECTORS)
def test_every_selector_has_a_time(sample: FoldSample, selector: str) -> None:
    settings = SELECTORS[selector].settings()
    assert 0 < selection_seconds(sample, selector, settings) < 600
    assert n_masks_kept(settings) > 0


@pytest.mark.parametrize("selector", [name for name in SELECTORS if SELECTORS[name].takes_units])
def test_every_selector_has_a_time_by_groups(sample: FoldSample, selector: str) -> None:
    values, folds = sample.fitness.features, sample.fitness.folds
    clips = values, folds.labels, folds.folds
    units = FoldSample(UnitFitness(*clips, genome=Genome(np.arange(300) // 20)), COSTS)
    settings = SELECTORS[selector].settings()
    assert 0 < selection_seconds(units, selector, settings) < 600
    measured = measure_costs(units.fitness, GeneticSettings(bias=(0.0,)))
    assert 0 < measured.evaluation_s < 1


def test_of_a_selector_from_outside_the_time_is_what_its_job_asks_for(
    monkeypatch: pytest.MonkeyPatch, sample: FoldSample
) -> None:
    monkeypatch.setitem(SELECTORS, "mine", Selector("mine", InnerSettings, "outside", minutes=7))
    assert selection_seconds(sample, "mine", InnerSettings()) == 420


@pytest.mark.parametrize(
    "selector", ["forward", "backward", "ranked_forward_fisher", "leaky_ranked_forward_fisher"]
)
def test_a_search_by_steps_takes_about_what_is_told(sample: FoldSample, selector: str) -> None:
    settings = ForwardSettings(bias=(0.0,), n_steps=10)
    select(sample.fitness, selector, replace(settings, n_steps=1))  # compiles
    told = selection_seconds(sample, selector, settings)
    start = time.process_time()
    select(sample.fitness, selector, settings)
    assert time.process_time() - start < 20 * told + 1


def test_a_classifier_that_is_no_svm_is_measured(sample: FoldSample) -> None:
    forest = AntColonySettings(bias=(0.0,), classifier="random_forest", n_ants=2, n_iterations=1)
    assert selection_seconds(sample, "ant_colony", forest) > 0.01


def test_deciders_train_as_many_machines_as_they_have(sample: FoldSample) -> None:
    def seconds(method: str, settings: InnerSettings) -> float:
        return evaluation_seconds(sample, Method.parse(method), settings, "linear_svm", "none")

    search = GeneticSettings(bias=(0.0,), n_islands=2, n_individuals=10, n_random_migrants=2)
    assert seconds("genetic+hall_of_fame", search) == pytest.approx(10 * 2e-3)
    assert seconds("genetic+ensemble", search) == pytest.approx(10 * 2e-3)
    assert seconds("genetic", search) > 0

"""From a fold's training clips to the rules that decide: variants, records and controls."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from merec_hpc.config.selection import AllFeaturesSettings, RuleSettings
from merec_hpc.selection.fitness.subject_folds import SubjectFoldFitness
from merec_hpc.selection.rule.family import ALL_FEATURES, grid_of
from merec_hpc.selection.rule.learning import learn_rules
from merec_hpc.selection.rule.selecting import (
    VARIANTS,
    family_of,
    is_transductive,
    rules_of_all_features,
    select,
)
from merec_hpc.selection.selectors import SELECTORS
from merec_hpc.selection.selectors import select as select_by_name

QUICK = RuleSettings(
    C_values=(0.1, 1.0), p_values=(0.0, 1.0), n_individuals=5, n_generations=2, n_inner_folds=4
)
GENES = {"kappa": 0, "p": 1, "b": 2}


@pytest.fixture
def table(
    rng: np.random.Generator,
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.str_]]:
    """48 clips of 8 subjects who differ; 3 of 20 features carry the class."""
    labels, owners = np.tile(np.arange(3), 16), np.repeat(np.arange(8), 6)
    values = rng.normal(size=(48, 20)) + 2 * rng.normal(size=(8, 20))[owners]
    values[:, :3] += 2 * np.eye(3)[labels]
    return values, labels, np.array([f"s{owner}" for owner in owners])


@pytest.fixture
def fitness(
    table: tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.str_]],
) -> SubjectFoldFitness:
    return SubjectFoldFitness(*table)


def test_every_variant_is_a_selector_of_the_section() -> None:
    assert {name for name, known in SELECTORS.items() if known.section == "rule"} == set(VARIANTS)


@pytest.mark.parametrize("name", VARIANTS)
def test_what_is_selected_is_the_best_by_log_loss_that_the_variant_tries(
    fitness: SubjectFoldFitness, name: str
) -> None:
    selection = select(fitness, name, QUICK)
    family = family_of(name, QUICK)
    known = fitness.folds
    tried = learn_rules(fitness.features, known.labels, known.owners, family)
    # Six groups of eight subjects by default, and four as the settings say.
    assert len(tried.losses) == (len(grid_of(family)) if family.search == "grid" else 10)
    rules = selection.rules
    assert rules is not None
    share = 1 / 8 if family.search == "grid" else 1 / 4
    assert len(rules.losses) == -(-len(tried.losses) * share // 1)
    assert (np.diff(rules.losses) >= 0).all()
    assert selection.fitness == pytest.approx(np.exp(-rules.losses[0]))
    assert rules.genes[0, 3] == selection.C
    assert selection.bias == pytest.approx(np.sqrt(rules.genes[0, 2]))
    for gene in VARIANTS[name].without:
        assert (rules.genes[:, GENES[gene]] == 0).all()
    assert rules.is_transductive == is_transductive(name, QUICK) == (name != "rule_inductive")
    assert rules.is_champion
    assert selection.mask.all()
    assert selection.weights is not None
    assert (selection.weights**2).mean() == pytest.approx(1.0)
    if name == "rule":
        assert selection.weights[:3].min() > selection.weights[3:].max()


def test_settings_are_honoured(fitness: SubjectFoldFitness) -> None:
    plain = select(fitness, "rule", QUICK).rules
    assert plain is not None
    for change in (
        {"kappa_values": (7.0,)},
        {"p_values": (3.0,)},
        {"b_values": (0.5,)},
        {"C_values": (2.0,)},
        {"n_inner_folds": None},
        {"ensemble_share": 1.0},
        {"min_clips": 7},
    ):
        changed = select(fitness, "rule", replace(QUICK, **change)).rules
        assert changed is not None
        assert changed.losses.tolist() != plain.losses.tolist(), change
    few = select(fitness, "rule_evolved", QUICK)
    for change in ({"seed": 5}, {"n_individuals": 6}, {"n_generations": 3}):
        other = select(fitness, "rule_evolved", replace(QUICK, **change))
        assert other.fitness != few.fitness, change


def test_blocks_weigh_what_they_weigh(
    table: tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.str_]],
) -> None:
    weights = np.where(np.arange(20) < 10, 1.0, 1e-4)
    alone = SubjectFoldFitness(table[0][:, :10], *table[1:])
    both = SubjectFoldFitness(table[0], *table[1:], feature_weights=weights)
    unweighted = SubjectFoldFitness(*table)
    found = [select(one, "rule", QUICK).fitness for one in (alone, both, unweighted)]
    assert found[0] == pytest.approx(found[1], rel=1e-5)
    assert found[0] != pytest.approx(found[2], rel=1e-3)


def test_all_features_bring_their_own_ensemble(fitness: SubjectFoldFitness) -> None:
    rules = select_by_name(fitness, "all_features", AllFeaturesSettings()).rules
    assert rules is not None
    expected = rules_of_all_features(fitness)
    np.testing.assert_array_equal(rules.genes, expected.genes)
    assert len(rules.genes) == -(-len(grid_of(ALL_FEATURES)) // 4)
    assert (rules.genes[:, :2] == 0).all()
    assert not rules.is_champion
    assert not rules.is_transductive

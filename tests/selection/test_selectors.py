"""Every selector is found by its name, with settings of its own section."""

from dataclasses import replace

import numpy as np
import pytest

from merec_hpc.config.selection import (
    AllFeaturesSettings,
    AntColonySettings,
    AnySettings,
    ForwardSettings,
    GeneticSettings,
    RandomMasksSettings,
    RankingSettings,
    RuleSettings,
)
from merec_hpc.config.whole import Config
from merec_hpc.errors import MerecError
from merec_hpc.records import Features
from merec_hpc.selection.fitness.subject_folds import SubjectFoldFitness
from merec_hpc.selection.selectors import RANKED, SELECTORS, find_selector, select

QUICK: dict[type, AnySettings] = {
    AllFeaturesSettings: AllFeaturesSettings(bias=(0.0,), C_values=(1.0,)),
    RandomMasksSettings: RandomMasksSettings(bias=(0.0,), n_masks=4, C_values=(1.0,)),
    RankingSettings: RankingSettings(bias=(0.0,), n_selected=3, C_values=(1.0,)),
    ForwardSettings: ForwardSettings(bias=(0.0,), n_steps=2, C_values=(1.0,)),
    AntColonySettings: AntColonySettings(bias=(0.0,), n_ants=2, n_iterations=1, C_values=(1.0,)),
    RuleSettings: RuleSettings(C_values=(1.0,), n_individuals=2, n_generations=1),
    GeneticSettings: GeneticSettings(
        bias=(0.0,), n_islands=1, n_individuals=4, n_generations=1, n_random_migrants=1
    ),
}


@pytest.mark.parametrize("selector", SELECTORS)
def test_selector_runs_with_the_settings_of_its_section(features: Features, selector: str) -> None:
    fitness = SubjectFoldFitness(features.values, features.labels, features.subjects)
    kind = SELECTORS[selector].settings
    assert type(getattr(Config(), SELECTORS[selector].section)) is kind
    selection = select(fitness, selector, QUICK[kind])
    assert selection.mask.any()
    assert 0 <= selection.fitness <= 1
    again = select(fitness, selector, QUICK[kind])
    np.testing.assert_array_equal(selection.mask, again.mask)
    assert (selection.bias == 0.0) or kind is RuleSettings


@pytest.mark.parametrize(
    "selector", [name for name, known in SELECTORS.items() if known.settings is not RuleSettings]
)
def test_what_a_selector_finds_scores_as_it_says_by_its_own_bias(
    features: Features, selector: str
) -> None:
    known = SELECTORS[selector]
    # Of its inner folds: by what their own training clips say.
    has_own_masks = known.section == "ranking" or selector.startswith((RANKED, "ant_colony"))
    fitness = SubjectFoldFitness(features.values + 1, features.labels, features.subjects)
    settings = replace(QUICK[known.settings], bias=("none", 0.3, 3.0), criterion="mu")
    found = select(fitness, selector, settings)
    for population in (found.hall_of_fame, found.last):
        scores = fitness.score(
            population.masks, population.C, known.criterion or "mu", population.bias
        )
        if not has_own_masks:
            np.testing.assert_array_equal(scores, population.fitness)
    assert set(found.last.bias) | set(found.hall_of_fame.bias) <= {0.0, 0.3, 3.0}
    history = found.history
    assert (found.C, found.bias) in zip(history.best_C, history.best_bias, strict=True)


def test_forest_on_smote_scores_the_ants_where_it_is_asked_for(features: Features) -> None:
    fitness = SubjectFoldFitness(features.values, features.labels, features.subjects)
    settings = AntColonySettings(
        bias=(0.0,), n_ants=2, n_iterations=1, classifier="random_forest", oversampling="smote"
    )
    selection = select(fitness, "ant_colony", settings)
    assert set(selection.last.C) == {settings.C_values[0]}


def test_unknown_selector_is_named_with_the_nearest() -> None:
    with pytest.raises(MerecError, match=r"a selector of all_features, .* found 'genetik'") as told:
        find_selector("genetik")
    assert str(told.value).endswith("did you mean 'genetic'?")

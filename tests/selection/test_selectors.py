"""Every selector is found by its name, with settings of its own section."""

import numpy as np
import pytest

from merec_hpc.config.selection import (
    AllFeaturesSettings,
    AntColonySettings,
    ForwardSettings,
    GeneticSettings,
    InnerSettings,
    RandomMasksSettings,
    RankingSettings,
)
from merec_hpc.config.whole import Config
from merec_hpc.errors import MerecError
from merec_hpc.records import Features
from merec_hpc.selection.fitness.subject_folds import SubjectFoldFitness
from merec_hpc.selection.selectors import SELECTORS, find_selector, select

QUICK: dict[type, InnerSettings] = {
    AllFeaturesSettings: AllFeaturesSettings(C_values=(1.0,)),
    RandomMasksSettings: RandomMasksSettings(n_masks=4, C_values=(1.0,)),
    RankingSettings: RankingSettings(n_selected=3, C_values=(1.0,)),
    ForwardSettings: ForwardSettings(n_steps=2, C_values=(1.0,)),
    AntColonySettings: AntColonySettings(n_ants=2, n_iterations=1, C_values=(1.0,)),
    GeneticSettings: GeneticSettings(
        n_islands=1, n_individuals=4, n_generations=1, n_random_migrants=1
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


def test_forest_on_smote_scores_the_ants_where_it_is_asked_for(features: Features) -> None:
    fitness = SubjectFoldFitness(features.values, features.labels, features.subjects)
    settings = AntColonySettings(
        n_ants=2, n_iterations=1, classifier="random_forest", oversampling="smote"
    )
    selection = select(fitness, "ant_colony", settings)
    assert set(selection.last.C) == {settings.C_values[0]}


def test_unknown_selector_is_named_with_the_nearest() -> None:
    with pytest.raises(MerecError, match=r"a selector of all_features, .* found 'genetik'") as told:
        find_selector("genetik")
    assert str(told.value).endswith("did you mean 'genetic'?")

"""The selector as a scikit-learn estimator."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.model_selection import LeaveOneGroupOut, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC
from sklearn.utils.estimator_checks import parametrize_with_checks

from merec_hpc.learning.linear_svm import train_svm
from merec_hpc.learning.scaling import Scaling
from merec_hpc.records import Features, History
from merec_hpc.selection.estimators import (
    AntColonySelector,
    ForwardSelector,
    GeneticSelector,
    RankingSelector,
)
from merec_hpc.selection.fitness.grouped import GroupedFitness
from merec_hpc.selection.fitness.subject_folds import SubjectFoldFitness
from merec_hpc.selection.mask_selector import MaskSelector

QUICK = {"n_individuals": 8, "n_random_migrants": 2, "n_generations": 3, "random_state": 0}


FEW = {"n_steps": 3, "C_values": (0.1, 1.0)}
SELECTORS = [
    GeneticSelector(**QUICK),
    ForwardSelector(**FEW),
    ForwardSelector(search="ranked_forward_gini", **FEW),
    RankingSelector(n_selected_values=(1, 3)),
    AntColonySelector(n_ants=3, n_iterations=2, random_state=0),
]


@parametrize_with_checks(SELECTORS)
def test_they_keep_scikit_learns_rules(estimator: MaskSelector, check: object) -> None:
    check(estimator)  # raises on whatever it finds


def fitted(features: Features, **changes: object) -> GeneticSelector:
    selector = GeneticSelector(**QUICK | changes)
    return selector.fit(features.values, features.labels, groups=features.subjects)


def test_what_it_found_is_consistent(features: Features) -> None:
    selector = fitted(features)
    assert selector.support_.shape == (30,)
    assert selector.get_support(indices=True).tolist() == np.flatnonzero(selector.support_).tolist()
    np.testing.assert_array_equal(
        selector.transform(features.values), features.values[:, selector.support_]
    )
    fitness = SubjectFoldFitness(features.values, features.labels, features.subjects)
    score = fitness.score(selector.support_[None], [selector.best_C_], "mu_minus_variance")
    assert score[0] == selector.best_fitness_
    assert {len(column) for column in selector.history_.values()} == {4}
    assert selector.history_["best_fitness"][selector.generation_] == selector.best_fitness_
    assert selector.hall_of_fame_.fitness[0] == selector.history_["best_fitness"][-1]


def test_the_same_seed_is_the_same_search(features: Features) -> None:
    once, again, other = (fitted(features, random_state=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(once.hall_of_fame_.masks, again.hall_of_fame_.masks)
    assert (once.hall_of_fame_.masks != other.hall_of_fame_.masks).any()
    fitted(features, random_state=np.random.RandomState(0))
    fitted(features, random_state=None)


def test_it_is_cloned_and_works_in_a_pipeline(features: Features) -> None:
    pipeline = make_pipeline(clone(fitted(features)), LinearSVC(fit_intercept=False))
    pipeline.fit(features.values, features.labels, geneticselector__groups=features.subjects)
    assert pipeline.predict(features.values).shape == (24,)
    scores = cross_val_score(
        make_pipeline(GeneticSelector(**QUICK), LinearSVC()),
        features.values,
        features.labels,
        groups=features.subjects,
        cv=LeaveOneGroupOut(),
    )
    assert scores.shape == (4,)


@pytest.mark.parametrize("option", [{"scaling": "standard"}, {"class_weight": "balanced"}])
def test_options_of_the_fitness_count(features: Features, option: dict[str, str]) -> None:
    uneven = replace(features, labels=np.where(features.labels == 2, 0, features.labels))
    plain, other = fitted(uneven), fitted(uneven, **option)
    assert (plain.history_["mean_fitness"] != other.history_["mean_fitness"]).any()


def test_callbacks_follow_the_search(features: Features) -> None:
    seen: list[History] = []
    fitted(features, callbacks=[seen.append])
    assert [len(history.best_fitness) for history in seen] == [1, 2, 3, 4]


def changed(values: NDArray[np.float32], place: tuple[int, int], value: float) -> np.ndarray:
    copied = values.copy()
    copied[place] = value
    return copied


def test_bad_input_is_refused(features: Features) -> None:
    values, labels, subjects = features.values, features.labels, features.subjects
    selector = GeneticSelector(**QUICK)
    with pytest.raises(ValueError, match="NaN"):
        selector.fit(changed(values, (3, 2), np.nan), labels, groups=subjects)
    with pytest.raises(ValueError, match="two classes expected, found 1"):
        selector.fit(values, np.zeros(24, int), groups=subjects)
    with pytest.raises(ValueError, match="two subjects expected, found 1"):
        selector.fit(values, labels, groups=np.zeros(24))
    with pytest.raises(ValueError, match=r"0 feature\(s\)"):
        selector.fit(values[:, :0], labels, groups=subjects)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        selector.fit(values, labels, groups=subjects[:5])
    with pytest.raises(ValueError, match="continuous"):
        selector.fit(values, np.linspace(0, 1, 24), groups=subjects)
    with pytest.raises(ValueError, match="n_individuals"):
        GeneticSelector(n_individuals=1).fit(values, labels, groups=subjects)


@pytest.mark.parametrize("selector", SELECTORS, ids=lambda selector: type(selector).__name__)
@pytest.mark.parametrize("scaling", ["none", "standard"])
def test_predictions_are_those_of_a_machine_on_the_mask(
    features: Features, selector: MaskSelector, scaling: str
) -> None:
    named = np.array(["a", "b", "c"])[features.labels]
    selector = clone(selector).set_params(scaling=scaling)
    selector.fit(features.values, named, groups=features.subjects)
    learnt = Scaling.fit(features.values, scaling)  # type: ignore[arg-type]
    values = learnt.apply(features.values)[:, selector.support_]
    machine = train_svm(values, features.labels, selector.best_C_)
    np.testing.assert_allclose(
        selector.decision_function(features.values), machine.decisions(values), atol=1e-5
    )
    expected = selector.classes_[machine.predict(values)]
    np.testing.assert_array_equal(selector.predict(features.values), expected)


@pytest.mark.parametrize("selector", SELECTORS)
def test_fitness_is_that_of_groupings_and_penalty(
    features: Features, selector: MaskSelector
) -> None:
    groups = np.arange(24) // 3
    inner = {"criterion": "balanced_hinge", "departure_penalty": 0.1, "n_groupings": 2}
    selector = clone(selector).set_params(n_folds=4, **inner)
    selector.fit(features.values, features.labels, groups=groups)
    first = SubjectFoldFitness(features.values, features.labels, groups, n_folds=4)
    hall, fitness = selector.hall_of_fame_, GroupedFitness(first, 2, 0.1)
    scores = fitness.score(hall.masks, hall.C, "balanced_hinge")
    if not isinstance(selector, RankingSelector):  # whose scores are of other rankings
        np.testing.assert_allclose(hall.fitness, scores, rtol=0, atol=2e-9)
    plain = clone(selector).set_params(departure_penalty=0.0, n_groupings=1)
    plain.fit(features.values, features.labels, groups=groups)
    assert plain.best_fitness_ > selector.best_fitness_
    with pytest.raises(ValueError, match="n_groupings is 2, must be 1 where n_inner_folds"):
        selector.set_params(n_folds=None).fit(features.values, features.labels, groups=groups)


@pytest.mark.parametrize("decider", ["hall_of_fame", "ensemble"])
def test_others_than_the_champion_may_decide(features: Features, decider: str) -> None:
    selector = fitted(features, decider=decider, n_generations=0)
    found = selector.decision_function(features.values)
    assert found.shape == (24, 3)
    champion = fitted(features, n_generations=0).decision_function(features.values)
    assert np.abs(found - champion).max() > 1e-6
    if decider == "hall_of_fame":
        np.testing.assert_allclose(found.sum(axis=1), 1)


@pytest.mark.parametrize(
    ("selector", "message"),
    [
        (ForwardSelector(search="forwards"), "a search of forward, backward"),
        (ForwardSelector(search="ranked_forward_x"), "a ranking of fisher"),
        (RankingSelector(ranking="x"), "a ranking of fisher"),
    ],
)
def test_unknown_names_are_refused(
    features: Features, selector: MaskSelector, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        selector.fit(features.values, features.labels)

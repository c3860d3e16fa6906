"""The rule as a scikit-learn estimator."""

import warnings

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn import config_context
from sklearn.base import is_classifier
from sklearn.model_selection import LeaveOneGroupOut, cross_val_score
from sklearn.utils.estimator_checks import parametrize_with_checks

from merec_hpc.selection.estimators import RuleSelector
from merec_hpc.selection.rule.deciding import EIGHTH
from merec_hpc.selection.rule.family import Family
from merec_hpc.selection.rule.learning import fit_rules, learn_rules

Table = tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.str_]]
FEW = {"C_values": (0.1, 1.0), "b_values": (0.3,), "p_values": (0.0, 1.0)}
without_groups = pytest.mark.filterwarnings("ignore:no groups given:UserWarning")


@pytest.fixture
def people(rng: np.random.Generator) -> Table:
    """48 clips of 8 subjects who differ; 2 of 20 features carry the class."""
    labels, owners = np.tile(np.arange(2), 24), np.repeat(np.arange(8), 6)
    values = rng.normal(size=(48, 20)) + 4 * rng.normal(size=(8, 20))[owners]
    values[:, :2] += 3 * np.eye(2)[labels]
    return values, labels, np.array([f"s{owner}" for owner in owners])


@without_groups
@parametrize_with_checks([RuleSelector(kappa_values=(0.0, 0.3), n_folds=2, **FEW)])
def test_it_keeps_scikit_learns_rules(estimator: RuleSelector, check: object) -> None:
    check(estimator)  # raises on whatever it finds


def test_it_decides_as_its_rules_do(people: Table) -> None:
    values, labels, subjects = people
    family = Family(kappa_values=(0.0, 1.0), min_clips=3, **FEW)
    for decider, share in (("ensemble", EIGHTH), ("champion", 0.0)):
        selector = RuleSelector(kappa_values=(0.0, 1.0), decider=decider, **FEW)
        selector.fit(values, labels, groups=subjects)
        best = learn_rules(values, labels, subjects, family).best(share)
        np.testing.assert_array_equal(selector.genes_, best.genes)
        fitted = fit_rules(values, labels, subjects, best, 3)
        found = selector.decision_function(values, groups=subjects)
        np.testing.assert_allclose(found, fitted.decisions(values, subjects)[:, 1], atol=1e-9)
        np.testing.assert_array_equal(
            selector.predict(values, groups=subjects), np.where(found > 0, 1, 0)
        )


def test_without_groups_nothing_is_removed_and_it_says_so(people: Table) -> None:
    values, labels, subjects = people
    selector = RuleSelector(kappa_values=(1.0,), **FEW).fit(values, labels, groups=subjects)
    with pytest.warns(UserWarning, match="no groups given: nothing is removed"):
        alone = selector.decision_function(values)
    assert (alone != selector.decision_function(values, groups=subjects)).any()
    inductive = RuleSelector(kappa_values=(0.0,), **FEW).fit(values, labels, groups=subjects)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        plain = inductive.decision_function(values)
    np.testing.assert_allclose(plain, inductive.decision_function(values, groups=subjects))


def test_groups_are_routed_to_fit_and_to_predict(people: Table) -> None:
    values, labels, subjects = people
    assert is_classifier(RuleSelector())
    with config_context(enable_metadata_routing=True), warnings.catch_warnings():
        warnings.simplefilter("error")
        scores = cross_val_score(
            RuleSelector(**FEW),
            values,
            labels,
            cv=LeaveOneGroupOut(),
            params={"groups": subjects},
            scoring=lambda estimator, X, y: (
                estimator.predict(X, groups=np.zeros(len(X))) == y
            ).mean(),
        )
    assert scores.mean() > 0.9


def test_features_that_tell_weigh_more(people: Table) -> None:
    values, labels, subjects = people
    selector = RuleSelector(p_values=(1.0,), kappa_values=(1.0,))
    selector.fit(values, labels, groups=subjects)
    assert selector.weights_[:2].min() > selector.weights_[2:].max()
    scaled = (values - values.mean(axis=0)) / values.std(axis=0)
    np.testing.assert_allclose(selector.transform(values), scaled * selector.weights_)
    assert selector.get_feature_names_out().tolist() == [f"x{number}" for number in range(20)]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"kappa_values": (-1.0,)}, "kappa_values"),
        ({"kappa_values": ()}, "kappa_values"),
        ({"C_values": (0.0,)}, "C_values"),
        ({"C_values": (1.0, 1.0)}, "C_values"),
        ({"search": "grids"}, "search: grid, evolved or random expected, found 'grids'"),
        ({"decider": "hall_of_fame"}, "decider: champion or ensemble expected"),
        ({"ensemble_share": 0.0}, "ensemble_share"),
        ({"n_folds": 1}, "n_folds"),
        ({"min_clips": 1}, "min_clips"),
        ({"random_state": "x", "search": "random"}, "random_state"),
    ],
)
def test_wrong_values_are_refused_in_one_line(
    people: Table, wrong: dict[str, object], message: str
) -> None:
    values, labels, subjects = people
    with pytest.raises(ValueError, match=message) as refused:
        RuleSelector(**wrong).fit(values, labels, groups=subjects)
    assert "\n" not in str(refused.value)


def test_missing_groups_are_refused_in_prediction_too(people: Table) -> None:
    values, labels, subjects = people
    selector = RuleSelector(**FEW).fit(values, labels, groups=subjects)
    with pytest.raises(ValueError, match="groups: one for each sample expected, found None at 0"):
        selector.predict(values, groups=[None, *subjects[1:]])
    with pytest.raises(ValueError, match=r"one subject for each of 48 clips expected, found"):
        selector.predict(values, groups=subjects[1:])

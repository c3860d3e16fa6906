"""The selector as a scikit-learn estimator."""

import warnings
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from sklearn import config_context
from sklearn.base import clone, is_classifier
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import VotingClassifier
from sklearn.model_selection import (
    GridSearchCV,
    LeaveOneGroupOut,
    StratifiedKFold,
    cross_val_score,
)
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC
from sklearn.utils.estimator_checks import parametrize_with_checks

from merec_hpc.config.selection import ForwardSettings, SvmSettings
from merec_hpc.learning.linear_svm import train_svm
from merec_hpc.learning.scaling import Scaling
from merec_hpc.records import Features, Selection
from merec_hpc.selection.estimators import (
    AntColonySelector,
    ForwardSelector,
    GeneticSelector,
    RankingSelector,
)
from merec_hpc.selection.fitness.grouped import GroupedFitness
from merec_hpc.selection.fitness.subject_folds import SubjectFoldFitness
from merec_hpc.selection.forward import search_forward
from merec_hpc.selection.mask_selector import MaskSelector, SearchOf
from merec_hpc.selection.watching import Callback, Watcher

QUICK = {"n_individuals": 8, "n_random_migrants": 2, "n_generations": 3, "random_state": 0}


FEW = {"n_steps": 3, "C_values": (0.1, 1.0)}
# What one must not do with people, and scikit-learn's checks always do.
without_groups = pytest.mark.filterwarnings("ignore:no groups given:UserWarning")
SELECTORS = [
    GeneticSelector(**QUICK),
    ForwardSelector(**FEW),
    ForwardSelector(search="ranked_forward_gini", **FEW),
    RankingSelector(n_selected_values=(1, 3)),
    AntColonySelector(n_ants=3, n_iterations=2, random_state=0),
]


# Few inner folds: some of these checks have hundreds of samples.
@without_groups
@parametrize_with_checks([clone(selector).set_params(n_folds=2) for selector in SELECTORS])
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
    fitness = SubjectFoldFitness(
        features.values, features.labels, features.subjects, scaling="standard"
    )
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


@pytest.mark.parametrize(
    "option", [{"scaling": "none"}, {"class_weight": "balanced"}, {"class_weight": {0: 9.0}}]
)
def test_options_of_the_fitness_count(features: Features, option: dict[str, str]) -> None:
    uneven = replace(features, labels=np.where(features.labels == 2, 0, features.labels))
    plain, other = fitted(uneven), fitted(uneven, **option)
    assert (plain.history_["mean_fitness"] != other.history_["mean_fitness"]).any()


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
    selector = clone(selector).set_params(scaling=scaling, bias="none")
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
    inner |= {"scaling": "none", "bias": [0.3, 1.0]}
    selector = clone(selector).set_params(n_folds=4, **inner)
    selector.fit(features.values, features.labels, groups=groups)
    first = SubjectFoldFitness(features.values, features.labels, groups, n_folds=4)
    hall, fitness = selector.hall_of_fame_, GroupedFitness(first, 2, 0.1)
    scores = fitness.score(hall.masks, hall.C, "balanced_hinge", hall.bias)
    is_ranked = getattr(selector, "search", "").startswith("ranked")
    if is_ranked or isinstance(selector, RankingSelector | AntColonySelector):
        # Their scores are of other masks, each of an inner fold's own.
        assert not np.allclose(hall.fitness, scores, rtol=0, atol=2e-9)
    else:
        np.testing.assert_allclose(hall.fitness, scores, rtol=0, atol=2e-9)
    plain = clone(selector).set_params(departure_penalty=0.0, n_groupings=1)
    plain.fit(features.values, features.labels, groups=groups)
    assert plain.best_fitness_ != selector.best_fitness_
    with pytest.raises(ValueError, match="n_groupings is 2, must be 1 where n_inner_folds"):
        selector.set_params(n_folds=None).fit(features.values, features.labels, groups=groups)


@pytest.mark.parametrize("search", ["ranked_forward_fisher", "leaky_ranked_forward_fisher"])
def test_ranked_searches_are_those_of_the_command(features: Features, search: str) -> None:
    clips = features.values, features.labels, features.subjects
    found = ForwardSelector(search=search, scaling="none", **FEW).fit(*clips).history_
    settings = ForwardSettings(n_steps=3, C_values=(0.1, 1.0))
    expected = search_forward(SubjectFoldFitness(*clips), search, settings).history
    np.testing.assert_array_equal(found["best_fitness"], expected.best_fitness)
    other = search_forward(SubjectFoldFitness(*clips), "forward", settings).history
    assert found["best_fitness"].tolist() != other.best_fitness.tolist()


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
        (
            ForwardSelector(search="forwards"),
            r"search: forward, .* expected, found 'forwards'; did you mean 'forward'\?",
        ),
        (RankingSelector(ranking="fischer"), r"ranking: .*did you mean 'fisher'\?"),
        (
            GeneticSelector(class_weight="balancd"),
            r"^class_weight: none, balanced or a dictionary expected, found 'balancd'; did you.*",
        ),
        (GeneticSelector(class_weight={0: 0.0}), "class_weight: a number above 0 for class 0"),
        (GeneticSelector(class_weight={7: 2.0}), "class_weight: classes of 0, 1, 2 expected"),
        (GeneticSelector(scaling="standrad"), r"scaling: .*did you mean 'standard'\?"),
        (GeneticSelector(scaling=0), "scaling: none or standard expected, found 0"),
        (GeneticSelector(decider="anything"), "decider: champion, hall_of_fame or ensemble"),
        (GeneticSelector(n_folds=1), "n_folds: a whole number of at least 2 or none"),
        (GeneticSelector(n_folds=2.0), "n_folds: .* found 2.0"),
        (GeneticSelector(n_individuals=1), "GeneticSelector: 'n_individuals' is 1, input should"),
        (GeneticSelector(n_elites=90), "n_elites is 90, must be below n_individuals"),
        (GeneticSelector(mutation="bits"), r"'mutation' is 'bits'.*did you mean 'bit'\?"),
        (GeneticSelector(mutation_rate=np.nan), "'mutation_rate' is nan, "),
        (GeneticSelector(objectives=["n_features"]), "must begin with fitness"),
        (GeneticSelector(objectives=["fitness", "size"]), "'objectives.1' is 'size'"),
        (GeneticSelector(objectives="fitness"), "'objectives' is 'fitness'"),
        (
            GeneticSelector(objectives=("fitness", "n_features"), flat_window=3),
            "flat_window is 3, must be null where objectives are",
        ),
        (GeneticSelector(flat_range=2), "'flat_range' is 2"),
        (GeneticSelector(criterion="mu_minus_varianc"), r"did you mean 'mu_minus_variance'\?"),
        (GeneticSelector(C_values=0.1), "'C_values' is 0.1"),
        (GeneticSelector(C_values=(0.1, -1.0)), "'C_values.1' is -1.0"),
        (GeneticSelector(n_generations=object()), "'n_generations': numbers.*found a object"),
        (GeneticSelector(random_state=-1), "random_state: a whole number of at least 0.*found -1"),
        (GeneticSelector(random_state="x"), "random_state: .*found 'x'"),
        (GeneticSelector(verbose="no"), "verbose: True or False expected, found 'no'"),
        (GeneticSelector(callbacks=print), "callbacks: a list of functions expected"),
        (GeneticSelector(callbacks=[1]), r"callbacks: a list of functions expected, found \[1\]"),
        (ForwardSelector(n_steps=0), "ForwardSelector: 'n_steps' is 0"),
        (RankingSelector(n_selected=0), "RankingSelector: 'n_selected' is 0"),
        (AntColonySelector(q0=1.5), "AntColonySelector: 'q0' is 1.5"),
    ],
)
def test_wrong_values_are_refused_in_one_line(
    features: Features, selector: MaskSelector, message: str
) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        selector.fit(features.values, features.labels, groups=features.subjects)
    assert str(caught.value).count("\n") == 0


def test_a_front_is_kept_of_two_objectives(features: Features) -> None:
    assert fitted(features).front_ is None
    selector = fitted(features, objectives=("fitness", "n_features"))
    front = selector.front_
    assert front is not None
    counts = front.masks.sum(axis=1)
    assert (np.diff(counts) > 0).all()
    assert (np.diff(front.fitness) > 0).all()
    np.testing.assert_array_equal(front.masks[-1], selector.support_)
    assert front.fitness[-1] == selector.best_fitness_
    assert selector.predict(features.values).shape == (24,)


def test_none_means_none(features: Features) -> None:
    said = fitted(features, scaling="none", class_weight="none", callbacks=())
    meant = fitted(features, scaling=None, class_weight=None, callbacks=None)
    np.testing.assert_array_equal(said.hall_of_fame_.masks, meant.hall_of_fame_.masks)
    np.testing.assert_array_equal(said.hall_of_fame_.fitness, meant.hall_of_fame_.fitness)


def test_numbers_of_numpy_are_numbers(features: Features) -> None:
    plain = fitted(features, mutation_rate=0.25, C_values=(1, 10.0))
    other = fitted(
        features,
        n_individuals=np.int64(8),
        mutation_rate=np.float64(0.25),
        C_values=np.array([1.0, 10.0]),
        n_folds=None,
    )
    np.testing.assert_array_equal(plain.hall_of_fame_.masks, other.hall_of_fame_.masks)


def two_classes(features: Features) -> Features:
    return replace(features, labels=np.minimum(features.labels, 1))


@pytest.mark.parametrize("weights", ["balanced", {"a": 4.0}])
def test_predictions_are_weighted_as_liblinear_weighs(features: Features, weights: object) -> None:
    named = np.array(["a", "b"])[two_classes(features).labels]
    selector = RankingSelector(n_selected=5, class_weight=weights, bias="none")
    selector.fit(features.values, named, groups=features.subjects)
    values = Scaling.fit(features.values, "standard").apply(features.values)[:, selector.support_]
    given = {"a": 24 / 16, "b": 24 / 32} if weights == "balanced" else weights
    machine = LinearSVC(
        C=selector.best_C_, fit_intercept=False, class_weight=given, tol=1e-10, max_iter=10**6
    ).fit(values, named)
    np.testing.assert_allclose(
        selector.decision_function(features.values), machine.decision_function(values), atol=1e-6
    )


@pytest.mark.parametrize("decider", ["champion", "hall_of_fame"])
def test_two_classes_have_one_decision(features: Features, decider: str) -> None:
    named = np.array(["a", "b"])[two_classes(features).labels]
    selector = GeneticSelector(**QUICK, decider=decider)
    selector.fit(features.values, named, groups=features.subjects)
    found = selector.decision_function(features.values)
    assert found.shape == (24,)
    assert selector.classes_.tolist() == ["a", "b"]
    np.testing.assert_array_equal(selector.predict(features.values), np.where(found > 0, "b", "a"))
    assert (found[named == "b"].mean() > 0) & (found[named == "a"].mean() < 0)
    if decider == "hall_of_fame":  # a share of votes, above one half
        votes = (found + 0.5) * len(selector.hall_of_fame_.C)
        np.testing.assert_allclose(votes, np.rint(votes), atol=1e-9)


def test_scikit_learn_takes_it_for_a_classifier(features: Features) -> None:
    selector = RankingSelector(n_selected=6)
    assert is_classifier(selector)
    selector.fit(features.values, features.labels, groups=features.subjects)
    right = selector.predict(features.values) == features.labels
    assert selector.score(features.values, features.labels) == right.mean() > 0.8


@without_groups
def test_cross_validation_is_stratified(features: Features) -> None:
    # Sorted by class: folds of neighbours would leave whole classes out.
    order = np.argsort(features.labels, kind="stable")
    values, labels = features.values[order], features.labels[order]
    selector = RankingSelector(n_selected=6)
    expected = cross_val_score(selector, values, labels, cv=StratifiedKFold(2))
    np.testing.assert_array_equal(cross_val_score(selector, values, labels, cv=2), expected)
    assert expected.min() > 0.4


@without_groups
def test_it_has_probabilities_and_votes_through_scikit_learn(features: Features) -> None:
    selector = RankingSelector(n_selected=6)
    calibrated = CalibratedClassifierCV(selector, cv=2).fit(features.values, features.labels)
    probabilities = calibrated.predict_proba(features.values)
    assert probabilities.shape == (24, 3)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    assert (probabilities.argmax(axis=1) == features.labels).mean() > 0.6
    others = [("one", selector), ("two", RankingSelector(n_selected=3)), ("three", LinearSVC())]
    votes = VotingClassifier(others).fit(features.values, features.labels)
    each = np.stack([one.predict(features.values) for one in votes.estimators_])
    expected = [np.bincount(column).argmax() for column in each.T]
    np.testing.assert_array_equal(votes.predict(features.values), expected)


class Noted(RankingSelector):
    """Notes the groups that reach it."""

    seen: ClassVar[list[list[str] | None]] = []

    def fit(self, X: Any, y: Any, groups: Any = None) -> "Noted":
        self.seen.append(None if groups is None else sorted(set(groups)))
        return super().fit(X, y, groups)


def test_groups_are_routed_by_themselves(features: Features) -> None:
    Noted.seen.clear()
    values, labels, subjects = features.values, features.labels, features.subjects
    with config_context(enable_metadata_routing=True):
        pipeline = make_pipeline(Noted(n_selected=6), LinearSVC(fit_intercept=False))
        folds, given = LeaveOneGroupOut(), {"groups": subjects}
        cross_val_score(pipeline, values, labels, cv=folds, params=given)
        search = GridSearchCV(Noted(), {"n_selected": [2]}, cv=folds, refit=False)
        search.fit(values, labels, groups=subjects)
    names = ["s01", "s02", "s03", "s04"]
    assert Noted.seen == [[other for other in names if other != name] for name in names] * 2


def test_fitting_without_groups_warns_once(features: Features) -> None:
    with pytest.warns(UserWarning, match="no groups given") as caught:
        found = RankingSelector(n_selected=6).fit(features.values, features.labels)
    (warning,) = caught
    assert "\n" not in str(warning.message)
    assert warning.filename == __file__
    alone = RankingSelector(n_selected=6).fit(features.values, features.labels, range(24))
    assert alone.best_fitness_ == found.best_fitness_


def test_a_wild_range_is_noted_without_scaling(features: Features) -> None:
    sizes = np.logspace(-4, 4, 30)
    wild = replace(features, values=(features.values * sizes).astype(np.float64))
    with pytest.warns(UserWarning, match="scaling='standard' helps"):
        fitted(wild, scaling=None)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fitted(wild)
        fitted(features, scaling=None)


@pytest.mark.parametrize("kind", [np.float32, np.int16, np.float64])
def test_values_come_back_as_they_were(features: Features, kind: type) -> None:
    values = np.rint(features.values * 100).astype(kind)
    selector = RankingSelector(n_selected=4).fit(values, features.labels, features.subjects)
    kept = selector.transform(values)
    assert kept.dtype == kind
    np.testing.assert_array_equal(kept, values[:, selector.support_])


def test_tables_keep_their_names(features: Features) -> None:
    table = pd.DataFrame(features.values, features.clips, features.names)
    table["feature00"] = table["feature00"].astype(np.float64)
    labels = pd.Series(features.labels, features.clips)
    owners = pd.Series(features.subjects, features.clips)
    selector = RankingSelector(n_selected=6).set_output(transform="pandas")
    kept = selector.fit_transform(table, labels, groups=owners)
    chosen = features.names[selector.support_].tolist()
    pd.testing.assert_frame_equal(kept, table[chosen])
    assert selector.get_feature_names_out().tolist() == kept.columns.tolist() == chosen
    assert selector.feature_names_in_.tolist() == features.names.tolist()
    with pytest.raises(ValueError, match="feature names should match"):
        selector.predict(table.rename(columns={"feature03": "other"}))
    unnamed = RankingSelector(n_selected=6).fit(features.values, labels, owners)
    places = np.flatnonzero(unnamed.support_)
    assert unnamed.get_feature_names_out().tolist() == [f"x{place}" for place in places]


@pytest.mark.parametrize("selector", SELECTORS, ids=lambda selector: type(selector).__name__)
def test_callbacks_see_what_the_history_will_be(features: Features, selector: MaskSelector) -> None:
    seen: list[dict[str, np.ndarray]] = []
    selector = clone(selector).set_params(callbacks=[seen.append])
    plain = clone(selector).set_params(callbacks=())
    for one in (selector, plain):
        one.fit(features.values, features.labels, groups=features.subjects)
    assert [len(columns["best_fitness"]) for columns in seen] == list(range(1, len(seen) + 1))
    for name, column in selector.history_.items():
        np.testing.assert_array_equal(column, plain.history_[name])
        np.testing.assert_array_equal(column, seen[-1][name])
        for columns in seen:
            np.testing.assert_array_equal(columns[name], column[: len(columns[name])])


def raises_stop(history: dict[str, np.ndarray]) -> None:
    if len(history["best_fitness"]) == 2:
        raise StopIteration


def returns_true(history: dict[str, np.ndarray]) -> bool:
    return len(history["best_fitness"]) == 2


@pytest.mark.parametrize("stops", [raises_stop, returns_true])
@pytest.mark.parametrize("selector", SELECTORS[:4], ids=lambda selector: type(selector).__name__)
def test_a_callback_ends_the_search_and_keeps_what_it_found(
    features: Features, selector: MaskSelector, stops: Callback
) -> None:
    seen: list[dict[str, np.ndarray]] = []
    whole = clone(selector).fit(features.values, features.labels, groups=features.subjects)
    short = clone(selector).set_params(callbacks=[stops, seen.append])
    short.fit(features.values, features.labels, groups=features.subjects)
    assert len(short.history_["best_fitness"]) == len(seen) == 2
    for name, column in short.history_.items():
        np.testing.assert_array_equal(column, whole.history_[name][:2])
    assert short.generation_ < 2
    assert short.predict(features.values).shape == (24,)


def test_islands_end_between_generations(features: Features) -> None:
    islands = {"n_islands": 3, "migration_interval": 1}
    short = fitted(features, **islands, callbacks=[returns_true])
    expected = fitted(features, **islands, n_generations=1)
    np.testing.assert_array_equal(short.hall_of_fame_.masks, expected.hall_of_fame_.masks)
    np.testing.assert_array_equal(short.support_, expected.support_)


@pytest.mark.parametrize("selector", SELECTORS, ids=lambda selector: type(selector).__name__)
def test_verbose_prints_a_line_per_generation(
    features: Features, selector: MaskSelector, capsys: pytest.CaptureFixture[str]
) -> None:
    selector = clone(selector).set_params(verbose=True)
    selector.fit(features.values, features.labels, groups=features.subjects)
    said = capsys.readouterr()
    header, *rows = said.out.splitlines()
    assert said.err == ""
    assert header.split()[1:] == ["best", "mean", "training", "selected", "fewest", "most", "C"]
    assert header.split()[0] == selector._unit
    columns = selector.history_
    assert len(rows) == len(columns["best_fitness"])
    last = [float(cell) for cell in rows[-1].split()]
    names = ("best_fitness", "mean_fitness", "training_accuracy", "n_selected")
    expected = [columns[name][-1] for name in (*names, "min_selected", "max_selected", "best_C")]
    np.testing.assert_allclose(last, [len(rows) - 1, *expected], atol=5e-5)


@pytest.mark.parametrize("selector", SELECTORS, ids=lambda selector: type(selector).__name__)
@pytest.mark.parametrize("scaling", ["none", "standard"])
def test_intercept_is_part_of_the_decisions(
    features: Features, selector: MaskSelector, scaling: str
) -> None:
    selector = clone(selector).set_params(scaling=scaling, bias=0.5)
    values = features.values + 1.0
    selector.fit(values, features.labels, groups=features.subjects)
    assert selector.best_bias_ == 0.5
    chosen = Scaling.fit(values, scaling).apply(values)[:, selector.support_]  # type: ignore[arg-type]
    machine = train_svm(chosen, features.labels, selector.best_C_, 0.5)
    np.testing.assert_allclose(
        selector.decision_function(values), machine.decisions(chosen), atol=1e-5
    )
    assert np.abs(machine.intercepts).max() > 1e-3


@pytest.mark.parametrize("bias", [None, "none", ["none"], (None,), np.array([0.0])])
def test_no_bias_may_be_said_in_any_way(features: Features, bias: object) -> None:
    selector = fitted(features, bias=bias, n_generations=0)
    assert selector.best_bias_ == 0.0


@pytest.mark.parametrize("selector", SELECTORS, ids=lambda selector: type(selector).__name__)
def test_the_defaults_are_those_of_the_configuration(selector: MaskSelector) -> None:
    given = ["none" if value == 0 else value for value in SvmSettings().bias]
    assert list(type(selector)().bias) == given


def test_one_of_several_biases_is_chosen(features: Features) -> None:
    selector = fitted(features, bias=[None, 0.3])
    assert set(selector.hall_of_fame_.bias) == {0.0, 0.3}
    with pytest.raises(ValueError, match="'none' or a number above 0 expected, found 'x'"):
        fitted(features, bias="x")


class Weighing(RankingSelector):
    """A ranking whose features are weighted afterwards."""

    def _search(self) -> SearchOf:
        search = super()._search()

        def weighed(fitness: SubjectFoldFitness, watcher: Watcher | None) -> Selection:
            found = search(fitness, watcher)
            return replace(found, weights=np.where(found.mask, np.linspace(0.5, 2, 30), 0.0))

        return weighed


def test_weights_multiply_what_is_kept(features: Features) -> None:
    arguments = features.values, features.labels, features.subjects
    plain = RankingSelector(n_selected=5).fit(*arguments)
    assert plain.weights_ is None
    weighed = Weighing(n_selected=5).fit(*arguments)
    chosen, factors = weighed.support_, weighed.weights_[weighed.support_]
    np.testing.assert_array_equal(chosen, plain.support_)
    found = weighed.transform(features.values)
    np.testing.assert_array_equal(found, features.values[:, chosen].astype(np.float64) * factors)
    np.testing.assert_allclose(
        weighed.inverse_transform(found), np.where(chosen, features.values, 0.0)
    )
    table = pd.DataFrame(features.values, columns=features.names)
    named = Weighing(n_selected=5).set_output(transform="pandas")
    named.fit(table, *arguments[1:])
    assert list(named.transform(table).columns) == features.names[chosen].tolist()
    np.testing.assert_array_equal(named.transform(table).to_numpy(), found)
    assert not np.allclose(
        weighed.decision_function(features.values), plain.decision_function(features.values)
    )


GROUPS = np.array([f"group{number % 6}" for number in range(30)])


@pytest.mark.parametrize(
    "selector",
    [
        GeneticSelector(**QUICK, unit=GROUPS, n_groupings=2, n_folds=2, verbose=True),
        ForwardSelector(**FEW, unit=GROUPS.tolist(), bias=0.3),
        ForwardSelector(**FEW, search="ranked_forward_gini", unit=GROUPS),
        RankingSelector(n_selected=2, unit=GROUPS, class_weight={0: 2.0}),
        AntColonySelector(n_ants=4, n_iterations=2, unit=GROUPS, scaling=None, random_state=0),
    ],
    ids=lambda one: type(one).__name__,
)
def test_groups_are_chosen_whole(features: Features, selector: MaskSelector) -> None:
    counts: list[int] = []
    one = clone(selector).set_params(
        callbacks=[lambda history: counts.append(int(history["n_selected"][-1]))]
    )
    one.fit(features.values, features.labels, features.subjects)
    for group in set(GROUPS):
        assert len(set(one.support_[group == GROUPS].tolist())) == 1
    assert counts == one.history_["n_selected"].tolist()
    assert set(counts) <= set(range(5, 31, 5))
    assert one.weights_ is None
    assert one.transform(features.values).shape == (24, one.support_.sum())
    assert one.predict(features.values).shape == (24,)


def test_groups_may_have_weights(features: Features) -> None:
    arguments = features.values, features.labels, features.subjects
    one = GeneticSelector(**QUICK, unit=GROUPS, genome="weights", bias="none").fit(*arguments)
    assert set(np.round(one.weights_**2, 12)) <= {0.0, 0.5, 1.0, 2.0}
    np.testing.assert_array_equal(one.weights_ > 0, one.support_)
    scaled = Scaling.fit(features.values, "standard").apply(features.values)
    weighted = (scaled * one.weights_)[:, one.support_]
    expected = train_svm(weighted, features.labels, one.best_C_).decisions(weighted)
    np.testing.assert_allclose(one.decision_function(features.values), expected, atol=1e-5)
    alone = GeneticSelector(**QUICK, genome="weights").fit(*arguments)
    assert len(alone.weights_) == 30


@pytest.mark.parametrize("unit", ["cell", GROUPS[:9], None, 3])
def test_groups_that_are_no_labels_of_features_are_refused(
    features: Features, unit: object
) -> None:
    with pytest.raises(ValueError, match="unit: 'feature' or a label for each of 30 features"):
        RankingSelector(unit=unit).fit(features.values, features.labels, features.subjects)

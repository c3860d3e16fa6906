"""Ranking criteria against scikit-learn, SciPy and slow oracles, and laws that they keep."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from oracles.ranking import mrmr_by_hand, relieff_by_hand
from scipy.stats import ttest_ind
from sklearn.covariance import ledoit_wolf_shrinkage
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.feature_selection import f_classif, mutual_info_classif
from sklearn.tree import DecisionTreeClassifier

from merec_hpc.selection import ranking
from merec_hpc.selection.ranking import (
    RANKINGS,
    anova_f,
    fisher_score,
    gini_index,
    lda_weight,
    mrmr_order,
    mutual_information,
    relieff,
    t_test,
)

Score = Callable[[NDArray, NDArray], NDArray]
SCORES = [fisher_score, anova_f, t_test, gini_index, lda_weight, mutual_information, relieff]
PLANTED = [31, 4, 17]
N_CLASSES = pytest.mark.parametrize("n_classes", [2, 3, 5])
PROBLEMS = given(seed=st.integers(0, 2**32 - 1), n_classes=st.integers(2, 4))


def problem(
    n_classes: int, n_clips: int = 40, n_features: int = 12, seed: int = 0
) -> tuple[NDArray, NDArray]:
    """Draw features of different scales and weakly parted classes, each of at least two clips."""
    rng = np.random.default_rng(seed)
    labels = rng.permutation(
        np.append(np.repeat(np.arange(n_classes), 2), rng.integers(n_classes, size=n_clips))
    )
    means = rng.normal(0, 0.7, (n_classes, n_features))
    features = rng.normal(0, 1, (len(labels), n_features)) + means[labels]
    return features * rng.uniform(0.1, 10, n_features) + rng.normal(0, 3, n_features), labels


def standardised(features: NDArray) -> NDArray:
    return (features - features.mean(axis=0)) / features.std(axis=0)


def class_means(features: NDArray, labels: NDArray) -> NDArray:
    return np.stack([features[labels == label].mean(axis=0) for label in np.unique(labels)])


@settings(deadline=None, max_examples=25)
@PROBLEMS
def test_anova_is_that_of_scikit_learn(seed: int, n_classes: int) -> None:
    features, labels = problem(n_classes, seed=seed)
    np.testing.assert_allclose(anova_f(features, labels), f_classif(features, labels)[0], rtol=1e-7)


def test_fisher_score_of_a_feature_worked_by_hand() -> None:
    # Means 1 and 5 about 3, variances 1 and 4: (2 * 4 + 2 * 4) / (2 * 1 + 2 * 4).
    features, labels = np.array([[0.0], [2.0], [3.0], [7.0]]), np.array([0, 0, 1, 1])
    np.testing.assert_allclose(fisher_score(features, labels), [1.6])


@settings(deadline=None, max_examples=25)
@PROBLEMS
def test_t_is_the_mean_of_scipys_over_classes(seed: int, n_classes: int) -> None:
    features, labels = problem(n_classes, seed=seed)
    expected = [
        np.abs(ttest_ind(features[labels == c], features[labels != c], equal_var=False).statistic)
        for c in range(n_classes)
    ]
    np.testing.assert_allclose(t_test(features, labels), np.mean(expected, axis=0))


@pytest.mark.parametrize("block", [1, 100, 2**20])
@settings(deadline=None, max_examples=15)
@given(seed=st.integers(0, 2**32 - 1), n_classes=st.integers(2, 4), n_values=st.integers(1, 30))
def test_gini_is_the_first_split_of_a_tree(
    block: int, seed: int, n_classes: int, n_values: int
) -> None:
    labels = problem(n_classes, seed=seed)[1]
    features = np.random.default_rng(seed).integers(n_values, size=(len(labels), 7)) / 4
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ranking, "_BLOCK", block)
        found = gini_index(features, labels)
    np.testing.assert_allclose(found, [tree_decrease(f, labels) for f in features.T], atol=1e-12)


def tree_decrease(feature: NDArray, labels: NDArray) -> float:
    tree = DecisionTreeClassifier(max_depth=1).fit(feature[:, None], labels).tree_
    if tree.node_count == 1:
        return 0.0
    left, right = tree.n_node_samples[1:] / len(labels)
    return float(tree.impurity @ [1, -left, -right])


@N_CLASSES
@pytest.mark.parametrize("n_features", [1, 6, 30, 120])
def test_lda_weights_are_those_of_the_primal_problem(n_classes: int, n_features: int) -> None:
    features, labels = problem(n_classes, n_features=n_features)
    scaled = standardised(features)
    means, shares = class_means(scaled, labels), np.bincount(labels) / len(labels)
    within = scaled - means[labels]
    covariance = within.T @ within / len(labels)
    shrinkage = ledoit_wolf_shrinkage(within, assume_centered=True) if n_features > 1 else 1.0
    target = np.trace(covariance) / n_features * np.eye(n_features)
    weights = np.linalg.solve((1 - shrinkage) * covariance + shrinkage * target, means.T)
    np.testing.assert_allclose(lda_weight(features, labels), np.sqrt(weights**2 @ shares))


@N_CLASSES
def test_lda_weights_are_those_of_scikit_learn(n_classes: int) -> None:
    features, labels = problem(n_classes, n_features=60)
    scaled, shares = standardised(features), np.bincount(labels) / len(labels)
    within = scaled - class_means(scaled, labels)[labels]
    shrinkage = ledoit_wolf_shrinkage(within, assume_centered=True)
    model = LinearDiscriminantAnalysis(solver="lsqr", shrinkage=shrinkage).fit(scaled, labels)
    if n_classes == 2:
        expected = np.sqrt(shares.prod()) * np.abs(model.coef_[0])
    else:
        expected = np.sqrt(shares @ model.coef_**2)
    np.testing.assert_allclose(lda_weight(features, labels), expected)


def test_lda_weights_of_singular_covariances_are_finite() -> None:
    features, labels = problem(3, n_clips=500, n_features=4)
    repeated = np.concatenate([features, features], axis=1)
    scores = lda_weight(repeated, labels)
    np.testing.assert_allclose(scores[:4], scores[4:])
    assert np.isfinite(scores).all()
    points = np.array([[0.0, 1.0], [1.0, 3.0]])[[0, 0, 1, 1]]
    np.testing.assert_allclose(lda_weight(points, np.array([0, 0, 1, 1])), [1.0, 1.0])


@N_CLASSES
def test_mutual_information_is_that_of_scikit_learn(n_classes: int) -> None:
    features, labels = problem(n_classes)
    expected = mutual_info_classif(features, labels, random_state=0)
    np.testing.assert_array_equal(mutual_information(features, labels), expected)
    with_constant = np.insert(features, 0, 7.0, axis=1)
    np.testing.assert_array_equal(mutual_information(with_constant, labels), [0, *expected])


@N_CLASSES
@pytest.mark.parametrize("n_selected", [1, 2, 15])
def test_mrmr_chooses_as_the_oracle(n_classes: int, n_selected: int) -> None:
    features, labels = problem(n_classes, n_features=15)
    expected = mrmr_by_hand(features, labels, n_selected)
    np.testing.assert_array_equal(mrmr_order(features, labels, n_selected), expected)


def test_mrmr_puts_a_near_copy_of_the_best_after_a_weaker_feature() -> None:
    rng = np.random.default_rng(1)
    labels = np.repeat([0, 1], 100)
    best, own = rng.normal(2 * labels), rng.normal(1.6 * labels)
    features = np.stack([best, best + rng.normal(0, 0.1, 200), own], axis=1)
    assert list(mrmr_order(features, labels, 3)) in ([0, 2, 1], [1, 2, 0])
    assert RANKINGS["anova_f"](features, labels, 3)[2] == 2


@pytest.mark.parametrize("n_selected", [0, 4])
def test_mrmr_refuses_impossible_numbers(n_selected: int) -> None:
    features, labels = problem(2, n_features=3)
    with pytest.raises(ValueError, match="1 to 3 selected features expected"):
        mrmr_order(features, labels, n_selected)


@N_CLASSES
@pytest.mark.parametrize("n_clips", [5, 60])
def test_relieff_is_that_of_the_oracle(n_classes: int, n_clips: int) -> None:
    features, labels = problem(n_classes, n_clips=n_clips, n_features=4)
    expected = relieff_by_hand(features, labels, n_neighbours=10)
    np.testing.assert_allclose(relieff(features, labels), expected, atol=1e-12)


def test_relieff_of_a_class_of_one_clip_is_that_of_the_oracle() -> None:
    features, labels = problem(2, n_clips=20, n_features=4)
    labels[3] = 2
    np.testing.assert_allclose(relieff(features, labels), relieff_by_hand(features, labels, 10))


@pytest.mark.parametrize("score", SCORES)
@pytest.mark.parametrize("value", [0.0, 0.1, 1e6 + 0.1])
def test_constant_features_score_0(score: Score, value: float) -> None:
    features, labels = problem(3)
    features[:, [2, 5]] = value
    scores = score(features, labels)
    np.testing.assert_array_equal(scores[[2, 5]], 0)
    assert np.isfinite(scores).all()
    np.testing.assert_array_equal(score(np.full((6, 2), value), np.array([0, 0, 0, 1, 1, 2])), 0)


@pytest.mark.parametrize("score", [fisher_score, anova_f, t_test])
def test_features_constant_in_each_class_score_infinity(score: Score) -> None:
    features, labels = problem(2)
    features[:, 3] = np.array([0.1, 0.7])[labels]
    assert np.flatnonzero(np.isinf(score(features, labels))).tolist() == [3]


@pytest.mark.parametrize("name", RANKINGS)
def test_constant_features_come_after_good_ones(name: str) -> None:
    features, labels = problem(2)
    features[:, 0] = 1.0
    features[:, 1] += 30 * features[:, 1].std() * labels
    order = RANKINGS[name](features, labels, 12).tolist()
    assert order.index(1) < order.index(0)
    if name not in {"relieff", "mutual_information"}:
        assert order[-1] == 0


@pytest.mark.parametrize("score", SCORES)
def test_classes_of_one_clip_have_scores(score: Score) -> None:
    features = problem(2)[0][:8]
    for labels in ([0, 0, 0, 1, 1, 1, 1, 2], range(8)):
        scores = score(features, np.array(labels))
        assert scores.shape == (12,)
        assert not np.isnan(scores).any()


@pytest.mark.parametrize("name", RANKINGS)
@N_CLASSES
def test_order_ignores_shift_and_scale_of_each_feature(name: str, n_classes: int) -> None:
    features, labels = problem(n_classes)
    if name == "mutual_information":  # its noise is relative to the mean
        shifts, scales = np.zeros(12), 2.0 ** np.arange(-6, 6)
    else:
        rng = np.random.default_rng(5)
        shifts, scales = rng.normal(0, 9, 12), rng.uniform(0.01, 50, 12)
    changed = RANKINGS[name](features * scales + shifts, labels, 12)
    np.testing.assert_array_equal(changed, RANKINGS[name](features, labels, 12))


@pytest.mark.parametrize("name", RANKINGS)
@N_CLASSES
def test_planted_features_come_first(name: str, n_classes: int) -> None:
    rng = np.random.default_rng(3)
    labels = np.arange(90) % n_classes
    features = rng.normal(size=(90, 50))
    for shift, feature in enumerate(PLANTED):
        features[:, feature] += 3 * ((labels + shift) % n_classes)
    order = RANKINGS[name](features.astype(np.float32), labels, 3)
    assert order.dtype == np.int64
    if name == "mrmr":  # the planted ones are redundant for two classes: only the first is sure
        assert order[0] in PLANTED
        assert len(order) == 3
    else:
        assert set(order[:3]) == set(PLANTED)
        assert sorted(order) == list(range(50))


@pytest.mark.parametrize("name", sorted(RANKINGS.keys() - {"mutual_information", "mrmr"}))
def test_equal_scores_keep_the_order_of_the_features(name: str) -> None:
    features, labels = problem(3, n_features=1)
    twice = np.repeat(features, 2, axis=1)
    order = RANKINGS[name](np.insert(twice, 0, 1.0, axis=1), labels, 3)
    assert [feature for feature in order.tolist() if feature] == [1, 2]


@pytest.mark.parametrize("score", SCORES)
def test_labels_are_names_only(score: Score) -> None:
    features, labels = problem(3)
    names = np.array([-1, 4, 9])
    np.testing.assert_array_equal(score(features, names[labels]), score(features, labels))


@pytest.mark.parametrize("ranking_of", RANKINGS.values(), ids=RANKINGS)
def test_nonsense_is_refused(ranking_of: Callable) -> None:
    features, labels = problem(2)
    with pytest.raises(ValueError, match="at least two classes expected, found 1"):
        ranking_of(features, np.zeros_like(labels), 3)
    with pytest.raises(ValueError, match="one label per clip"):
        ranking_of(features, labels[1:], 3)
    features[2, 3] = np.nan
    with pytest.raises(ValueError, match="finite features expected"):
        ranking_of(features, labels, 3)

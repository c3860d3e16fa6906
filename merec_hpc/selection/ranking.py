"""Scores and orders features by themselves, from training clips, without a classifier's folds.

Every score is larger for better features and never NaN. It may be infinite: that of a feature
that takes one value in each class, and not the same in all.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Self

import numpy as np
from numpy.typing import NDArray

Features = NDArray[np.floating]  # (n_clips, n_features)
Labels = NDArray[np.int64]  # (n_clips,)
Scores = NDArray[np.float64]  # (n_features,)
Order = NDArray[np.int64]  # features, best first
Score = Callable[[Features, Labels], Scores]
Ranking = Callable[[Features, Labels, int], Order]

_N_NEIGHBOURS = 10  # of ReliefF
_LEAST_SHRINKAGE = 1e-3  # more clips than features may have less, and a singular covariance
_LEAST_CORRELATION = 1e-12  # of mRMR: less is rounding
_BLOCK = 2**20  # values that gini_index sorts at once


def fisher_score(features: Features, labels: Labels) -> Scores:
    """Return sum_c n_c (mu_c - mu)^2 / sum_c n_c var_c of each feature, from 0.

    Classes c of n_c clips, with mean mu_c and population variance var_c. A constant feature
    scores 0, one that is constant in every class only infinity.

    Parameters
    ----------
    features
        Shape (n_clips, n_features), finite.
    labels
        Shape (n_clips,), of at least two classes.

    Raises
    ------
    ValueError
        If there is one class, a feature is not finite, or there is not one label per clip.

    References
    ----------
    Duda, Hart, Stork: Pattern Classification, 2nd ed., Wiley 2001, section 3.8.
    He, Cai, Niyogi: Laplacian score for feature selection, NIPS 2005.
    """
    spread = _Spread.of(*checked_clips(features, labels))
    between = (spread.counts * spread.means**2).sum(axis=0)
    within = (spread.counts * spread.variances).sum(axis=0)
    return _ratio(between, within)


def anova_f(features: Features, labels: Labels) -> Scores:
    """Return the F value of a one-way analysis of variance of each feature, from 0.

    It is the Fisher score times (n_clips - n_classes) / (n_classes - 1): the two order features
    alike. scikit-learn's ``f_classif`` is the same number, but subtracts sums of squares, which
    loses digits when means are large and is NaN for a constant feature; here that scores 0.

    Raises
    ------
    ValueError
        As ``fisher_score``.
    """
    n_classes = len(np.unique(labels))
    scores = fisher_score(features, labels)
    # As many classes as clips: each score is 0 or infinite, and stays so.
    return scores * (max(len(labels) - n_classes, 1) / (n_classes - 1))


def t_test(features: Features, labels: Labels) -> Scores:
    """Return Welch's |t| of each feature, from 0: the mean over classes, each against the rest.

    For two classes that is the one |t| between them. A constant feature scores 0. A class of one
    clip has no variance to estimate; it counts as 0.

    Raises
    ------
    ValueError
        As ``fisher_score``.

    References
    ----------
    Welch: The generalization of "Student's" problem when several different population variances
    are involved, Biometrika 34, 1947, doi:10.1093/biomet/34.1-2.28.
    """
    checked, numbers = checked_clips(features, labels)
    n_classes = numbers.max() + 1
    machines = range(1 if n_classes == 2 else n_classes)
    values = [_welch(checked, (numbers == number).astype(np.int64)) for number in machines]
    means: Scores = np.mean(values, axis=0)
    return means


def gini_index(features: Features, labels: Labels) -> Scores:
    """Return how much the best threshold on each feature lowers the Gini impurity, in [0, 1).

    The impurity 1 - sum_c p_c^2 of all clips, less that of the clips on either side, weighted by
    their number, at the best of all thresholds between distinct values: for any number of
    classes the first split of a classification tree. A constant feature scores 0.

    Raises
    ------
    ValueError
        As ``fisher_score``.

    References
    ----------
    Breiman, Friedman, Olshen, Stone: Classification and Regression Trees, Wadsworth 1984, ch. 4.
    """
    checked, numbers = checked_clips(features, labels)
    n_clips, n_features = checked.shape
    n_columns = max(1, _BLOCK // n_clips)
    scores = np.empty(n_features)
    for first in range(0, n_features, n_columns):
        columns = slice(first, first + n_columns)
        scores[columns] = _best_splits(np.ascontiguousarray(checked[:, columns].T), numbers)
    return scores


def lda_weight(features: Features, labels: Labels) -> Scores:
    """Return the size of each feature's weights in a regularised linear discriminant, from 0.

    On features of mean 0 and variance 1, with the mean m_c and the share p_c of the clips of
    class c, and the pooled within-class covariance S (divided by n_clips), the discriminant of a
    class is w_c = ((1 - s) S + s trace(S) / n_features I)^-1 m_c, and a feature's score
    (sum_c p_c w_c^2)^(1/2). Of two classes that is (p_1 p_2)^(1/2) |w|, with the usual
    discriminant w between the means. The shrinkage s is Ledoit and Wolf's for S, at least 0.001.

    Solved through the Gram matrix of the clips, (n_clips, n_clips), which is exact. Constant
    features score 0 and do not count in n_features.

    Raises
    ------
    ValueError
        As ``fisher_score``.

    References
    ----------
    Friedman: Regularized discriminant analysis, JASA 84, 1989, doi:10.1080/01621459.1989.10478752.
    Ledoit, Wolf: A well-conditioned estimator for large-dimensional covariance matrices,
    Journal of Multivariate Analysis 88, 2004, doi:10.1016/S0047-259X(03)00096-4.
    """
    checked, numbers = checked_clips(features, labels)
    standardised, varies = _standardised(checked)
    scores = np.zeros(len(varies))
    if not varies.any():
        return scores
    n_clips, n_features = len(numbers), int(np.count_nonzero(varies))
    spread = _Spread.of(standardised[:, varies], numbers)
    means = np.sqrt(spread.counts / n_clips) * spread.means  # (n_classes, n_features)
    residuals = spread.deviations / np.sqrt(n_clips)  # S = residuals.T @ residuals
    gram = residuals @ residuals.T
    shrinkage = ledoit_wolf(gram, n_features)
    # Classes of one point each have no covariance: the discriminants are their means.
    ridge = shrinkage * np.trace(gram) / n_features or 1.0
    kernel = (1 - shrinkage) * gram + ridge * np.eye(n_clips)
    duals = np.linalg.solve(kernel, (1 - shrinkage) * (residuals @ means.T))
    weights = (means - duals.T @ residuals) / ridge
    scores[varies] = np.sqrt((weights**2).sum(axis=0))
    return scores


def mutual_information(features: Features, labels: Labels) -> Scores:
    """Return scikit-learn's estimate of each feature's mutual information with the class, from 0.

    In nats, for any number of classes, from the distances to the third neighbour; clips that
    are alone in their class are left out. A constant feature scores 0. The estimator parts ties
    by noise: it is of a fixed seed, but the score of a feature depends on its place.

    Raises
    ------
    ValueError
        As ``fisher_score``.

    References
    ----------
    Ross: Mutual information between discrete and continuous data sets, PLoS ONE 9(2), 2014,
    doi:10.1371/journal.pone.0087357.
    """
    from sklearn.feature_selection import mutual_info_classif  # noqa: PLC0415  # takes a second

    checked, numbers = checked_clips(features, labels)
    varies = checked.min(axis=0) < checked.max(axis=0)
    scores = np.zeros(len(varies))
    if varies.any() and np.bincount(numbers).max() > 1:
        scores[varies] = mutual_info_classif(checked[:, varies], numbers, random_state=0)
    return scores


def relieff(features: Features, labels: Labels) -> Scores:
    """Return the ReliefF weight of each feature, in [-1, 1].

    From all clips, with 10 nearest hits and 10 nearest misses of each other class, or as many as
    there are, by Manhattan distance on features scaled to [0, 1]; equal distances by the lower
    clip. The misses of class c count p_c / (1 - p_own) with the shares p of the clips. A constant
    feature scores 0, which is more than a useless one may have.

    Raises
    ------
    ValueError
        As ``fisher_score``.

    References
    ----------
    Kononenko: Estimating attributes: analysis and extensions of RELIEF, ECML 1994,
    doi:10.1007/3-540-57868-4_57.
    Robnik-Sikonja, Kononenko: Theoretical and empirical analysis of ReliefF and RReliefF,
    Machine Learning 53, 2003, doi:10.1023/A:1025667309714.
    """
    from scipy.spatial.distance import cdist  # noqa: PLC0415  # takes a moment

    checked, numbers = checked_clips(features, labels)
    lowest, ranges = checked.min(axis=0), np.ptp(checked, axis=0)
    scaled = (checked - lowest) / np.where(ranges > 0, ranges, 1)
    shares = np.bincount(numbers) / len(numbers)
    distances = cdist(scaled, scaled, "cityblock")
    np.fill_diagonal(distances, np.inf)  # no clip is its own neighbour
    nearest = np.argsort(distances, axis=1, kind="stable")[:, :-1]
    scores = np.zeros(checked.shape[1])
    for clip, others in enumerate(nearest):
        own = numbers[clip]
        for number, share in enumerate(shares):
            neighbours = others[numbers[others] == number][:_N_NEIGHBOURS]
            if len(neighbours):
                weight = -1.0 if number == own else share / (1 - shares[own])
                scores += weight * np.abs(scaled[neighbours] - scaled[clip]).mean(axis=0)
    return scores / len(numbers)


def mrmr_order(features: Features, labels: Labels, n_selected: int) -> Order:
    """Return features of much relevance and little redundancy, first chosen first, (n_selected,).

    The first has the largest F value. Each next one has the largest quotient of its F value and
    its mean |Pearson correlation| with those chosen before, equal ones by the lower index (FCQ).
    A constant feature has relevance 0 and comes last.

    Parameters
    ----------
    n_selected
        From 1 to n_features; each costs one product of the features with a vector.

    Raises
    ------
    ValueError
        As ``fisher_score``, and if ``n_selected`` is not possible.

    References
    ----------
    Ding, Peng: Minimum redundancy feature selection from microarray gene expression data,
    J. Bioinformatics and Computational Biology 3, 2005, doi:10.1142/S0219720005001004.
    Zhao, Anand, Wang: Maximum relevance and minimum redundancy feature selection methods for a
    marketing machine learning platform, DSAA 2019, doi:10.1109/DSAA.2019.00059.
    """
    checked, _ = checked_clips(features, labels)
    n_clips, n_features = checked.shape
    if not 1 <= n_selected <= n_features:
        msg = f"1 to {n_features} selected features expected, found {n_selected}"
        raise ValueError(msg)
    relevances = anova_f(checked, labels)
    units = np.ascontiguousarray(_standardised(checked)[0].T) / np.sqrt(n_clips)
    order = np.empty(n_selected, np.int64)
    redundancies = np.zeros(n_features)  # summed over those chosen
    quotients = relevances.copy()
    for place in range(n_selected):
        chosen = order[place] = np.argmax(quotients)
        relevances[chosen] = -np.inf
        redundancies += np.abs(units @ units[chosen])
        means = redundancies / (place + 1)
        quotients = relevances / np.maximum(means, _LEAST_CORRELATION)
    return order


@dataclass(frozen=True)
class _Spread:
    """Where the clips of each class lie; exactly 0 where all values are the same."""

    counts: NDArray[np.int64]  # (n_classes, 1)
    means: NDArray[np.float64]  # (n_classes, n_features), less the mean of all clips
    variances: NDArray[np.float64]  # (n_classes, n_features), of the population
    deviations: NDArray[np.float64]  # (n_clips, n_features), from the mean of the clip's class

    @classmethod
    def of(cls, features: NDArray[np.float64], numbers: Labels) -> Self:
        counts = np.bincount(numbers)[:, None]
        # Means of the same value thrice may differ from it: take the first value off before.
        shifted = features - features[0]
        deviations = np.empty_like(shifted)
        means = np.empty((len(counts), shifted.shape[1]))
        variances = np.empty_like(means)
        for number in range(len(counts)):
            members = numbers == number
            first = shifted[members][0]
            inside = shifted[members] - first
            centre = inside.mean(axis=0)
            means[number] = first + centre
            deviations[members] = inside - centre
            variances[number] = np.square(inside - centre).mean(axis=0)
        means -= (counts * means).sum(axis=0) / len(numbers)
        return cls(counts, means, variances, deviations)


def checked_clips(features: Features, labels: Labels) -> tuple[NDArray[np.float64], Labels]:
    """Return features in double precision and labels as indices of the classes there are."""
    values, named = np.asarray(features, np.float64), np.asarray(labels)
    if values.ndim != 2 or named.shape != values.shape[:1]:
        msg = f"features of one label per clip expected, found {values.shape} and {named.shape}"
        raise ValueError(msg)
    if not np.isfinite(values).all():
        msg = "finite features expected, found NaN or infinity"
        raise ValueError(msg)
    classes, numbers = np.unique(named, return_inverse=True)
    if len(classes) < 2:
        msg = f"at least two classes expected, found {len(classes)}"
        raise ValueError(msg)
    return values, numbers


def _ratio(numerators: Scores, denominators: Scores) -> Scores:
    """Divide numbers from 0; nothing of nothing is 0, something of nothing infinite."""
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        return np.where(numerators == 0, 0.0, numerators / denominators)


def _standardised(
    features: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return features of mean 0 and population variance 1, and which vary; the others are 0."""
    shifted = features - features[0]
    centred = shifted - shifted.mean(axis=0)
    deviations = np.sqrt(np.square(centred).mean(axis=0))
    varies = deviations > 0
    return np.where(varies, centred / np.where(varies, deviations, 1), 0.0), varies


def _welch(features: NDArray[np.float64], numbers: Labels) -> Scores:
    """Return |t| between classes 0 and 1, without the assumption of equal variances."""
    spread = _Spread.of(features, numbers)
    errors = (spread.variances / np.maximum(spread.counts - 1, 1)).sum(axis=0)
    return _ratio(np.abs(spread.means[1] - spread.means[0]), np.sqrt(errors))


def _best_splits(columns: NDArray[np.float64], numbers: Labels) -> Scores:
    """Return the largest decrease of the impurity of each feature, (n_features, n_clips)."""
    n_clips = columns.shape[1]
    order = np.argsort(columns, axis=1)
    values = np.take_along_axis(columns, order, axis=1)
    is_edge = values[:, :-1] < values[:, 1:]
    sorted_numbers = numbers[order]
    n_left = np.arange(1, n_clips)
    squares_left = np.zeros(is_edge.shape, np.int64)
    squares_right = np.zeros(is_edge.shape, np.int64)
    totals = np.bincount(numbers)
    for number, total in enumerate(totals):
        counts = np.cumsum(sorted_numbers == number, axis=1)[:, :-1]
        squares_left += counts**2
        squares_right += (total - counts) ** 2
    # Purities, 1 less the impurity, times the number of clips: larger is better.
    purities = squares_left / n_left + squares_right / (n_clips - n_left)
    purity_before = np.square(totals).sum() / n_clips
    best = np.max(purities, axis=1, where=is_edge, initial=purity_before)
    decreases: Scores = (best - purity_before) / n_clips
    return decreases


def ledoit_wolf(gram: NDArray[np.float64], n_features: int) -> float:
    """Return the shrinkage of the covariance X'X to a multiple of the identity, from X X'.

    In [0.001, 1], and 1 if the covariance is such a multiple already.
    """
    n_clips = len(gram)
    squares = np.square(gram).sum()  # the same sum for X'X
    distance = squares - np.trace(gram) ** 2 / n_features
    error = np.square(np.diag(gram)).sum() - squares / n_clips
    return 1.0 if distance <= error else max(_LEAST_SHRINKAGE, float(error / distance))


def _by(score: Score) -> Ranking:
    """Order all features by a score, equal ones by the lower index."""

    def order(features: Features, labels: Labels, _n_wanted: int) -> Order:
        return np.argsort(-score(features, labels), kind="stable")

    return order


# From (features, labels, n_wanted) to the indices of all features, best first; of mRMR, whose
# steps build on each other, of n_wanted features.
SCORES: Mapping[str, Score] = MappingProxyType(
    {
        "fisher": fisher_score,
        "gini": gini_index,
        "t_test": t_test,
        "lda_weight": lda_weight,
        "anova_f": anova_f,
        "mutual_information": mutual_information,
        "relieff": relieff,
    }
)
RANKINGS: Mapping[str, Ranking] = MappingProxyType(
    {
        **{name: _by(score) for name, score in SCORES.items() if name != "relieff"},
        "mrmr": mrmr_order,
        "relieff": _by(relieff),
    }
)

ORDERS = frozenset(RANKINGS) - frozenset(SCORES)
"""Rankings without a score of a single feature."""


def find_ranking(name: str, group_of: NDArray[np.int64] | None = None) -> Ranking:
    """Return a ranking by its name: of features, or of groups of them.

    A group's score is the mean of its features' scores, by which larger groups have no advantage.

    Parameters
    ----------
    group_of
        Group of each feature, (n_features,), from 0; without it features are ranked.

    Raises
    ------
    ValueError
        If there is no such ranking, or it is mRMR, which has no scores, and is to be of groups.
    """
    if name not in RANKINGS:
        msg = f"a ranking of {', '.join(RANKINGS)} expected, found '{name}'"
        raise ValueError(msg)
    if group_of is None:
        return RANKINGS[name]
    if name not in SCORES:
        msg = f"a ranking by scores of features ({', '.join(SCORES)}) expected of groups, found '{name}'"
        raise ValueError(msg)

    def score(features: Features, labels: Labels) -> Scores:
        return mean_scores(SCORES[name](features, labels), group_of)

    return _by(score)


def mean_scores(scores: Scores, group_of: NDArray[np.int64] | None) -> Scores:
    """Return the mean score of each group's features, (n_groups,); without groups the scores."""
    if group_of is None:
        return scores
    return np.bincount(group_of, scores) / np.bincount(group_of)

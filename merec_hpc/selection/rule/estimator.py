"""The rule as a scikit-learn estimator."""

import warnings
from collections.abc import Sequence
from typing import Any, Literal, Self, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, OneToOneFeatureMixin, TransformerMixin
from sklearn.utils import Tags
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_consistent_length, check_is_fitted, validate_data

from merec_hpc.config.selection import RuleSettings
from merec_hpc.selection.groups import check_groups, owners_of
from merec_hpc.selection.mask_selector import seed_of
from merec_hpc.selection.parameters import choice, count_or_none, settings_of
from merec_hpc.selection.rule.deciding import EIGHTH, QUARTER
from merec_hpc.selection.rule.family import Family
from merec_hpc.selection.rule.inner import group_subjects
from merec_hpc.selection.rule.learning import fit_rules, learn_rules
from merec_hpc.selection.rule.selecting import Search

_ALONE = (
    "no groups given: nothing is removed of what is a subject's own, as if kappa were 0; pass the "
    "subject of each sample, and all samples of each at once"
)


class RuleSelector(OneToOneFeatureMixin, ClassifierMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]  # untyped
    """Weighs features by a rule of four genes, and predicts by it; groups of samples are left out.

    Of each subject's mean, what is its own is removed (kappa); features are weighted by their F
    statistic to a power (p); a squared-hinge machine has an intercept (b) and a penalty (C). Rules
    are tried on groups of subjects that are left out, without which everything is learnt anew, and
    the best by class-balanced log loss decide. A rule with kappa above 0 is transductive: it reads
    the unlabelled samples of whom it predicts, of which several, of several classes, must be there.

    Parameters
    ----------
    kappa_values
        How much more, or less, people are believed to differ than the training groups show, each
        at least 0; default (0, 0.3, 1). (0,) alone is inductive: no groups are asked for to predict.
    p_values
        Powers of F, each at least 0; default (0, 0.5, 1, 2).
    b_values
        Squares of the constant feature, where the mean of a sample's squares is 1, each at least 0;
        default (0, 0.03, 0.3). 0 is no intercept.
    C_values
        Penalties of the machine, each above 0; default (0.03, 0.1, ..., 30).
    search
        "grid" (default) tries every combination, "evolved" evolves ``n_individuals`` times
        ``n_generations`` genomes, "random" draws as many. Of a gene whose only value is 0 they
        leave 0; other values matter to the grid alone.
    n_individuals, n_generations
        Of the searches other than the grid, at least 1; default 12 and 7.
    min_clips
        A subject with fewer samples keeps its mean, at least 2, default 3.
    n_folds
        Inner folds of whole groups, at least 2, of fewer groups as many; default 6. ``None``
        leaves one group out at a time.
    decider
        "ensemble" (default): the mean decision of the best rules, each in units of its mean
        absolute inner decision; "champion": the best alone.
    ensemble_share
        Best share of the rules that decides, above 0 and at most 1; ``None`` (default) is 1/8 of a
        grid and 1/4 of other rules.
    random_state
        Seed of the searches other than the grid: a whole number of at least 0, a ``RandomState``,
        or ``None`` (default) for another one every time.

    Attributes
    ----------
    genes_
        kappa, p, b and C of the rules that decide, the best first, (n_rules, 4).
    losses_
        Their class-balanced log loss on left-out samples, (n_rules,).
    weights_
        What each standardised feature is multiplied by, (n_features_in_,): of all that decide.
    classes_, n_features_in_, feature_names_in_
        What ``fit`` has seen; the names only of a table with names.
    """

    __metadata_request__fit = {"groups": True}  # noqa: RUF012  # the form that scikit-learn reads
    __metadata_request__predict = {"groups": True}  # noqa: RUF012
    __metadata_request__decision_function = {"groups": True}  # noqa: RUF012

    def __init__(
        self,
        *,
        kappa_values: Sequence[float] = (0.0, 0.3, 1.0),
        p_values: Sequence[float] = (0.0, 0.5, 1.0, 2.0),
        b_values: Sequence[float] = (0.0, 0.03, 0.3),
        C_values: Sequence[float] = (0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0),
        search: Search = "grid",
        n_individuals: int = 12,
        n_generations: int = 7,
        min_clips: int = 3,
        n_folds: int | None = 6,
        decider: Literal["champion", "ensemble"] = "ensemble",
        ensemble_share: float | None = None,
        random_state: Any = None,
    ) -> None:
        self.kappa_values = kappa_values
        self.p_values = p_values
        self.b_values = b_values
        self.C_values = C_values
        self.search = search
        self.n_individuals = n_individuals
        self.n_generations = n_generations
        self.min_clips = min_clips
        self.n_folds = n_folds
        self.decider = decider
        self.ensemble_share = ensemble_share
        self.random_state = random_state

    def fit(self, X: ArrayLike, y: ArrayLike, groups: ArrayLike | None = None) -> Self:
        """Try rules, and train those that decide.

        Parameters
        ----------
        X
            Features, shape (n_samples, n_features), finite.
        y
            Classes, shape (n_samples,), at least two.
        groups
            Whom each sample is of, shape (n_samples,), at least two, none missing; ``None``
            takes every sample for its own group, with a warning.

        Raises
        ------
        ValueError
            If a parameter or an array is not as it should be.

        Warns
        -----
        UserWarning
            If there are no groups.
        """
        family, settings = self._family()
        decider = choice("decider", self.decider, ("champion", "ensemble"))
        values, labels = validate_data(self, X, y, dtype=np.float64, ensure_min_samples=2)
        check_classification_targets(labels)
        owners = owners_of(groups, len(labels))
        check_consistent_length(values, owners)
        n_folds = settings.n_inner_folds or len(np.unique(owners))
        folds = group_subjects(labels, owners, n_folds)
        tried = learn_rules(values, labels, owners, family, folds)
        share = settings.ensemble_share or (EIGHTH if family.search == "grid" else QUARTER)
        best = tried.best(share if decider == "ensemble" else 0.0)
        self._fitted = fit_rules(values, labels, owners, best, settings.min_clips)
        self.classes_ = self._fitted.classes
        self.genes_, self.losses_ = best.genes, best.losses
        self.weights_ = np.sqrt(self._fitted.relevance)
        return self

    def decision_function(
        self, X: ArrayLike, groups: ArrayLike | None = None
    ) -> NDArray[np.float64]:
        """Return what speaks for each class, shape (n_samples, n_classes).

        Of two classes what speaks for the second, ``classes_[1]``, shape (n_samples,): positive
        where it is predicted.

        Parameters
        ----------
        X
            Features, shape (n_samples, n_features); with groups all samples of each at once.
        groups
            Whom each sample is of, shape (n_samples,). Without them kappa acts as 0, in training
            as well.

        Warns
        -----
        UserWarning
            If there are no groups and a rule has a kappa above 0.
        """
        check_is_fitted(self)
        values = validate_data(self, X, dtype=np.float64, reset=False)
        owners = None
        if groups is not None:
            owners = check_groups(groups, len(values))
        elif self._fitted.is_transductive:
            warnings.warn(_ALONE, UserWarning, stacklevel=2)
        found = self._fitted.decisions(values, owners)
        return (found[:, 1] - found[:, 0]) / 2 if len(self.classes_) == 2 else found

    def predict(self, X: ArrayLike, groups: ArrayLike | None = None) -> NDArray[Any]:
        """Return the class that most speaks for, of equals the first, shape (n_samples,).

        Parameters are those of ``decision_function``.
        """
        found = self.decision_function(X, groups)
        places = (found > 0).astype(np.int64) if found.ndim == 1 else found.argmax(axis=1)
        return np.asarray(self.classes_[places])

    def transform(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return standardised features times their weights, shape (n_samples, n_features)."""
        check_is_fitted(self)
        values = validate_data(self, X, dtype=np.float64, reset=False)
        scaled: NDArray[np.float64] = self._fitted.parts[0].calibration.first.apply(values)
        return scaled * self.weights_

    def _family(self) -> tuple[Family, RuleSettings]:
        """Return the rules that are tried, from checked parameters."""
        genes = ("kappa_values", "p_values", "b_values", "C_values")
        plain = ("n_individuals", "n_generations", "min_clips")
        given = {name: getattr(self, name) for name in (*genes, *plain, "ensemble_share")}
        given["n_inner_folds"] = count_or_none("n_folds", self.n_folds, 2)
        settings = settings_of(RuleSettings, "RuleSelector", given)
        search = choice("search", self.search, get_args(Search))
        seed = 0 if search == "grid" else seed_of(self.random_state)
        known = {name: getattr(settings, name) for name in (*genes, *plain)}
        return Family(search=search, seed=seed, **known), settings

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        return tags

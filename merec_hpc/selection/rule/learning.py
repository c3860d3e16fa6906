"""Learns rules from training clips, and trains those that are to decide."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from merec_hpc.records import DecidingRules
from merec_hpc.selection.fitness.inner_folds import InnerFolds
from merec_hpc.selection.rule.deciding import shares_of
from merec_hpc.selection.rule.evolve import evolve_rules, random_rules
from merec_hpc.selection.rule.family import KAPPA, B, C, Family, Genes, P, grid_of, groups_of
from merec_hpc.selection.rule.fold_statistics import Statistics, Values, f_statistics
from merec_hpc.selection.rule.inner import Squares, group_subjects
from merec_hpc.selection.rule.machines import both_signs, one_vs_rest, train_duals
from merec_hpc.selection.rule.relevance import RelevanceGram, relevance_weights
from merec_hpc.selection.rule.rules import Rules, judge_rules
from merec_hpc.selection.rule.subject_calibration import Calibration


@dataclass(frozen=True)
class Part:
    """Rules of one kappa: linear in the clips that it maps, and so is their mean."""

    calibration: Calibration
    coefficients: NDArray[np.float64]  # (n_classes, n_features)
    intercepts: NDArray[np.float64]  # (n_classes,)
    relevance: NDArray[np.float64]  # (n_features,), of all rules it is 1 on average

    def decisions(self, values: Values, subjects: NDArray[np.generic]) -> NDArray[np.float64]:
        """Return this part of the decisions, (n_clips, n_classes)."""
        found: NDArray[np.float64] = (
            self.calibration.apply(values, subjects) @ self.coefficients.T + self.intercepts
        )
        return found


@dataclass(frozen=True)
class FittedRules:
    """Trained rules that decide together."""

    classes: NDArray[np.generic]  # (n_classes,), as given, sorted
    parts: tuple[Part, ...]
    inductive: tuple[Part, ...]
    """The same rules with kappa = 0, for clips of which nobody says whose they are."""

    @property
    def is_transductive(self) -> bool:
        """Whether a clip is decided on by what others of its subject show."""
        return any(part.calibration.is_transductive for part in self.parts)

    @property
    def relevance(self) -> NDArray[np.float64]:
        """Weight of each feature, 1 on average: the mean over the rules, (n_features,)."""
        weights: NDArray[np.float64] = np.sum([part.relevance for part in self.parts], axis=0)
        return weights

    def decisions(
        self, values: ArrayLike, subjects: ArrayLike | None = None
    ) -> NDArray[np.float64]:
        """Return a value per clip and class, larger for likelier, (n_clips, n_classes).

        Parameters
        ----------
        values
            Shape (n_clips, n_features); with subjects, all clips of each at once, since the mean
            of them is removed.
        subjects
            Of each clip, (n_clips,). Without them kappa acts as 0, in training as well.

        Raises
        ------
        ValueError
            If there is not one subject a clip.
        """
        clips = np.asarray(values, np.float64)
        owners = np.zeros(len(clips), np.int64) if subjects is None else np.asarray(subjects)
        if owners.shape != clips.shape[:1]:
            msg = f"one subject for each of {len(clips)} clips expected, found {owners.shape}"
            raise ValueError(msg)
        numbers = np.unique(owners, return_inverse=True)[1]
        parts = self.inductive if subjects is None else self.parts
        total: NDArray[np.float64] = np.sum(
            [part.decisions(clips, numbers) for part in parts], axis=0
        )
        return total


def learn_rules(
    values: ArrayLike,
    labels: ArrayLike,
    subjects: ArrayLike,
    settings: Family,
    folds: InnerFolds | None = None,
    feature_weights: NDArray[np.float64] | None = None,
) -> Rules:
    """Try rules on inner folds of training clips; see ``Rules.best`` for those to decide by.

    Parameters
    ----------
    values
        Shape (n_clips, n_features), finite.
    labels, subjects
        Of each clip, (n_clips,).
    settings
        Which rules are tried.
    folds
        Of the same clips with the same labels; without them, of ``group_subjects``.
    feature_weights
        What standardised features are multiplied by besides their relevance, (n_features,): of
        blocks side by side.

    Raises
    ------
    ValueError
        If shapes do not fit, there is no feature, values are not finite, or there is one subject
        or one class.
    """
    clips = _Training.of(values, labels, subjects)
    squares = _squares(feature_weights)
    if folds is None:
        folds = group_subjects(clips.labels, clips.subjects)
    if len(folds.order) != len(clips.values):
        msg = f"inner folds of {len(clips.values)} clips expected, found {len(folds.order)}"
        raise ValueError(msg)

    def judge(genes: Genes) -> Rules:
        return judge_rules(clips.values, clips.subjects, genes, folds, settings.min_clips, squares)

    if settings.search == "grid":
        return judge(grid_of(settings))
    return (evolve_rules if settings.search == "evolved" else random_rules)(judge, settings)


def fit_rules(
    values: ArrayLike,
    labels: ArrayLike,
    subjects: ArrayLike,
    rules: Rules | DecidingRules,
    min_clips: int = 1,
    feature_weights: NDArray[np.float64] | None = None,
) -> FittedRules:
    """Train rules on all training clips: they decide together, each in units of its scale.

    Parameters
    ----------
    values, labels, subjects
        As in ``learn_rules``.
    rules
        Those that are to decide, and no others: ``Rules.best``.
    min_clips
        A subject with fewer clips keeps its mean.
    feature_weights
        As in ``learn_rules``.
    """
    clips = _Training.of(values, labels, subjects)
    shares, squares = shares_of(rules.scales), _squares(feature_weights)
    statistics = Statistics.learn(clips.values, clips.labels, clips.subjects, min_clips)
    parts = _fit_parts(clips, statistics, rules.genes, shares, squares)
    if (rules.genes[:, KAPPA] == 0).all():
        return FittedRules(clips.classes, parts, parts)
    without = rules.genes.copy()
    without[:, KAPPA] = 0.0
    return FittedRules(
        clips.classes, parts, _fit_parts(clips, statistics, without, shares, squares)
    )


@dataclass(frozen=True)
class _Training:
    """Training clips whose shapes fit."""

    values: Values
    labels: NDArray[np.int64]  # (n_clips,), index into classes
    subjects: NDArray[np.int64]  # (n_clips,)
    classes: NDArray[np.generic]

    @classmethod
    def of(cls, values: ArrayLike, labels: ArrayLike, subjects: ArrayLike) -> Self:
        clips = np.asarray(values, np.float64)
        shapes = (np.shape(labels), np.shape(subjects))
        if clips.ndim != 2 or clips.shape[1] == 0 or set(shapes) != {clips.shape[:1]}:
            msg = (
                "values (n_clips, n_features), labels and subjects (n_clips,) expected, found "
                f"{clips.shape}, {shapes[0]} and {shapes[1]}"
            )
            raise ValueError(msg)
        if not np.isfinite(clips).all():
            msg = "finite values expected, found NaN or infinity"
            raise ValueError(msg)
        classes, numbers = np.unique(np.asarray(labels), return_inverse=True)
        return cls(clips, numbers, np.unique(np.asarray(subjects), return_inverse=True)[1], classes)


def _squares(feature_weights: NDArray[np.float64] | None) -> Squares:
    return 1.0 if feature_weights is None else feature_weights**2


def _fit_parts(
    clips: _Training,
    statistics: Statistics,
    genes: Genes,
    shares: NDArray[np.float64],
    squares: Squares,
) -> tuple[Part, ...]:
    """Return one part for each kappa, ascending."""
    return tuple(
        _fit_part(clips, statistics, kappa, genes, rules, shares, squares)
        for kappa, rules in groups_of(genes[:, KAPPA], np.arange(len(genes)))
    )


def _fit_part(
    clips: _Training,
    statistics: Statistics,
    kappa: float,
    genes: Genes,
    of_kappa: NDArray[np.int64],
    shares: NDArray[np.float64],
    squares: Squares,
) -> Part:
    n_classes = len(clips.classes)
    targets = one_vs_rest(clips.labels, n_classes)
    standardised = statistics.scaling.apply(clips.values)
    calibration, mapped = Calibration.learn(
        statistics, kappa, standardised, clips.subjects, len(standardised)
    )
    f_values = f_statistics(mapped, clips.labels)
    coefficients = np.zeros((len(targets), mapped.shape[1]))
    intercepts, relevance = np.zeros(len(targets)), np.zeros(mapped.shape[1])
    for p, rules in groups_of(genes[:, P], of_kappa):
        weights = relevance_weights(f_values, p)
        relevance += len(rules) / len(genes) * weights / weights.mean()
        gram = RelevanceGram.of(mapped, len(mapped), weights * squares)
        duals = np.zeros_like(targets)
        for rule in rules:
            b, penalty = genes[rule, B], genes[rule, C]
            found = shares[rule] * train_duals(gram.matrix + b, penalty, targets)
            duals += found
            intercepts += b * found.sum(axis=1)
        coefficients += (duals @ mapped) * gram.weights
    return Part(
        calibration,
        both_signs(coefficients, n_classes),
        both_signs(intercepts, n_classes),
        relevance,
    )

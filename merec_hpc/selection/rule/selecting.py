"""Selects by a rule: the way from a fold's training clips to the rules that decide on it."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from merec_hpc.config.selection import RuleSettings
from merec_hpc.records import DecidingRules, History, Population, Selection
from merec_hpc.selection.fitness.inner_fitness import InnerFitness
from merec_hpc.selection.rule.deciding import EIGHTH, QUARTER
from merec_hpc.selection.rule.family import ALL_FEATURES, Family
from merec_hpc.selection.rule.inner import N_FOLDS, group_subjects
from merec_hpc.selection.rule.learning import fit_rules, learn_rules
from merec_hpc.selection.rule.rules import Rules
from merec_hpc.selection.steps import HALL_SIZE

Search = Literal["grid", "evolved", "random"]
_NONE = (0.0,)


@dataclass(frozen=True)
class Variant:
    """A selector's part of the family of rules, and how it is searched."""

    search: Search = "grid"
    without: tuple[str, ...] = ()
    """Genes that are 0."""


VARIANTS = {
    "rule": Variant(),
    "rule_inductive": Variant(without=("kappa",)),
    "rule_unweighted": Variant(without=("p",)),
    "rule_without_intercept": Variant(without=("b",)),
    "rule_evolved": Variant("evolved"),
    "rule_random": Variant("random"),
}
"""By the selector's name: the rule, its ablations, evolution and as many random genomes."""


def family_of(name: str, settings: RuleSettings) -> Family:
    """Return the rules that a selector of this room tries."""
    variant = VARIANTS[name]
    given = {
        gene: getattr(settings, f"{gene}_values") for gene in ("kappa", "p", "b", "C")
    } | dict.fromkeys(variant.without, _NONE)
    return Family(
        search=variant.search,
        min_clips=settings.min_clips,
        n_individuals=settings.n_individuals,
        n_generations=settings.n_generations,
        seed=settings.seed,
        **{f"{gene}_values": values for gene, values in given.items()},
    )


def is_transductive(name: str, settings: RuleSettings) -> bool:
    """Return whether a rule that may be tried reads the unlabelled clips of whom it predicts."""
    return max(family_of(name, settings).kappa_values) > 0


def select(
    fitness: InnerFitness,
    name: str,
    settings: RuleSettings,
    *,
    shows_progress: bool = False,  # noqa: ARG001  # one form for all selectors
) -> Selection:
    """Select as ``selectors`` asks for it: all features, and the rules that decide on them."""
    family = family_of(name, settings)
    tried = _try(fitness, family, settings.n_inner_folds)
    share = settings.ensemble_share or (EIGHTH if family.search == "grid" else QUARTER)
    rules = _deciding(tried, share, family, is_champion=True)
    return _as_selection(fitness, tried, rules)


def rules_of_all_features(fitness: InnerFitness) -> DecidingRules:
    """Return the honest control: with an intercept, the best quarter of (b, C) decides."""
    return _deciding(_try(fitness, ALL_FEATURES, N_FOLDS), QUARTER, ALL_FEATURES, is_champion=False)


def _try(fitness: InnerFitness, family: Family, n_folds: int | None) -> Rules:
    known = fitness.folds
    n_subjects = len(known.subjects)
    folds = group_subjects(known.labels, known.owners, n_folds or n_subjects)
    weights = fitness.feature_weights
    return learn_rules(fitness.features, known.labels, known.owners, family, folds, weights)


def _deciding(tried: Rules, share: float, family: Family, *, is_champion: bool) -> DecidingRules:
    best = tried.best(share)
    return DecidingRules(
        genes=best.genes,
        losses=best.losses,
        scales=best.scales,
        min_clips=family.min_clips,
        is_champion=is_champion,
        is_transductive=max(family.kappa_values) > 0,
    )


def _as_selection(fitness: InnerFitness, tried: Rules, rules: DecidingRules) -> Selection:
    """Return what a file of any selector holds: masks of all features, with the rules' C and bias.

    A bias is the root of b. The fitness is exp(-loss), as the criterion ``balanced_log_loss`` has it.
    """
    places = np.argsort(tried.losses, kind="stable")[:HALL_SIZE]
    genes = tried.genes[places]
    hall = Population(
        np.ones((len(places), fitness.n_features), np.bool_),
        genes[:, 3],
        np.sqrt(genes[:, 2]),
        np.exp(-tried.losses[places]),
    )
    first = rules.take(slice(1))
    known = fitness.folds
    training = fitness.features, known.labels, known.owners
    fitted = fit_rules(*training, first, rules.min_clips, fitness.feature_weights)
    decided = fitted.decisions(fitness.features, known.owners).argmax(axis=1)
    weights = np.sqrt(fitted.relevance)  # of features, not of their products
    all_of_them = np.array([fitness.n_features])
    history = History(
        best_fitness=hall.fitness[:1],
        training_accuracy=np.array([(decided == known.labels).mean()]),
        mean_fitness=np.array([np.exp(-tried.losses).mean()]),
        min_selected=all_of_them,
        max_selected=all_of_them,
        best_masks=weights[None] > 0,
        best_C=hall.C[:1],
        best_bias=hall.bias[:1],
    )
    return Selection(
        mask=weights > 0,
        C=float(hall.C[0]),
        bias=float(hall.bias[0]),
        fitness=float(hall.fitness[0]),
        generation=0,
        history=history,
        hall_of_fame=hall,
        last=hall,
        weights=weights,
        best_weights=weights[None],
        rules=rules,
    )

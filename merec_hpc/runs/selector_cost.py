"""Measures a small part of what a selector does in one fold, and counts how much of it there is."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from math import ceil
from typing import Any

import numpy as np
from numpy.typing import NDArray

from merec_hpc.config.evaluation import Method
from merec_hpc.config.selection import (
    AllFeaturesSettings,
    AntColonySettings,
    AnySettings,
    ForwardSettings,
    GeneticSettings,
    RandomMasksSettings,
    RankingSettings,
    RuleSettings,
    SelectorSettings,
)
from merec_hpc.learning.classifiers import train_classifier
from merec_hpc.learning.oversampling import oversample
from merec_hpc.runs.cost import Costs, Interconnect, predict_search
from merec_hpc.selection.fitness.any_classifier import ClassifierFitness
from merec_hpc.selection.fitness.inner_fitness import InnerFitness
from merec_hpc.selection.fitness.own_masks import RankedFitness
from merec_hpc.selection.ranking import ORDERS, find_ranking
from merec_hpc.selection.rule.deciding import QUARTER
from merec_hpc.selection.rule.family import grid_of
from merec_hpc.selection.rule.inner import group_subjects
from merec_hpc.selection.rule.learning import learn_rules
from merec_hpc.selection.rule.selecting import family_of
from merec_hpc.selection.selectors import LEAKY, RANKED, SELECTORS
from merec_hpc.selection.steps import HALL_SIZE
from merec_hpc.selection.svm_grid import SvmGrid

# As docs/scaling.md assumes.
INFINIBAND = Interconnect(latency_s=2e-6, bytes_per_s=12.5e9)

_N_FEATURES = 200  # that a ranking of single features is timed on
_N_RANKED = 50  # that a ranking of one feature after the other is timed on
_N_FLIPS = 256  # features that a step is timed on
_RANKED_AT_ONCE = 64  # features that a ranked search scores again after each that it takes


@dataclass(frozen=True)
class FoldSample:
    """The training clips of one fold, or clips of the same shape, and what was measured on them."""

    fitness: InnerFitness
    costs: Costs

    @property
    def n_inner_folds(self) -> int:
        """How many inner folds score a mask, those of all groupings."""
        return sum(grouping.folds.n_folds for grouping in self.fitness.groupings)


def selection_seconds(sample: FoldSample, selector: str, settings: AnySettings) -> float:
    """Return the time that a selector takes for one fold, on one core.

    Of one whose section is not in ``MEASURED``, the time that its job asks for.
    """
    known = SELECTORS[selector]
    seconds = MEASURED.get(known.section)
    return 60.0 * known.minutes if seconds is None else seconds(sample, selector, settings)


def evaluation_seconds(
    sample: FoldSample,
    method: Method,
    settings: AnySettings,
    classifier: str,
    oversampling: str,
) -> float:
    """Return the time that it takes to train what decides in one fold."""
    if isinstance(settings, RuleSettings):
        share = settings.ensemble_share or QUARTER
        n_rules = n_rules_of(method.selector, settings) if method.decider == "ensemble" else 1
        return 2 * ceil(share * n_rules) * sample.costs.training_s  # with kappa and without
    if method.decider != "champion":
        n_machines = HALL_SIZE
        if method.decider == "ensemble" and isinstance(settings, GeneticSettings):
            n_machines = settings.n_islands * settings.n_individuals // 2
        elif method.decider == "ensemble":
            n_machines = max(1, n_masks_kept(settings) // 2)
        return n_machines * sample.costs.training_s
    features, labels = sample.fitness.features, sample.fitness.folds.labels
    half = features[:, ::2]

    def train() -> None:
        values, numbers = oversample(half, labels, oversampling, 0)  # type: ignore[arg-type]  # validated
        train_classifier(classifier, values, numbers, 1.0, 0)  # type: ignore[arg-type]  # as above

    return _seconds(train)


def n_masks_kept(settings: AnySettings) -> int:
    """Return about how many masks a selection file holds."""
    if isinstance(settings, GeneticSettings):
        everybody = settings.n_islands * settings.n_individuals
        return everybody + settings.hall_of_fame_size + settings.n_generations + 2
    if isinstance(settings, RandomMasksSettings):
        return settings.n_masks + HALL_SIZE + 2
    if isinstance(settings, RankingSettings):
        return len(settings.n_selected_values) + HALL_SIZE + 2
    if isinstance(settings, ForwardSettings):
        return settings.n_steps + HALL_SIZE + 2
    if isinstance(settings, AntColonySettings):
        return settings.n_iterations + settings.n_ants + HALL_SIZE + 1
    n_tried = HALL_SIZE if isinstance(settings, RuleSettings) else len(SvmGrid.of(settings))
    return 2 * n_tried + 2


def _all_seconds(sample: FoldSample, _selector: str, settings: AllFeaturesSettings) -> float:
    every = np.ones((1, sample.fitness.n_features), np.bool_)
    masks, penalties, biases = SvmGrid.of(settings).with_each(every)
    return _seconds(lambda: sample.fitness.score(masks, penalties, settings.criterion, biases))


def n_rules_of(selector: str, settings: RuleSettings) -> int:
    """Return how many rules a selector tries."""
    family = family_of(selector, settings)
    if family.search == "grid":
        return len(grid_of(family))
    return family.n_individuals * family.n_generations


def _rule_seconds(sample: FoldSample, selector: str, settings: RuleSettings) -> float:
    """Try rules of one kappa and p; there are so many more of each, or each has its own."""
    family = family_of(selector, settings)
    few = replace(
        family, search="grid", kappa_values=family.kappa_values[-1:], p_values=family.p_values[-1:]
    )
    if family.search != "grid":
        few = replace(few, b_values=family.b_values[:1], C_values=family.C_values[:1])
    known = sample.fitness.folds
    groups = settings.n_inner_folds or len(known.subjects)
    folds = group_subjects(known.labels, known.owners, groups)
    given = sample.fitness.features, known.labels, known.owners, few, folds
    learn_rules(*given)  # compiles
    once = _seconds(lambda: learn_rules(*given))
    return once * n_rules_of(selector, settings) / len(grid_of(few))


def _random_seconds(sample: FoldSample, _selector: str, settings: RandomMasksSettings) -> float:
    return settings.n_masks * len(SvmGrid.of(settings)) * sample.costs.evaluation_s


def _genetic_seconds(sample: FoldSample, _selector: str, settings: GeneticSettings) -> float:
    n_features = sample.fitness.n_features
    return predict_search(settings, n_features, 1, sample.costs, INFINIBAND).total_s


def _ranking_seconds(sample: FoldSample, selector: str, settings: RankingSettings) -> float:
    """Rank without each inner fold, and with all; score the masks of every inner fold."""
    n_features = sample.fitness.n_features
    given = [settings.n_selected] if settings.n_selected else settings.n_selected_values
    numbers = {min(number, n_features) for number in given}
    once = _order_seconds(sample, selector, max(numbers))
    typical = int(np.median(sorted(numbers)))
    scored = len(numbers) * _own_seconds(sample, typical, settings)
    return (sample.n_inner_folds + 1) * once + scored


def _own_seconds(sample: FoldSample, n_selected: int, settings: SelectorSettings) -> float:
    """Return the time of masks of so many features, one for each inner fold, by each SVM."""
    fitness = sample.fitness
    one = np.arange(fitness.n_features)[None] < n_selected
    masks, penalties, biases = SvmGrid.of(settings).with_each(one)
    numbers = [grouping.folds.n_folds for grouping in fitness.groupings]
    own = [np.broadcast_to(masks, (number, *masks.shape)) for number in numbers]
    few = [ours[:, :1] for ours in own]
    fitness.score_own(few, penalties[:1], settings.criterion, biases[:1])  # compiles
    return _seconds(lambda: fitness.score_own(own, penalties, settings.criterion, biases))


def _order_seconds(sample: FoldSample, ranking: str, n_wanted: int) -> float:
    """Return the time of one ranking, from that of a few features."""
    features, labels = sample.fitness.features, sample.fitness.folds.labels
    if ranking in ORDERS:
        order, few = find_ranking(ranking), min(n_wanted, _N_RANKED)
        return _seconds(lambda: order(features, labels, few)) * n_wanted / few
    part = features[:, :_N_FEATURES]
    order = find_ranking(ranking)  # groups' means of scores take next to no time
    order(part[:, :2], labels, 2)  # imports
    seconds = _seconds(lambda: order(part, labels, part.shape[1]))
    return seconds * int(features.shape[1]) / int(part.shape[1])


def _forward_seconds(sample: FoldSample, selector: str, settings: ForwardSettings) -> float:
    """Score every feature in each step, and each SVM of the mask that it leads to."""
    fitness, n_features = sample.fitness, sample.fitness.n_features
    n_steps, grid = min(settings.n_steps, n_features), SvmGrid.of(settings)
    mask: NDArray[np.bool_] = np.full(n_features, selector == "backward")
    if selector != "backward":
        mask[: max(1, n_steps // 2)] = True
    candidates = np.flatnonzero(mask == (selector == "backward"))[:_N_FLIPS]
    rater = _anew(fitness) if selector.startswith(RANKED) else fitness
    penalty = float(np.median(settings.C_values))
    criterion = SELECTORS[selector].criterion or settings.criterion
    flips = []
    for bias in settings.bias:
        rater.rate_flips(mask, penalty, criterion, candidates[:2], bias)  # compiles
        took = _seconds(
            lambda: rater.rate_flips(mask, penalty, criterion, candidates, bias)  # noqa: B023
        )
        flips.append(took / len(candidates))
    flip_s = float(np.mean(flips))  # which of them a step goes on with is not known
    masks, penalties, biases = grid.with_each(mask[None])
    choice_s = _seconds(lambda: rater.rate(masks, penalties, criterion, biases))
    ranking = selector.removeprefix(LEAKY).removeprefix(RANKED)
    if ranking != selector:
        n_orders = 1 if selector.startswith(LEAKY) else sample.n_inner_folds + 1
        ordered = n_orders * _order_seconds(sample, ranking, n_features)
        n_flips = n_features + n_steps * _RANKED_AT_ONCE
        return ordered + n_flips * flip_s + n_steps * choice_s
    n_first = 1 if selector == "backward" else len(grid)
    return (n_steps - 1 + n_first) * n_features * flip_s + n_steps * choice_s


def _anew(fitness: InnerFitness) -> RankedFitness:
    """Return what rates places in rankings of every inner fold: features as they stand."""
    as_given = np.arange(fitness.n_features)
    orders = [np.tile(as_given, (one.folds.n_folds, 1)) for one in fitness.groupings]
    return RankedFitness(fitness, orders)


def _ant_seconds(sample: FoldSample, selector: str, settings: AntColonySettings) -> float:
    """Score each ant's mask, by whatever classifier the settings name."""
    n_scored = settings.n_iterations * settings.n_ants
    if (settings.classifier, settings.oversampling) == ("linear_svm", "none"):
        if not selector.startswith(LEAKY):
            n_features = sample.fitness.n_features
            typical = settings.n_selected or n_features // 2
            learnt = (sample.n_inner_folds + 1) * _order_seconds(sample, settings.heuristic, 1)
            return learnt + n_scored * _own_seconds(sample, max(typical, 1), settings)
        return n_scored * len(SvmGrid.of(settings)) * sample.costs.evaluation_s
    if settings.classifier == "linear_svm":
        n_scored *= len(SvmGrid.of(settings))
    scored = ClassifierFitness(
        sample.fitness, settings.classifier, settings.oversampling, settings.seed
    )
    masks = np.zeros((1, sample.fitness.n_features), np.bool_)
    masks[:, ::2] = True
    return n_scored * _seconds(lambda: scored.score(masks, np.ones(1), settings.criterion))


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


MEASURED: dict[str, Callable[[FoldSample, str, Any], float]] = {
    "all_features": _all_seconds,
    "random_masks": _random_seconds,
    "ranking": _ranking_seconds,
    "forward": _forward_seconds,
    "ant_colony": _ant_seconds,
    "genetic": _genetic_seconds,
    "rule": _rule_seconds,
}
"""By a selector's section; the time of any other is what its job asks for."""

"""Rules, and how good they were on inner folds."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from merec_hpc.selection.fitness.inner_folds import InnerFolds
from merec_hpc.selection.rule.deciding import best_rules
from merec_hpc.selection.rule.family import Genes
from merec_hpc.selection.rule.fold_statistics import Values
from merec_hpc.selection.rule.inner import Squares, left_out_decisions
from merec_hpc.selection.rule.losses import (
    Decisions,
    balanced_log_loss,
    decision_scales,
    evolved_fitness,
    pooled_uf1,
)


@dataclass(frozen=True)
class Rules:
    """Rules with what they decided on clips that were left out."""

    genes: Genes
    """kappa, p, b and C, (n_rules, 4)."""
    losses: NDArray[np.float64]
    """Class-balanced log loss, (n_rules,)."""
    uf1: NDArray[np.float64]
    """Pooled over the inner folds, in [0, 1], (n_rules,)."""
    fitness: NDArray[np.float64]
    """What evolution looks at, (n_rules,): see ``evolved_fitness``."""
    scales: NDArray[np.float64]
    """Mean absolute decision, (n_rules,)."""
    decisions: Decisions
    """On left-out clips, (n_rules, n_clips, n_classes)."""

    @property
    def is_transductive(self) -> bool:
        """Whether a rule reads the unlabelled clips of whom is predicted."""
        return bool((self.genes[:, 0] > 0).any())

    def take(self, places: NDArray[np.int64]) -> Self:
        """Return the rules of some places, in their order."""
        return type(self)(*(array[places] for array in vars(self).values()))

    def best(self, share: float = 0.0) -> Self:
        """Return the best rules by class-balanced log loss, see ``best_rules``."""
        return self.take(best_rules(self.losses, share))


def judge_rules(
    values: Values,
    subjects: NDArray[np.generic],
    genes: Genes,
    folds: InnerFolds,
    min_clips: int,
    squares: Squares = 1.0,
) -> Rules:
    """Return rules with what they decide on inner folds; see ``left_out_decisions``."""
    decisions = left_out_decisions(values, subjects, genes, folds, min_clips, squares)
    labels = np.empty_like(folds.labels)
    labels[folds.order] = folds.labels
    uf1 = pooled_uf1(decisions, labels)
    return Rules(
        genes=genes,
        losses=balanced_log_loss(decisions, labels),
        uf1=uf1,
        fitness=evolved_fitness(decisions, labels, uf1),
        scales=decision_scales(decisions),
        decisions=decisions,
    )


def joined(parts: list[Rules]) -> Rules:
    """Return the rules of several generations as one."""
    arrays = zip(*(vars(part).values() for part in parts), strict=True)
    return Rules(*(np.concatenate(column) for column in arrays))

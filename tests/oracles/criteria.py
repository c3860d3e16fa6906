"""Criteria of decisions, one clip and one class after the other."""

import math
from collections.abc import Callable, Sequence
from decimal import Decimal


def balanced_hinge(decisions: Sequence[Sequence[float]], labels: Sequence[int]) -> float:
    """Return 1 / (1 + the class-balanced squared hinge)."""

    def loss(row: Sequence[float], label: int) -> float:
        lost = []
        for kind, decision in enumerate(row):
            margin = decision if kind == label else -decision
            lost.append((1 - margin) ** 2 if margin < 1 else 0.0)
        return math.fsum(lost)

    found = _balanced(loss, decisions, labels)
    return 0.0 if found is None else 1 / (1 + found)


def balanced_log_loss(decisions: Sequence[Sequence[float]], labels: Sequence[int]) -> float:
    """Return the geometric mean probability of the true classes, by the best temperature."""
    best = 0.0
    for t in (0.5, 1, 2, 4, 8, 16):

        def loss(row: Sequence[float], label: int, t: float = t) -> float:
            # -log p = log of the sum over all classes of exp(their lead over the true one)
            leads = [Decimal(t) * (Decimal(other) - Decimal(row[label])) for other in row]
            return float(sum(lead.exp() for lead in leads).ln())  # type: ignore[union-attr]

        found = _balanced(loss, decisions, labels)
        best = max(best, 0.0 if found is None else math.exp(-found))
    return best


def _balanced(
    loss: Callable[[Sequence[float], int], float],
    decisions: Sequence[Sequence[float]],
    labels: Sequence[int],
) -> float | None:
    """Return the mean over classes of the mean loss of their clips; None without any clip."""
    by_class: dict[int, list[float]] = {}
    for row, label in zip(decisions, labels, strict=True):
        if row[label] != -math.inf:
            by_class.setdefault(label, []).append(loss(row, label))
    if not by_class:
        return None
    return math.fsum(math.fsum(lost) / len(lost) for lost in by_class.values()) / len(by_class)

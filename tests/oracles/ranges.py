"""Sizes of features straight from their formula: one number at a time, in fifty digits."""

from collections.abc import Sequence
from decimal import Decimal, localcontext

DIGITS = 50


def size_range_by_hand(values: Sequence[Sequence[float]]) -> tuple[float, float]:
    """Return the smallest and largest root mean square of a feature that is not constant."""
    with localcontext(prec=DIGITS):
        sizes = []
        for feature in range(len(values[0])):
            column = [Decimal(float(clip[feature])) for clip in values]
            if any(value != column[0] for value in column):
                total = Decimal(0)
                for value in column:
                    total += value * value
                sizes.append((total / len(column)).sqrt())
        return (float(min(sizes)), float(max(sizes))) if sizes else (1.0, 1.0)

"""Scaling straight from its formulas: one clip and one feature at a time, in fifty digits."""

from collections.abc import Sequence
from decimal import Decimal, localcontext

DIGITS = 50
CONSTANT = Decimal("1e-30")
"""No deviation is so small that is not rounding in fifty digits."""

Column = list[Decimal]


def scaled_by_hand(
    training: Sequence[Sequence[float]],
    labels: Sequence[int],
    owners: Sequence[str],
    wanted: Sequence[Sequence[float]],
    wanted_owners: Sequence[str],
    kind: str,
    min_clips: int,
    kappa: float,
    weights: Sequence[float],
) -> list[list[float]]:
    """Return clips as scaled by training clips, (n_clips, n_features)."""
    with localcontext(prec=DIGITS):
        columns = [
            _scaled_feature(
                [Decimal(float(clip[feature])) for clip in training],
                labels,
                owners,
                [Decimal(float(clip[feature])) for clip in wanted],
                wanted_owners,
                kind,
                min_clips,
                Decimal(kappa),
            )
            for feature in range(len(weights))
        ]
        return [
            [float(Decimal(float(weights[f])) * columns[f][clip]) for f in range(len(weights))]
            for clip in range(len(wanted))
        ]


def share_by_hand(
    column: Column, labels: Sequence[int], owners: Sequence[str], n_clips: int, kappa: Decimal
) -> Decimal:
    """Return lambda of a subject of so many clips, from a feature of mean 0 of training clips."""
    clips = range(len(column))
    class_mean = {one: _mean([column[i] for i in clips if labels[i] == one]) for one in set(labels)}
    residual = [column[i] - class_mean[labels[i]] for i in clips]
    n, n_subjects = Decimal(len(column)), len(set(owners))
    if n == n_subjects:
        return Decimal(0)
    within = between = mixture = Decimal(0)
    for subject in sorted(set(owners)):
        own = [i for i in clips if owners[i] == subject]
        mean_residual = _mean([residual[i] for i in own])
        for i in own:
            within += (residual[i] - mean_residual) ** 2
        between += len(own) * mean_residual**2
        mixture += len(own) * _mean([class_mean[labels[i]] for i in own]) ** 2
    within /= n - n_subjects
    between = max(Decimal(0), between / n - within * n_subjects / n)
    everything = kappa * between + within / n_clips + mixture / n
    return kappa * between / everything if everything > CONSTANT else Decimal(0)


def _scaled_feature(
    training: Column,
    labels: Sequence[int],
    owners: Sequence[str],
    wanted: Column,
    wanted_owners: Sequence[str],
    kind: str,
    min_clips: int,
    kappa: Decimal,
) -> Column:
    if kind == "none":
        return wanted
    first = _standard(training)
    training, wanted = _mapped(training, first), _mapped(wanted, first)
    if kind == "standard":
        return wanted
    left = []
    for column, whose in ((training, owners), (wanted, wanted_owners)):
        kept = []
        for clip, value in enumerate(column):
            own = [column[i] for i in range(len(column)) if whose[i] == whose[clip]]
            share = Decimal(1 if kind == "transductive_full" else 0)
            if kind == "transductive_shrunk":
                share = share_by_hand(training, labels, owners, len(own), kappa)
            kept.append(value - share * _mean(own) if len(own) >= min_clips else value)
        left.append(kept)
    return _mapped(left[1], _standard(left[0]))


def _mean(values: Column) -> Decimal:
    return sum(values, Decimal(0)) / len(values)


def _standard(column: Column) -> tuple[Decimal, Decimal]:
    mean = _mean(column)
    std = _mean([(value - mean) ** 2 for value in column]).sqrt()
    return mean, std if std > CONSTANT else Decimal(1)


def _mapped(column: Column, by: tuple[Decimal, Decimal]) -> Column:
    return [(value - by[0]) / by[1] for value in column]

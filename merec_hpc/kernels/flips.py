"""Linear SVMs of one machine and fold under many Gram matrices that differ by one feature.

A feature x that joins a mask (sign 1) or leaves it (-1) changes K = G + diag(1 / (2 C)) to
K + sign x x'. With S the support set of the unchanged machine, O all other clips, beta its
dual and z = y - K beta, the vector v = (beta on S, z on O) answers to a change by

    v = v0 + t q - B d,    q = (-u on S, K_OS u - x on O),    u = K_SS^-1 x_S,
    B = [[K_SS^-1, K_SS^-1 K_SO], [-K_OS K_SS^-1, K_OO - K_OS K_SS^-1 K_SO]]

where t is sign x'beta and d belongs to the clips D that change sides: beta of those that
join S, z of those that leave it. v vanishes on D, and t follows from one equation, so that a
change costs a small system of D; the q of all features are one matrix product. A held-out
clip is one of O whose sides are not looked at: its decision is y - v.

With a bias a feature changes the square of the constant feature, too, by gamma: K becomes
K + sign (x x' + gamma 1 1'). Then v = v0 + t q + t1 q1 - B d, with t1 = sign gamma 1'beta and q1
that of the ones, and two equations for t and t1.

With its rows of O negated, B is symmetric and quasi-definite: B_DD = J L P L' with J of +-1
exists in any order of D (Vanderbei: Symmetric quasidefinite matrices, SIAM J. Optimization
1995, doi:10.1137/0805005), and a D that grows only needs the new rows of L (``docs/engine.md``, step 8).
"""

import numpy as np
from numpy.typing import NDArray

from merec_hpc.kernels.compiled import compiled
from merec_hpc.kernels.pivoting import IMPRECISE, ROUNDING, SLACK, SOLVED, UNSETTLED, largest_dual

_MOST_CHANGES = 128  # clips that change sides
_MOST_ROUNDS = 400
_PATIENCE = 4  # rounds without progress, before one clip changes sides at a time
_LEAST_PIVOT = 1e-9  # of a small system, in units of what it was before the others


@compiled
def settle_fold(
    kernel: NDArray[np.float64],  # (n_clips, n_clips), K
    ridges: NDArray[np.float64],  # (n_clips,), 1 / (2 C) of each clip
    target: NDArray[np.float64],  # (n_clips,), +1 or -1
    first: int,  # clips first..last are held out
    last: int,
    outside: NDArray[np.bool_],  # (n_clips,), those outside S to begin with; written
    start: NDArray[np.float64],  # (n_clips,), written: v0
    response: NDArray[np.float64],  # (n_clips, n_clips), written: q = response x
    changes: NDArray[np.float64],  # (n_clips, n_clips), written: B', one clip a row
) -> int:
    """Find the support set without the held-out clips, and how the machine answers to changes."""
    n_clips = len(target)
    outside[first:last] = True
    there, away, wrong = np.empty(n_clips), np.empty(n_clips), np.empty(n_clips)
    scale, sides = np.empty(n_clips), np.empty(n_clips)
    nobody, nothing = np.empty(0, np.int64), np.empty(0)
    fewest, patience = n_clips + 1, _PATIENCE
    for turn in range(_MOST_ROUNDS):
        support, rest = np.flatnonzero(~outside), np.flatnonzero(outside)
        inverse = np.linalg.inv(kernel[support][:, support])
        across = kernel[rest][:, support]
        dual = inverse @ target[support]
        start[support], start[rest] = dual, target[rest] - across @ dual
        for clip in range(n_clips):
            scale[clip] = kernel[clip, clip]
            is_held = first <= clip < last
            sides[clip] = 0.0 if is_held else -target[clip] if outside[clip] else target[clip]
        _weights(sides, scale, ridges, outside, start, there, away)
        n_wrong = _weigh(start, there, away, nobody, nothing, wrong)
        if n_wrong == 0:
            _fill_response(kernel, inverse, across, support, rest, response, changes)
            return SOLVED
        patience = _PATIENCE if n_wrong < fewest else patience - 1
        fewest = min(fewest, n_wrong)
        if patience < 0:
            _keep_one(wrong, turn > _MOST_ROUNDS // 2)
        for clip in range(n_clips):
            if wrong[clip] > 0:
                outside[clip] = not outside[clip]
    return UNSETTLED


@compiled
def _fill_response(
    kernel: NDArray[np.float64],  # (n_clips, n_clips)
    inverse: NDArray[np.float64],  # (n_support, n_support)
    across: NDArray[np.float64],  # (n_rest, n_support)
    support: NDArray[np.int64],  # (n_support,)
    rest: NDArray[np.int64],  # (n_rest,)
    response: NDArray[np.float64],  # (n_clips, n_clips), written
    changes: NDArray[np.float64],  # (n_clips, n_clips), written
) -> None:
    ratio = across @ inverse  # (n_rest, n_support)
    schur = kernel[rest][:, rest] - ratio @ across.T
    response[:] = 0.0
    for i in range(len(support)):
        for j in range(len(support)):
            response[support[i], support[j]] = -inverse[i, j]
            changes[support[j], support[i]] = inverse[i, j]
    for i in range(len(rest)):
        response[rest[i], rest[i]] = -1.0
        for j in range(len(support)):
            response[rest[i], support[j]] = ratio[i, j]
            changes[support[j], rest[i]] = -ratio[i, j]
            changes[rest[i], support[j]] = ratio[i, j]
        for j in range(len(rest)):
            changes[rest[j], rest[i]] = schur[i, j]


@compiled
def flip_features(
    features: NDArray[np.float64],  # (n_features, n_clips), x of each feature
    answers: NDArray[np.float64],  # (n_features, n_clips), q of each feature
    signs: NDArray[np.float64],  # (n_features,), 1 to join the mask, -1 to leave it
    squares: NDArray[np.float64],  # (n_features,), gamma: by how much a bias changes with each
    common: NDArray[np.float64],  # (n_clips,), q of a feature of ones
    scale: NDArray[np.float64],  # (n_clips,), K_ii
    ridges: NDArray[np.float64],  # (n_clips,), 1 / (2 C) of each clip
    target: NDArray[np.float64],  # (n_clips,)
    first: int,  # clips first..last are held out
    last: int,
    outside: NDArray[np.bool_],  # (n_clips,)
    start: NDArray[np.float64],  # (n_clips,), v0
    changes: NDArray[np.float64],  # (n_clips, n_clips), B'
    duals: NDArray[np.float64],  # (n_features, n_clips), written: beta
    states: NDArray[np.int64],  # (n_features,), raised where a feature is not solved
) -> None:
    """Write beta of the machine with each feature flipped; what is not solved gets 0."""
    n_clips = len(target)
    values, wrong, sides = np.empty(n_clips), np.empty(n_clips), np.empty(n_clips)
    there, away = np.empty(n_clips), np.empty(n_clips)
    most = min(_MOST_CHANGES, n_clips)
    moved, steps = np.empty(most, np.int64), np.empty((8, most))
    lower, upper = np.empty((most, most)), np.empty((most, most))
    for clip in range(n_clips):  # y v is positive on S, negative outside
        sides[clip] = -target[clip] if outside[clip] else target[clip]
    for clip in range(first, last):
        sides[clip] = 0.0
    _weights(sides, scale, ridges, outside, start, there, away)
    for feature in range(len(features)):
        state, n_moved = _flip(
            features[feature],
            answers[feature],
            signs[feature],
            squares[feature],
            common,
            there,
            away,
            outside,
            start,
            changes,
            moved,
            lower,
            upper,
            steps,
            wrong,
            values,
        )
        states[feature] = max(states[feature], state)
        for clip in range(n_clips):
            is_support = state == SOLVED and not outside[clip]
            duals[feature, clip] = values[clip] if is_support else 0.0
        for place in range(n_moved):  # d is beta of who joins S; of who leaves it beta is 0
            clip = moved[place]
            duals[feature, clip] = steps[0, place] if outside[clip] else 0.0


@compiled
def _flip(
    feature: NDArray[np.float64],  # (n_clips,), x
    answer: NDArray[np.float64],  # (n_clips,), q
    sign: float,
    square: float,  # gamma
    common: NDArray[np.float64],  # (n_clips,), q1
    there: NDArray[np.float64],  # (n_clips,), of _weights
    away: NDArray[np.float64],  # (n_clips,), of _weights
    outside: NDArray[np.bool_],  # (n_clips,)
    start: NDArray[np.float64],  # (n_clips,), v0
    changes: NDArray[np.float64],  # (n_clips, n_clips), B'
    moved: NDArray[np.int64],  # (most,), scratch: D
    lower: NDArray[np.float64],  # (most, most), scratch: L
    upper: NDArray[np.float64],  # (most, most), scratch: L'
    steps: NDArray[np.float64],  # (8, most), scratch, rows: d = fixed + t sloped + t1 tilted,
    # L^-1 J of v0, q and q1, 1 / P, one of _factorise
    wrong: NDArray[np.float64],  # (n_clips,), scratch
    values: NDArray[np.float64],  # (n_clips,), written: v
) -> tuple[int, int]:
    """Return the state, and the size of D."""
    n_clips = len(start)
    # x'beta0, 1'beta0, and how much less of them each t leaves.
    direct, total, own, mixed, shared = 0.0, 0.0, 0.0, 0.0, 0.0
    for clip in range(n_clips):
        if not outside[clip]:
            direct += feature[clip] * start[clip]
            own -= feature[clip] * answer[clip]
            total += start[clip]
            mixed -= answer[clip]
            shared -= common[clip]
    forms = (direct, total, own, mixed, shared)
    n_moved = 0
    fixed, sloped, tilted = steps[0], steps[1], steps[2]
    size, lift = _sizes(forms, sign, square, answer, common, outside, moved[:0], steps)
    fewest, patience = n_clips + 1, _PATIENCE
    for turn in range(_MOST_ROUNDS):
        for place in range(n_moved):
            fixed[place] += size * sloped[place] + lift * tilted[place]  # d, from here on
        _fill_values(start, size, answer, lift, common, changes, moved[:n_moved], fixed, values)
        n_wrong = _weigh(values, there, away, moved[:n_moved], fixed, wrong)
        if n_wrong == 0:
            return SOLVED, n_moved
        patience = _PATIENCE if n_wrong < fewest else patience - 1
        fewest = min(fewest, n_wrong)
        if patience < 0:
            _keep_one(wrong, turn > _MOST_ROUNDS // 2)
        n_moved, n_kept = _change_sides(wrong, moved, n_moved)
        if n_moved < 0:
            return UNSETTLED, 0
        if not _factorise(
            changes, start, answer, common, outside, moved[:n_moved], n_kept, lower, upper, steps
        ):
            return IMPRECISE, 0
        _solve(lower, n_moved, steps)
        size, lift = _sizes(forms, sign, square, answer, common, outside, moved[:n_moved], steps)
    return UNSETTLED, 0


@compiled
def _sizes(
    forms: tuple[float, float, float, float, float],  # x'beta0, 1'beta0, x'u, 1'u, 1'u1
    sign: float,
    square: float,  # gamma
    answer: NDArray[np.float64],  # (n_clips,), q
    common: NDArray[np.float64],  # (n_clips,), q1
    outside: NDArray[np.bool_],  # (n_clips,)
    moved: NDArray[np.int64],  # (n_moved,), D
    steps: NDArray[np.float64],  # (8, n_moved or more), those of d
) -> tuple[float, float]:
    """Return t and t1, from t = sign x'beta and t1 = sign gamma 1'beta: beta is linear in both."""
    direct, total, own, mixed, shared = forms
    for place in range(len(moved)):
        clip = moved[place]
        side = -1.0 if outside[clip] else 1.0
        part, one = side * answer[clip], side * common[clip]
        direct += part * steps[0, place]
        own -= part * steps[1, place]
        if square > 0:
            total += one * steps[0, place]
            mixed -= one * steps[1, place]
            shared -= one * steps[2, place]
    first, second = sign + own, sign + square * shared
    divisor = first * second - square * mixed**2
    size = (direct * second - square * mixed * total) / divisor
    return size, square * (first * total - mixed * direct) / divisor


@compiled
def _fill_values(
    start: NDArray[np.float64],  # (n_clips,), v0
    size: float,  # t
    answer: NDArray[np.float64],  # (n_clips,), q
    lift: float,  # t1
    common: NDArray[np.float64],  # (n_clips,), q1
    changes: NDArray[np.float64],  # (n_clips, n_clips), B'
    moved: NDArray[np.int64],  # (n_moved,), D
    steps: NDArray[np.float64],  # (n_moved or more,), d
    values: NDArray[np.float64],  # (n_clips,), written: v
) -> None:
    for clip in range(len(values)):
        values[clip] = start[clip] + size * answer[clip] + lift * common[clip]
    for place in range(len(moved)):
        row = changes[moved[place]]
        for clip in range(len(values)):
            values[clip] -= steps[place] * row[clip]


@compiled
def _weights(
    sides: NDArray[np.float64],  # (n_clips,), sign of v while the clip keeps its side, or 0
    scale: NDArray[np.float64],  # (n_clips,), K_ii
    ridges: NDArray[np.float64],  # (n_clips,)
    outside: NDArray[np.bool_],  # (n_clips,)
    start: NDArray[np.float64],  # (n_clips,), v0
    there: NDArray[np.float64],  # (n_clips,), written: times v it is how wrong a clip is
    away: NDArray[np.float64],  # (n_clips,), written: times d, how wrong on the other side
) -> None:
    """Weigh the two of a pair, beta and z, in units of the machine's largest beta.

    A margin's unit is that beta times the clip's ridge, and room for rounding.
    """
    largest = max(largest_dual(start, outside), np.finfo(np.float64).tiny)
    for clip in range(len(sides)):
        of_dual = 1.0 / largest
        of_margin = of_dual / (ridges[clip] + ROUNDING / SLACK * scale[clip])
        there[clip] = -sides[clip] * (of_margin if outside[clip] else of_dual)
        away[clip] = sides[clip] * (of_dual if outside[clip] else of_margin)


@compiled
def _weigh(
    values: NDArray[np.float64],  # (n_clips,), v
    there: NDArray[np.float64],  # (n_clips,), of _weights
    away: NDArray[np.float64],  # (n_clips,), of _weights
    moved: NDArray[np.int64],  # (n_moved,), D
    steps: NDArray[np.float64],  # (n_moved or more,), d
    wrong: NDArray[np.float64],  # (n_clips,), written: how wrong, in units of _weights, or 0
) -> int:
    """Weigh how wrong each clip is where it is, and return how many are."""
    for clip in range(len(values)):
        wrong[clip] = there[clip] * values[clip]
    for place in range(len(moved)):  # on D v is 0, and d has the other one of the pair
        wrong[moved[place]] = away[moved[place]] * steps[place]
    n_wrong = 0
    for clip in range(len(values)):
        is_wrong = wrong[clip] > SLACK
        n_wrong += is_wrong
        wrong[clip] = wrong[clip] if is_wrong else 0.0
    return n_wrong


@compiled
def _keep_one(wrong: NDArray[np.float64], by_place: bool) -> None:
    """Leave one clip wrong: the worst, or by place the last, which ends for certain.

    Murty: Note on a Bard-type scheme for solving the complementarity problem, Opsearch 1974.
    """
    chosen = 0
    for clip in range(len(wrong)):
        if wrong[clip] > 0 and (by_place or wrong[clip] > wrong[chosen]):
            chosen = clip
    kept = wrong[chosen]
    wrong[:] = 0.0
    wrong[chosen] = kept


@compiled
def _change_sides(
    wrong: NDArray[np.float64],  # (n_clips,), used up
    moved: NDArray[np.int64],  # (most,), changed: D
    n_moved: int,
) -> tuple[int, int]:
    """Change the sides of the clips that are wrong.

    Return the size of D, or -1 if there are too many, and how many of its first stayed.
    """
    n_kept, n_first = 0, 0
    for place in range(n_moved):
        clip = moved[place]
        if wrong[clip] > 0:
            wrong[clip] = 0.0  # back on its old side
        else:
            moved[n_kept] = clip
            n_first += n_kept == place
            n_kept += 1
    for clip in range(len(wrong)):
        if wrong[clip] > 0:
            if n_kept == len(moved):
                return -1, 0
            moved[n_kept] = clip
            n_kept += 1
    return n_kept, n_first


@compiled
def _factorise(
    changes: NDArray[np.float64],  # (n_clips, n_clips), B'
    start: NDArray[np.float64],  # (n_clips,), v0
    answer: NDArray[np.float64],  # (n_clips,), q
    common: NDArray[np.float64],  # (n_clips,), q1
    outside: NDArray[np.bool_],  # (n_clips,)
    moved: NDArray[np.int64],  # (n_moved,), D
    n_kept: int,
    lower: NDArray[np.float64],  # (most, most), written from row n_kept on: L
    upper: NDArray[np.float64],  # (most, most), written from column n_kept on: L'
    steps: NDArray[np.float64],  # (8, most), rows 3 to 6 are written, 7 is scratch
) -> bool:
    """Go on with the factors of B_DD and return whether its pivots are sound.

    Their signs are those of J, but for rounding.
    """
    fixed, sloped, tilted, inverse, line = steps[3], steps[4], steps[5], steps[6], steps[7]
    for i in range(n_kept, len(moved)):
        row = changes[moved[i]]
        for j in range(i):
            line[j] = -row[moved[j]] if outside[moved[j]] else row[moved[j]]
        for j in range(i):
            part, column = line[j], upper[j]
            for k in range(j + 1, i):
                line[k] -= part * column[k]
        sign = -1.0 if outside[moved[i]] else 1.0
        pivot = sign * row[moved[i]]
        fixed[i], sloped[i] = sign * start[moved[i]], sign * answer[moved[i]]
        tilted[i] = sign * common[moved[i]]
        for j in range(i):
            ratio = line[j] * inverse[j]
            pivot -= ratio * line[j]
            fixed[i] -= ratio * fixed[j]
            sloped[i] -= ratio * sloped[j]
            tilted[i] -= ratio * tilted[j]
            lower[i, j], upper[j, i] = ratio, ratio
        if not sign * pivot > _LEAST_PIVOT * row[moved[i]]:
            return False
        inverse[i] = 1.0 / pivot
    return True


@compiled
def _solve(
    lower: NDArray[np.float64],  # (most, most), L
    n_moved: int,
    steps: NDArray[np.float64],  # (8, most), rows 0 to 2 are written: B_DD^-1 of v0, q and q1
) -> None:
    fixed, sloped, tilted, inverse = steps[0], steps[1], steps[2], steps[6]
    for i in range(n_moved):
        fixed[i], sloped[i] = steps[3, i] * inverse[i], steps[4, i] * inverse[i]
        tilted[i] = steps[5, i] * inverse[i]
    for i in range(n_moved - 1, 0, -1):
        row, one, other, third = lower[i], fixed[i], sloped[i], tilted[i]
        for j in range(i):
            fixed[j] -= row[j] * one
            sloped[j] -= row[j] * other
            tilted[j] -= row[j] * third

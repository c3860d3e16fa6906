"""One fold left out of one machine: a small system on its clips and on those that change sides.

``docs/engine.md``, step 5, has the equations.
"""

import numpy as np
from numpy.typing import NDArray

from merec_hpc.kernels.blocks import places_of, subtract
from merec_hpc.kernels.compiled import compiled, compiled_freely
from merec_hpc.kernels.path import follow
from merec_hpc.kernels.pivoting import (
    IMPRECISE,
    MOST_ROUNDS,
    PATIENCE,
    SOLVED,
    UNSETTLED,
    count_below,
)
from merec_hpc.kernels.tableau import factorise, substitute

_MOST_REFINEMENTS = 8
_PRECISE, _NEARLY_PRECISE = 1e-13, 1e-10  # of y, which is 1


@compiled
def leave_fold_out(
    kernel: NDArray[np.float64],  # (n_clips, n_clips), K
    tableau: NDArray[np.float64],  # (n_clips, n_clips), R
    target: NDArray[np.float64],  # (n_clips,)
    start: NDArray[np.float64],  # (n_clips,), s for p = 0
    outside: NDArray[np.bool_],  # (n_clips,)
    fold: NDArray[np.int64],  # (2,), its first clip and the one after its last
    allowed: NDArray[np.float64],  # (2, n_clips), least y s of a support vector, of others
    norms: NDArray[np.float64],  # (n_clips,), g
    bounds: NDArray[np.float64],  # (n_clips,), of |g a| of a held-out clip
    least_pivot: float,  # pivots below it call for a refinement
    decisions: NDArray[np.float64],  # (n_clips,), those of the fold are written
    reach: NDArray[np.float64],  # (n_clips,), those of the fold are written
    dual: NDArray[np.float64],  # (n_clips,), beta, written; or empty
) -> int:
    """Leave one fold out of one machine, and move clips in and out until all conditions hold."""
    n_clips, first, last = len(target), fold[0], fold[1]
    is_moved = np.zeros(n_clips, np.bool_)
    for clip in range(first, last):
        is_moved[clip] = not outside[clip]
    limits = _limits_of(allowed, outside, first, last)
    signed = np.empty(n_clips)
    fewest, patience, state = n_clips + 1, PATIENCE, UNSETTLED
    is_precise = True
    for _ in range(MOST_ROUNDS):
        moved = places_of(is_moved, True)
        factor = factorise(tableau, moved)
        for clip in range(n_clips):
            signed[clip] = start[clip]
        _exchange(tableau, outside, moved, factor, signed)
        if not _smallest_pivot(factor) > least_pivot and not _refine(
            kernel, tableau, target, outside, is_moved, moved, factor, signed
        ):
            if len(dual) == 0:
                return IMPRECISE
            is_precise = False  # what beta lacks is seen by its certificate
        n_wrong = count_below(target, signed, limits)
        if n_wrong == 0:
            state = SOLVED
            break
        patience = PATIENCE if n_wrong < fewest and patience >= 0 else patience - 1
        fewest = min(fewest, n_wrong)
        if patience == -1:
            _follow(tableau, target, start, outside, first, last, is_moved)
            limits = _limits_of(allowed, outside != is_moved, first, last)
        else:
            _move(allowed, outside, target, signed, is_moved, limits, patience < 0)
    _write(target, signed, outside, is_moved, fold, norms, bounds, decisions, reach, dual)
    return state if is_precise else IMPRECISE


@compiled_freely
def measure_length(dual: NDArray[np.float64], norms: NDArray[np.float64]) -> float:
    """Return |g beta|, the length of the vector of norms times beta."""
    total = 0.0
    for clip in range(len(dual)):
        total += (dual[clip] * norms[clip]) ** 2
    return np.sqrt(total)


@compiled
def _smallest_pivot(factor: NDArray[np.float64]) -> float:
    smallest = np.inf
    for place in range(len(factor)):
        smallest = min(smallest, abs(factor[place, place]))
    return smallest


@compiled
def _move(
    allowed: NDArray[np.float64],  # (2, n_clips)
    outside: NDArray[np.bool_],  # (n_clips,)
    target: NDArray[np.float64],  # (n_clips,)
    signed: NDArray[np.float64],  # (n_clips,)
    is_moved: NDArray[np.bool_],  # (n_clips,), changed
    limits: NDArray[np.float64],  # (n_clips,), changed
    last_alone: bool,
) -> None:
    """Move every clip that breaks its condition, or the last of them alone."""
    for clip in range(len(target) - 1, -1, -1):
        if target[clip] * signed[clip] < limits[clip]:
            is_moved[clip] = not is_moved[clip]
            limits[clip] = allowed[np.intp(outside[clip] != is_moved[clip]), clip]
            if last_alone:
                return


@compiled
def _follow(
    tableau: NDArray[np.float64],  # (n_clips, n_clips)
    target: NDArray[np.float64],  # (n_clips,)
    start: NDArray[np.float64],  # (n_clips,), s for p = 0
    outside: NDArray[np.bool_],  # (n_clips,)
    first: int,
    last: int,
    is_moved: NDArray[np.bool_],  # (n_clips,), written
) -> None:
    """Write who changes sides while beta of the held-out clips goes to 0."""
    signed, rates = start.copy(), np.zeros(len(start))
    for clip in range(first, last):
        rates[clip] = start[clip]
    follow(tableau, target, outside, rates, first, last, signed, is_moved)


@compiled
def _limits_of(
    allowed: NDArray[np.float64],  # (2, n_clips)
    outside: NDArray[np.bool_],  # (n_clips,)
    first: int,
    last: int,
) -> NDArray[np.float64]:
    """Return the values of y s below which a condition is broken, (n_clips,)."""
    limits = np.empty(len(outside))
    for clip in range(len(outside)):
        limits[clip] = allowed[np.intp(outside[clip]), clip]
    for clip in range(first, last):
        limits[clip] = -np.inf
    return limits


@compiled
def _write(
    target: NDArray[np.float64],  # (n_clips,)
    signed: NDArray[np.float64],  # (n_clips,), changed
    outside: NDArray[np.bool_],  # (n_clips,)
    is_moved: NDArray[np.bool_],  # (n_clips,)
    fold: NDArray[np.int64],  # (2,)
    norms: NDArray[np.float64],  # (n_clips,)
    bounds: NDArray[np.float64],  # (n_clips,)
    decisions: NDArray[np.float64],  # (n_clips,), those of the fold are written
    reach: NDArray[np.float64],  # (n_clips,), those of the fold are written
    dual: NDArray[np.float64],  # (n_clips,), written; or empty
) -> None:
    for clip in range(fold[0], fold[1]):
        decisions[clip] = target[clip] + signed[clip]
        signed[clip] = 0.0
    for clip in range(len(signed)):  # leave beta of the support vectors
        signed[clip] *= outside[clip] == is_moved[clip]
    for clip in range(len(dual)):
        dual[clip] = signed[clip]
    length = measure_length(signed, norms)
    for clip in range(fold[0], fold[1]):
        reach[clip] = bounds[clip] * length


@compiled
def _refine(
    kernel: NDArray[np.float64],  # (n_clips, n_clips)
    tableau: NDArray[np.float64],  # (n_clips, n_clips)
    target: NDArray[np.float64],  # (n_clips,)
    outside: NDArray[np.bool_],  # (n_clips,)
    is_moved: NDArray[np.bool_],  # (n_clips,)
    moved: NDArray[np.int64],  # (n_moved,), D
    factor: NDArray[np.float64],  # (n_moved, n_moved), of factorise
    signed: NDArray[np.float64],  # (n_clips,), s; improved
) -> bool:
    """Improve s until K beta = y on the support vectors, to rounding.

    Returns
    -------
    bool
        Whether that was reached.
    """
    rest, change = np.empty(len(target)), np.empty(len(target))
    former = np.inf
    for _ in range(_MOST_REFINEMENTS):
        size = _take_rest(kernel, target, outside, is_moved, signed, rest)
        if size <= _PRECISE or not size < 0.5 * former:
            return size <= _NEARLY_PRECISE
        former = size
        for clip in range(len(target)):
            change[clip] = 0.0
        for clip in range(len(target)):
            if outside[clip]:
                change[clip] -= rest[clip]
            elif rest[clip] != 0.0:
                subtract(change, -rest[clip], tableau[clip])
        _exchange(tableau, outside, moved, factor, change)
        for clip in range(len(target)):
            if outside[clip] == is_moved[clip]:
                signed[clip] += change[clip]
    return _take_rest(kernel, target, outside, is_moved, signed, rest) <= _NEARLY_PRECISE


@compiled
def _take_rest(
    kernel: NDArray[np.float64],  # (n_clips, n_clips), K
    target: NDArray[np.float64],  # (n_clips,)
    outside: NDArray[np.bool_],  # (n_clips,)
    is_moved: NDArray[np.bool_],  # (n_clips,)
    signed: NDArray[np.float64],  # (n_clips,), s; written where there is no support vector
    rest: NDArray[np.float64],  # (n_clips,), written: y - K beta on the support vectors
) -> float:
    """Return the largest of what is left."""
    for clip in range(len(target)):
        rest[clip] = target[clip]
    for clip in range(len(target)):
        if outside[clip] == is_moved[clip]:
            subtract(rest, signed[clip], kernel[clip])
    largest = 0.0
    for clip in range(len(target)):
        if outside[clip] != is_moved[clip]:
            signed[clip] = -rest[clip]
            rest[clip] = 0.0
        if not abs(rest[clip]) <= largest:
            largest = abs(rest[clip])
    return largest


@compiled
def _exchange(
    tableau: NDArray[np.float64],  # (n_clips, n_clips)
    outside: NDArray[np.bool_],  # (n_clips,)
    moved: NDArray[np.int64],  # (n_moved,), D
    factor: NDArray[np.float64],  # (n_moved, n_moved), of factorise
    signed: NDArray[np.float64],  # (n_clips,), s for p = 0; s with the pairs of D exchanged
) -> None:
    solution = np.empty(len(moved))
    for place in range(len(moved)):
        solution[place] = signed[moved[place]]
    substitute(factor, solution)
    for place in range(len(moved)):
        subtract(signed, solution[place], tableau[moved[place]])
    for place in range(len(moved)):  # of a moved clip the other one of the pair, as s has it
        clip = moved[place]
        signed[clip] = solution[place] if outside[clip] else -solution[place]

"""One clip after the other, on the path from a machine that is solved to one that is not.

Right-hand sides that change at constant rates change s at constant rates, until a clip reaches
the border of its condition and changes sides. At the end of the path all conditions hold, after
little more changes than are needed, where blocks of pivots may go round in circles
(Cottle: Monotone solutions of the parametric linear complementarity problem, Mathematical
Programming 3, 1972, doi:10.1007/BF01584991). ``docs/engine.md``, step 3, says where paths begin.
"""

import numpy as np
from numpy.typing import NDArray

from merec_hpc.kernels.blocks import subtract
from merec_hpc.kernels.compiled import compiled
from merec_hpc.kernels.tableau import substitute

_MOST_CHANGES = 8  # for each clip: more are rounding, which goes to and fro


@compiled
def follow(
    tableau: NDArray[np.float64],  # (n_clips, n_clips), R
    target: NDArray[np.float64],  # (n_clips,)
    outside: NDArray[np.bool_],  # (n_clips,)
    rates: NDArray[
        np.float64
    ],  # (n_clips,), of s for p = 0; of the held-out ones in S, s at the end
    first: int,  # clips first..last are held out
    last: int,
    signed: NDArray[np.float64],  # (n_clips,), s at the start, where all conditions hold; changed
    is_moved: NDArray[np.bool_],  # (n_clips,), written
) -> None:
    """Write the clips that have changed sides at the end of the path."""
    n_clips = len(target)
    factor, slopes = np.empty((n_clips, n_clips)), np.empty(n_clips)
    moved, n_moved, left = np.empty(n_clips, np.int64), 0, 1.0
    for clip in range(n_clips):
        is_moved[clip] = first <= clip < last and not outside[clip]
        if is_moved[clip]:
            moved[n_moved] = clip
            n_moved += 1
            _extend(tableau, moved, n_moved, factor)
    for _ in range(_MOST_CHANGES * n_clips):
        _fill_slopes(tableau, outside, rates, moved[:n_moved], factor[:n_moved, :n_moved], slopes)
        step, changed = _next_border(target, signed, slopes, first, last, left)
        for clip in range(n_clips):
            signed[clip] += step * slopes[clip]
        if changed < 0:
            return
        left -= step
        signed[changed] = 0.0
        n_moved = _toggle(tableau, changed, moved, n_moved, factor)
        is_moved[changed] = not is_moved[changed]


@compiled
def _fill_slopes(
    tableau: NDArray[np.float64],  # (n_clips, n_clips)
    outside: NDArray[np.bool_],  # (n_clips,)
    rates: NDArray[np.float64],  # (n_clips,)
    moved: NDArray[np.int64],  # (n_moved,), D
    factor: NDArray[np.float64],  # (n_moved, n_moved), of R_DD
    slopes: NDArray[
        np.float64
    ],  # (n_clips,), written: the rates of s with the pairs of D exchanged
) -> None:
    solution = np.empty(len(moved))
    for clip in range(len(rates)):
        slopes[clip] = rates[clip]
    for place in range(len(moved)):
        solution[place] = rates[moved[place]]
    substitute(factor, solution)
    for place in range(len(moved)):
        subtract(slopes, solution[place], tableau[moved[place]])
    for place in range(len(moved)):
        clip = moved[place]
        slopes[clip] = solution[place] if outside[clip] else -solution[place]


@compiled
def _next_border(
    target: NDArray[np.float64],  # (n_clips,)
    signed: NDArray[np.float64],  # (n_clips,)
    slopes: NDArray[np.float64],  # (n_clips,)
    first: int,
    last: int,
    left: float,  # of the path
) -> tuple[float, int]:
    """Return how far it is to the next clip that changes sides, and which: -1 at the end."""
    step, changed = left, -1
    for clip in range(len(target)):
        value, slope = target[clip] * signed[clip], target[clip] * slopes[clip]
        if value + step * slope < 0 and slope < 0 and not first <= clip < last:
            step, changed = max(-value / slope, 0.0), clip
    return step, changed


@compiled
def _toggle(
    tableau: NDArray[np.float64],  # (n_clips, n_clips)
    changed: int,
    moved: NDArray[np.int64],  # (n_clips,), the first n_moved count; changed
    n_moved: int,
    factor: NDArray[np.float64],  # (n_clips, n_clips), changed
) -> int:
    """Let a clip join D, or leave it; return how many D has."""
    place = 0
    while place < n_moved and moved[place] != changed:
        place += 1
    if place == n_moved:
        moved[n_moved] = changed
        _extend(tableau, moved, n_moved + 1, factor)
        return n_moved + 1
    for later in range(place + 1, n_moved):
        moved[later - 1] = moved[later]
        _extend(tableau, moved, later, factor)
    return n_moved - 1


@compiled
def _extend(
    tableau: NDArray[np.float64],  # (n_clips, n_clips)
    moved: NDArray[np.int64],  # (n_moved or more,)
    n_moved: int,
    factor: NDArray[np.float64],  # (n_clips, n_clips), its last column is written
) -> None:
    """Let the last clip of D join the factor, which is as that of ``factorise``."""
    column, source = np.empty(n_moved), tableau[moved[n_moved - 1]]
    for place in range(n_moved):
        column[place] = source[moved[place]]
    for k in range(n_moved - 1):
        pivot, share = factor[k], column[k] / factor[k, k]
        pivot[n_moved - 1] = column[k]
        for row in range(k + 1, n_moved):
            column[row] -= share * pivot[row]
    factor[n_moved - 1, n_moved - 1] = column[n_moved - 1]

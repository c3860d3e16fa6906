"""The support set of a machine that is trained on all clips.

By block principal pivoting (Judice, Pires 1994, doi:10.1016/0305-0548(94)90106-6), which falls
back to single pivots; those might take long, and what is not settled soon is solved slowly (``docs/engine.md``, step 3).
"""

import numpy as np
from numpy.typing import NDArray

from merec_hpc.kernels.blocks import (
    negative,
    part,
    places_of,
    product,
    put,
    span,
    subtract,
    subtract_from,
    transposed,
)
from merec_hpc.kernels.compiled import compiled
from merec_hpc.kernels.inverse import invert
from merec_hpc.kernels.path import follow

N_BLOCK_PIVOTS = 5  # without progress, before single pivots begin, where there is no path
PATIENCE = 1  # rounds without progress, before a path is followed
MOST_ROUNDS = 50
SLACK = 1e-10
"""Of the machine's largest beta: what a condition may lack, and in margins, times the ridge."""
ROUNDING = 2.0**-50
SOLVED, UNSETTLED, IMPRECISE = 0, 1, 2
"""Unsettled: the rounds ran out before all conditions held. Imprecise: K is too ill-conditioned
for double precision."""


@compiled
def settle_all(
    kernel: NDArray[np.float64],  # (n_clips, n_clips), K
    inverse: NDArray[np.float64],  # (n_clips, n_clips), M
    target: NDArray[np.float64],  # (n_clips,)
    start: NDArray[np.float64],  # (n_clips,), M y
    outside: NDArray[np.bool_],  # (n_clips,), all False; those outside S, written
    signed: NDArray[np.float64],  # (n_clips,), written: s, that is beta on S and -z outside
    slacks: NDArray[np.float64],  # (2, n_clips), of ``fill_slacks``
) -> tuple[int, NDArray[np.int64], NDArray[np.float64]]:
    """Find the support set of the machine that is trained on all clips.

    Returns
    -------
    tuple
        ``SOLVED``, ``UNSETTLED`` or ``IMPRECISE``, the core (the clips outside S, or those of
        S if they are few), and the inverse of the core's block of M, or of K.
    """
    n_clips = len(target)
    limits = np.empty(n_clips)
    for clip in range(n_clips):
        signed[clip] = start[clip]
    core, core_inverse = np.empty(0, np.int64), np.empty((0, 0))
    fewest, patience = n_clips + 1, PATIENCE
    for _ in range(MOST_ROUNDS):
        largest = largest_dual(signed, outside)
        for clip in range(n_clips):
            limits[clip] = -largest * slacks[np.intp(outside[clip]), clip]
        n_wrong = count_below(target, signed, limits)
        if n_wrong == 0:
            return SOLVED, core, core_inverse
        patience = PATIENCE if n_wrong < fewest and patience >= 0 else patience - 1
        fewest = min(fewest, n_wrong)
        if patience == -1:
            _follow(inverse, target, start, outside)
        else:
            _change_sides(target, signed, limits, outside, patience < 0)
        if is_by_support(outside):
            wanted = places_of(outside, False)
            is_definite, core, core_inverse = _invert_core(kernel, core, core_inverse, wanted)
            _exchange(kernel, target, core, core_inverse, outside, signed)
        else:
            wanted = places_of(outside, True)
            is_definite, core, core_inverse = _invert_core(inverse, core, core_inverse, wanted)
            _exchange(inverse, start, core, core_inverse, outside, signed)
        if not is_definite:
            return IMPRECISE, core, core_inverse
    return UNSETTLED, core, core_inverse


@compiled
def _follow(
    inverse: NDArray[np.float64],  # (n_clips, n_clips), M
    target: NDArray[np.float64],  # (n_clips,)
    start: NDArray[np.float64],  # (n_clips,), M y
    outside: NDArray[np.bool_],  # (n_clips,), written
) -> None:
    """Write who is outside at the end of a path that begins where all are support vectors."""
    signed, largest = start.copy(), 0.0
    for clip in range(len(start)):
        largest = max(largest, abs(start[clip]))
    for clip in range(len(start)):
        if target[clip] * start[clip] < 0:
            signed[clip] = target[clip] * largest
    nobody = np.zeros(len(start), np.bool_)
    follow(inverse, target, nobody, start - signed, 0, 0, signed, outside)


@compiled
def _change_sides(
    target: NDArray[np.float64],  # (n_clips,)
    signed: NDArray[np.float64],  # (n_clips,), s
    limits: NDArray[np.float64],  # (n_clips,), least y s
    outside: NDArray[np.bool_],  # (n_clips,), changed
    last_alone: bool,
) -> None:
    """Let every clip that breaks its condition change sides, or the last of them alone."""
    for clip in range(len(target) - 1, -1, -1):
        if target[clip] * signed[clip] < limits[clip]:
            outside[clip] = not outside[clip]
            if last_alone:
                return


@compiled
def _exchange(
    matrix: NDArray[np.float64],  # (n_clips, n_clips), K or M
    right: NDArray[np.float64],  # (n_clips,), y or M y
    core: NDArray[np.int64],  # (n_core,)
    core_inverse: NDArray[np.float64],  # (n_core, n_core)
    outside: NDArray[np.bool_],  # (n_clips,)
    signed: NDArray[np.float64],  # (n_clips,), written: s
) -> None:
    for clip in range(len(signed)):
        signed[clip] = right[clip]
    solution = np.zeros(len(core))
    for i in range(len(core)):
        subtract(solution, -right[core[i]], core_inverse[i])
    for i in range(len(core)):
        subtract(signed, solution[i], matrix[core[i]])
    for i in range(len(core)):
        signed[core[i]] = solution[i]
    for clip in range(len(signed)):
        if outside[clip]:
            signed[clip] = -signed[clip]


@compiled
def is_by_support(outside: NDArray[np.bool_]) -> bool:
    """Return whether the core is the support set: it is if most clips are outside."""
    return 2 * len(places_of(outside, True)) > len(outside)


@compiled
def largest_dual(signed: NDArray[np.float64], outside: NDArray[np.bool_]) -> float:
    """Return the largest |beta| of the support vectors."""
    largest = 0.0
    for clip in range(len(signed)):
        if not outside[clip]:
            largest = max(largest, abs(signed[clip]))
    return largest


@compiled
def fill_slacks(
    kernel: NDArray[np.float64],  # (n_clips, n_clips), K
    inverse: NDArray[np.float64],  # (n_clips, n_clips), M
    ridges: NDArray[np.float64],  # (n_clips,), 1 / (2 C) of each clip
    slacks: NDArray[np.float64],  # (2, n_clips), written
) -> None:
    """Write how negative y beta of a support vector, and -y z of another clip, may be.

    In units of the machine's largest beta, which is what a clip's margin lacks, over its ridge:
    where a machine nearly interpolates, all that it lacks is tiny. The slack covers rounding
    as well, without which a clip on the border would be pivoted for ever.
    """
    for clip in range(len(ridges)):
        scale = kernel[clip, clip]
        slacks[0, clip] = SLACK + ROUNDING * scale * inverse[clip, clip]
        slacks[1, clip] = SLACK * ridges[clip] + ROUNDING * scale


@compiled
def _invert_core(
    matrix: NDArray[np.float64],  # (n_clips, n_clips)
    core: NDArray[np.int64],  # (n_core,), as it was
    core_inverse: NDArray[np.float64],  # (n_core, n_core), its inverse
    wanted: NDArray[np.int64],  # (n_wanted,), as it is to be, ascending
) -> tuple[bool, NDArray[np.int64], NDArray[np.float64]]:
    """Return the core and the inverse of its block: if it is definite, as far as one can tell."""
    is_definite, changed, inverse = _change_core(matrix, core, core_inverse, wanted)
    if is_definite:
        return True, changed, inverse
    fresh = part(matrix, wanted, wanted)  # changes may have piled up rounding
    return invert(fresh), wanted, fresh


@compiled
def _change_core(
    matrix: NDArray[np.float64],  # (n_clips, n_clips)
    core: NDArray[np.int64],  # (n_core,)
    core_inverse: NDArray[np.float64],  # (n_core, n_core)
    wanted: NDArray[np.int64],  # (n_wanted,)
) -> tuple[bool, NDArray[np.int64], NDArray[np.float64]]:
    """Do as ``_invert_core``, by the inverse that is there where few clips come and go."""
    is_wanted, is_old = np.zeros(len(matrix), np.bool_), np.zeros(len(matrix), np.bool_)
    for clip in wanted:
        is_wanted[clip] = True
    is_kept, n_kept = np.empty(len(core), np.bool_), 0
    for i in range(len(core)):
        is_old[core[i]] = True
        is_kept[i] = is_wanted[core[i]]
        n_kept += is_kept[i]
    if 2 * n_kept < len(wanted) or 2 * n_kept < len(core):
        fresh = part(matrix, wanted, wanted)
        return invert(fresh), wanted, fresh
    is_definite = True
    if n_kept < len(core):
        is_definite, core_inverse = _shrink(core_inverse, is_kept)
    grown = np.empty(len(wanted), np.int64)
    n_grown = 0
    for i in range(len(core)):
        if is_kept[i]:
            grown[n_grown] = core[i]
            n_grown += 1
    for clip in wanted:
        if not is_old[clip]:
            grown[n_grown] = clip
            n_grown += 1
    if n_kept < len(wanted):
        grew, core_inverse = _grow(matrix, grown[:n_kept], core_inverse, grown[n_kept:])
        is_definite &= grew
    return is_definite, grown, core_inverse


@compiled
def _shrink(
    core_inverse: NDArray[np.float64],  # (n_core, n_core)
    is_kept: NDArray[np.bool_],  # (n_core,)
) -> tuple[bool, NDArray[np.float64]]:
    """Return the inverse of the kept clips' block."""
    kept, left = places_of(is_kept, True), places_of(is_kept, False)
    shrunk, beside = part(core_inverse, kept, kept), part(core_inverse, left, kept)
    block = part(core_inverse, left, left)
    is_definite = invert(block)
    subtract_from(shrunk, product(transposed(beside), product(block, beside)))
    return is_definite, shrunk


@compiled
def _grow(
    matrix: NDArray[np.float64],  # (n_clips, n_clips)
    core: NDArray[np.int64],  # (n_core,)
    core_inverse: NDArray[np.float64],  # (n_core, n_core)
    added: NDArray[np.int64],  # (n_added,)
) -> tuple[bool, NDArray[np.float64]]:
    """Return the inverse of the block of the core and the added clips."""
    beside, block = part(matrix, added, core), part(matrix, added, added)
    ratio = product(beside, core_inverse)
    subtract_from(block, product(ratio, transposed(beside)))
    is_definite = invert(block)
    across = product(block, ratio)
    n_core, n_grown = len(core), len(core) + len(added)
    upper, lower = span(0, n_core), span(n_core, n_grown)
    grown = np.empty((n_grown, n_grown))
    rest = product(negative(transposed(ratio)), across)
    subtract_from(rest, core_inverse)
    put(grown, upper, upper, -1.0, rest)
    put(grown, lower, upper, -1.0, across)
    put(grown, upper, lower, -1.0, transposed(across))
    put(grown, lower, lower, 1.0, block)
    return is_definite, grown


@compiled
def count_below(
    target: NDArray[np.float64],  # (n_clips,)
    signed: NDArray[np.float64],  # (n_clips,)
    limits: NDArray[np.float64],  # (n_clips,)
) -> int:
    """Count the clips whose y s is below its limit."""
    count = 0
    for clip in range(len(target)):
        count += target[clip] * signed[clip] < limits[clip]
    return count

"""The support set of a machine that is trained on all clips.

By block principal pivoting (Judice, Pires 1994, doi:10.1016/0305-0548(94)90106-6), which ends
for any positive definite K, since it falls back to single pivots.
"""

import numpy as np
from numpy.typing import NDArray

from merec_hpc.kernels.compiled import compiled
from merec_hpc.kernels.inverse import invert
from merec_hpc.kernels.tableau import pick, subtract

N_BLOCK_PIVOTS = 5  # without progress, before single pivots begin
MOST_PIVOTS_PER_CLIP = 20
SLACK = 1e-11


@compiled
def settle_all(
    kernel: NDArray[np.float64],  # (n_clips, n_clips), K
    inverse: NDArray[np.float64],  # (n_clips, n_clips), M
    target: NDArray[np.float64],  # (n_clips,)
    dual: NDArray[np.float64],  # (n_clips,), M y
    outside: NDArray[np.bool_],  # (n_clips,), all False; those outside S, written
    values: NDArray[np.float64],  # (n_clips,), written: s, that is beta on S and -z outside
) -> tuple[bool, NDArray[np.int64], NDArray[np.float64]]:
    """Find the support set of the machine that is trained on all clips.

    Returns
    -------
    tuple
        Whether all conditions hold, the core (the clips outside S, or those of S if they are
        few), and the inverse of the core's block of M, or of K.
    """
    n_clips = len(target)
    values[:] = dual
    core, small = np.empty(0, np.int64), np.empty((0, 0))
    fewest, patience = n_clips + 1, N_BLOCK_PIVOTS
    for _ in range(MOST_PIVOTS_PER_CLIP * n_clips):
        n_wrong, last = 0, -1
        for clip in range(n_clips):
            if _is_wrong(target[clip] * values[clip], inverse[clip, clip], outside[clip]):
                n_wrong += 1
                last = clip
        if n_wrong == 0:
            return True, core, small
        patience = N_BLOCK_PIVOTS if n_wrong < fewest else patience - 1
        fewest = min(fewest, n_wrong)
        first = 0 if patience >= 0 else last  # a block of pivots, or the last one alone
        for clip in range(first, n_clips):
            if _is_wrong(target[clip] * values[clip], inverse[clip, clip], outside[clip]):
                outside[clip] = not outside[clip]
        by_support = is_by_support(outside)
        matrix, right = (kernel, target) if by_support else (inverse, dual)
        is_definite, core, small = _invert_core(matrix, core, small, outside != by_support)
        if not is_definite:
            break
        _exchange(matrix, right, core, small @ right[core], outside, values)
    return False, core, small


@compiled
def _exchange(
    matrix: NDArray[np.float64],  # (n_clips, n_clips), K or M
    right: NDArray[np.float64],  # (n_clips,), y or M y
    core: NDArray[np.int64],  # (n_core,)
    solution: NDArray[np.float64],  # (n_core,), beta or z of the core
    outside: NDArray[np.bool_],  # (n_clips,)
    values: NDArray[np.float64],  # (n_clips,), written: s
) -> None:
    values[:] = right
    for i in range(len(core)):
        subtract(values, solution[i], matrix[core[i]])
    values[core] = solution
    for clip in range(len(values)):
        if outside[clip]:
            values[clip] = -values[clip]


@compiled
def is_by_support(outside: NDArray[np.bool_]) -> bool:
    """Return whether the core is the support set: it is if two thirds of the clips are outside."""
    return 3 * outside.sum() > 2 * len(outside)


@compiled
def _is_wrong(signed: float, scale: float, is_residual: bool) -> bool:
    """Return whether -y z (a residual) or y beta (of the order of scale) is negative.

    The slack covers rounding only: without it a clip on the border would be pivoted for ever.
    """
    return signed < (-SLACK if is_residual else -SLACK * scale)


@compiled
def _invert_core(
    matrix: NDArray[np.float64],  # (n_clips, n_clips)
    core: NDArray[np.int64],  # (n_core,), as it was
    small: NDArray[np.float64],  # (n_core, n_core), its inverse
    is_core: NDArray[np.bool_],  # (n_clips,)
) -> tuple[bool, NDArray[np.int64], NDArray[np.float64]]:
    """Return the core and the inverse of its block, changed where few clips come and go."""
    n_kept = is_core[core].sum()
    if 2 * n_kept < is_core.sum() or 2 * n_kept < len(core):
        core = np.flatnonzero(is_core)
        small = np.empty((len(core), len(core)))
        for i in range(len(core)):
            pick(matrix[core[i]], core, small[i])
        return invert(small), core, small
    is_definite = True
    if n_kept < len(core):
        is_definite, small = _shrink(small, is_core[core])
        core = core[is_core[core]]
    is_added = is_core.copy()
    is_added[core] = False
    added = np.flatnonzero(is_added)
    if len(added):
        grew, small = _grow(matrix, core, small, added)
        is_definite &= grew
        core = np.concatenate((core, added))
    return is_definite, core, small


@compiled
def _shrink(
    small: NDArray[np.float64],  # (n_core, n_core)
    is_kept: NDArray[np.bool_],  # (n_core,)
) -> tuple[bool, NDArray[np.float64]]:
    """Return the inverse of the kept clips' block."""
    kept, left = np.flatnonzero(is_kept), np.flatnonzero(~is_kept)
    shrunk = np.empty((len(kept), len(kept)))
    beside = np.empty((len(left), len(kept)))
    block = np.empty((len(left), len(left)))
    for i in range(len(kept)):
        pick(small[kept[i]], kept, shrunk[i])
    for i in range(len(left)):
        pick(small[left[i]], kept, beside[i])
        pick(small[left[i]], left, block[i])
    is_definite = invert(block)
    shrunk -= beside.T @ (block @ beside)
    return is_definite, shrunk


@compiled
def _grow(
    matrix: NDArray[np.float64],  # (n_clips, n_clips)
    core: NDArray[np.int64],  # (n_core,)
    small: NDArray[np.float64],  # (n_core, n_core)
    added: NDArray[np.int64],  # (n_added,)
) -> tuple[bool, NDArray[np.float64]]:
    """Return the inverse of the block of the core and the added clips."""
    n_core = len(core)
    beside = np.empty((len(added), n_core))
    block = np.empty((len(added), len(added)))
    for i in range(len(added)):
        pick(matrix[added[i]], core, beside[i])
        pick(matrix[added[i]], added, block[i])
    ratio = beside @ small
    block -= ratio @ beside.T
    is_definite = invert(block)
    across = block @ ratio
    grown = np.empty((n_core + len(added), n_core + len(added)))
    grown[:n_core, :n_core] = small + ratio.T @ across
    grown[n_core:, :n_core] = -across
    grown[:n_core, n_core:] = -across.T
    grown[n_core:, n_core:] = block
    return is_definite, grown


@compiled
def count_below(
    target: NDArray[np.float64],  # (n_clips,)
    values: NDArray[np.float64],  # (n_clips,)
    limits: NDArray[np.float64],  # (n_clips,)
) -> int:
    """Count the clips whose y s is below its limit."""
    count = 0
    for clip in range(len(target)):
        count += target[clip] * values[clip] < limits[clip]
    return count

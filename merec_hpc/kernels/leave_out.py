"""Linear SVMs with each subject left out, from one inverse of one Gram matrix.

For L2-loss the dual of an SVM on the clips T is, with K = G + diag(1 / (2 C)), one linear
system on its support vectors S: beta_S = K_SS^-1 y_S, beta = 0 elsewhere, where
y_i beta_i >= 0 on S and y_i f_i >= 1 on the clips of T outside S (f = G beta). Held out or
no support vector is the same to the algebra.

Every machine is solved on all clips first. Where all clips are support vectors (d >> n), the
folds of all machines share M = K^-1 and one small inverse a fold; else the machine has its
own tableau, by way of the clips outside S, or of S where it is less than half.
``docs/engine.md`` derives all of this, with an example of six clips.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from merec_hpc.kernels.blocks import (
    frobenius,
    part,
    places_of,
    product,
    span,
    subtract_from,
    trace,
)
from merec_hpc.kernels.compiled import compiled
from merec_hpc.kernels.fold import leave_fold_out, measure_length
from merec_hpc.kernels.inverse import invert, invert_carefully, mirror
from merec_hpc.kernels.pivoting import (
    IMPRECISE,
    SOLVED,
    count_below,
    fill_slacks,
    is_by_support,
    largest_dual,
    settle_all,
)
from merec_hpc.kernels.tableau import fill_start, fill_tableau

_ILL_CONDITIONED = 2.0**23
_BLOCKWISE = 3e5
_TOLERANCE = 1e-8  # of a decision, in units of a margin


class _Shared(NamedTuple):
    """What all machines under one kernel matrix share."""

    kernel: NDArray[np.float64]  # (n_clips, n_clips), K
    inverse: NDArray[np.float64]  # (n_clips, n_clips), M
    slacks: NDArray[np.float64]  # (2, n_clips), of ``fill_slacks``
    norms: NDArray[np.float64]  # (n_clips,), g: sqrt(G_ii), and room for rounding
    bounds: NDArray[np.float64]  # (n_clips,), of |g a| of a held-out clip
    least_pivot: float
    """Of a small system: pivots below it call for a refinement."""


@compiled
def leave_folds_out(
    gram: NDArray[np.float64],  # (n_clips or more, n_clips or more), upper triangle
    shifts: NDArray[np.float64],  # (n_clips,), to be added to its rows and columns
    ridges: NDArray[np.float64],  # (n_clips,), 1 / (2 C) of each clip
    targets: NDArray[np.float64],  # (n_machines, n_clips), +1 or -1
    edges: NDArray[np.int64],  # (n_folds + 1,), first clip of each fold, then the end
    decisions: NDArray[np.float64],  # (n_machines, n_clips), those of the folds are written
    reach: NDArray[np.float64],  # (n_machines, n_clips), those of the folds are written
    duals: NDArray[np.float64],  # (n_machines, n_folds, n_clips), beta, written; or empty
    stiffness: NDArray[np.float64],  # (1,), written: |M|, or more
    is_quick: bool,  # whether the Gram matrix has such errors as below
) -> int:
    """Write the decision values of every clip by the SVM that never saw its fold.

    If the Gram matrix has errors e_ij g_i g_j, where g_i is the root of G_ii, a decision's error
    is the sum of e_ij g_i a_i g_j beta_j, where a_i is what the held-out clip v takes from clip i,
    and -1 for itself. ``reach`` is an upper bound of |g a| |g beta|: a'Ka is what of K_vv the
    support vectors do not explain, and |a|^2 <= a'Ka |M|. Where errors of 2^-24 might change M by
    more than half, reach is infinite.

    Returns
    -------
    int
        ``SOLVED``, ``UNSETTLED`` or ``IMPRECISE``.
    """
    n_machines, n_clips = targets.shape
    is_definite, shared, start = _share(gram, shifts, ridges, targets, stiffness)
    if not is_definite or (is_quick and not shared.bounds[0] < np.inf):
        return IMPRECISE
    signed, tableau = np.empty(n_clips), np.empty((n_clips, n_clips))
    is_whole, worst = np.zeros(n_machines, np.bool_), SOLVED
    for machine in range(n_machines):
        target, outside = targets[machine], np.zeros(n_clips, np.bool_)
        state, core, core_inverse = settle_all(
            shared.kernel, shared.inverse, target, start[machine], outside, signed, shared.slacks
        )
        if state == IMPRECISE:
            if len(duals) == 0:
                return IMPRECISE
            worst = IMPRECISE  # beta of this machine alone is not written
            continue
        is_whole[machine] = len(core) == 0
        if not is_whole[machine]:
            _fill_tableau_of(shared, outside, core, core_inverse, tableau)
            fill_start(tableau, target, outside, start[machine])
            allowed = -largest_dual(signed, outside) * shared.slacks
            state = _leave_each_out(
                shared, tableau, target, start[machine], outside, edges, allowed, machine,
                decisions[machine], reach[machine], duals,
            )  # fmt: skip
            worst = max(worst, state)
    machines = places_of(is_whole, True)
    state = _leave_folds_out_together(
        shared, targets, start, machines, edges, decisions, reach, duals
    )
    return max(worst, state)


@compiled
def _share(
    gram: NDArray[np.float64],  # (n_clips or more, n_clips or more), upper triangle
    shifts: NDArray[np.float64],  # (n_clips,)
    ridges: NDArray[np.float64],  # (n_clips,)
    targets: NDArray[np.float64],  # (n_machines, n_clips)
    stiffness: NDArray[np.float64],  # (1,), written if K is positive definite
) -> tuple[bool, _Shared, NDArray[np.float64]]:
    """Return whether K is positive definite, what machines share, and M y, (n_machines, n_clips)."""
    n_clips = len(ridges)
    kernel, inverse = np.empty((n_clips, n_clips)), np.empty((n_clips, n_clips))
    slacks, norms, bounds = np.empty((2, n_clips)), np.empty(n_clips), np.empty(n_clips)
    if not _fill_kernel(gram, shifts, ridges, kernel, inverse):
        return False, _Shared(kernel, inverse, slacks, norms, bounds, np.inf), targets
    stiffness[0] = frobenius(inverse)
    _fill_bounds(gram, kernel, stiffness[0], norms, bounds)
    fill_slacks(kernel, inverse, ridges, slacks)
    start = product(targets, inverse)
    # A fold divides by a block of M: its pivots must be far above the errors of M y.
    least_pivot = _error_of(kernel, inverse, targets, start) / _TOLERANCE
    return True, _Shared(kernel, inverse, slacks, norms, bounds, least_pivot), start


@compiled
def _fill_bounds(
    gram: NDArray[np.float64],  # (n_clips or more, n_clips or more)
    kernel: NDArray[np.float64],  # (n_clips, n_clips)
    stiffness: float,  # |M|, or more
    norms: NDArray[np.float64],  # (n_clips,), written: g
    bounds: NDArray[np.float64],  # (n_clips,), written: of |g a|
) -> None:
    total = 0.0
    for clip in range(len(norms)):
        # Double precision, too, rounds: sums of K_ii, and the inverse.
        norms[clip] = np.sqrt(gram[clip, clip] + 2.0**-23 * kernel[clip, clip])
        total += norms[clip] ** 2
    largest = norms.max()
    for clip in range(len(norms)):
        bounds[clip] = largest * np.sqrt(stiffness * kernel[clip, clip])
        if stiffness * total > _ILL_CONDITIONED:
            bounds[clip] = np.inf


@compiled
def _fill_tableau_of(
    shared: _Shared,
    outside: NDArray[np.bool_],  # (n_clips,)
    core: NDArray[np.int64],  # (n_core,)
    core_inverse: NDArray[np.float64],  # (n_core, n_core)
    tableau: NDArray[np.float64],  # (n_clips, n_clips), written
) -> None:
    """Write R by the shorter way: from K if the core is the support set, else from M."""
    if is_by_support(outside):
        fill_tableau(shared.kernel, -1.0, core, core_inverse, tableau)
    else:
        fill_tableau(shared.inverse, 1.0, core, core_inverse, tableau)


@compiled
def _leave_each_out(
    shared: _Shared,
    tableau: NDArray[np.float64],  # (n_clips, n_clips), R
    target: NDArray[np.float64],  # (n_clips,)
    start: NDArray[np.float64],  # (n_clips,), s for p = 0
    outside: NDArray[np.bool_],  # (n_clips,)
    edges: NDArray[np.int64],  # (n_folds + 1,)
    allowed: NDArray[np.float64],  # (2, n_clips), least y s of a support vector, of others
    machine: int,
    decisions: NDArray[np.float64],  # (n_clips,), those of the folds are written
    reach: NDArray[np.float64],  # (n_clips,), those of the folds are written
    duals: NDArray[np.float64],  # (n_machines, n_folds, n_clips), the machine's are written
) -> int:
    """Leave each fold out of one machine that has a tableau of its own."""
    kernel, _, _, norms, bounds, least_pivot = shared
    worst, nothing = SOLVED, np.empty(0)
    for fold in range(len(edges) - 1):
        state = leave_fold_out(
            kernel, tableau, target, start, outside, edges[fold : fold + 2], allowed,
            norms, bounds, least_pivot, decisions, reach,
            duals[machine, fold] if len(duals) else nothing,
        )  # fmt: skip
        worst = max(worst, state)
    return worst


@compiled
def leave_nothing_out(
    gram: NDArray[np.float64],  # (n_clips, n_clips), upper triangle
    ridges: NDArray[np.float64],  # (n_clips,), 1 / (2 C) of each clip
    targets: NDArray[np.float64],  # (n_machines, n_clips), +1 or -1
    duals: NDArray[np.float64],  # (n_machines, 1, n_clips), written
    stiffness: NDArray[np.float64],  # (1,), written: |M|, or more
) -> int:
    """Write beta of the SVMs that are trained on all clips.

    Returns
    -------
    int
        ``SOLVED``, ``UNSETTLED`` or ``IMPRECISE``.
    """
    n_machines, n_clips = targets.shape
    kernel, inverse = np.empty((n_clips, n_clips)), np.empty((n_clips, n_clips))
    if not _fill_kernel(gram, np.zeros(n_clips), ridges, kernel, inverse):
        return IMPRECISE
    stiffness[0] = frobenius(inverse)
    start = product(targets, inverse)
    signed, slacks = np.empty(n_clips), np.empty((2, n_clips))
    fill_slacks(kernel, inverse, ridges, slacks)
    worst = SOLVED
    for machine in range(n_machines):
        outside = np.zeros(n_clips, np.bool_)
        state, _, _ = settle_all(
            kernel, inverse, targets[machine], start[machine], outside, signed, slacks
        )
        worst = max(worst, state)
        for clip in range(n_clips):
            duals[machine, 0, clip] = 0.0 if outside[clip] else signed[clip]
    return worst


@compiled
def _fill_kernel(
    gram: NDArray[np.float64],  # (n_clips or more, n_clips or more), upper triangle
    shifts: NDArray[np.float64],  # (n_clips,)
    ridges: NDArray[np.float64],  # (n_clips,)
    kernel: NDArray[np.float64],  # (n_clips, n_clips), written: K
    inverse: NDArray[np.float64],  # (n_clips, n_clips), written: M
) -> bool:
    """Return whether K is positive definite, as far as double precision tells."""
    n_clips = len(ridges)
    for row in range(n_clips):
        source, target, shift = gram[row], kernel[row], shifts[row]
        for column in range(row, n_clips):
            target[column] = source[column] + (shift + shifts[column])
        target[row] += ridges[row]
    mirror(kernel)
    for row in range(n_clips):
        for column in range(n_clips):
            inverse[row, column] = kernel[row, column]
    is_definite = invert(inverse)
    # Block by block the error grows with the square of the condition.
    if not (is_definite and trace(kernel) * frobenius(inverse) < _BLOCKWISE):
        for row in range(n_clips):
            for column in range(n_clips):
                inverse[row, column] = kernel[row, column]
        return invert_carefully(inverse)
    return is_definite


@compiled
def _error_of(
    kernel: NDArray[np.float64],  # (n_clips, n_clips)
    inverse: NDArray[np.float64],  # (n_clips, n_clips)
    targets: NDArray[np.float64],  # (n_machines, n_clips)
    start: NDArray[np.float64],  # (n_machines, n_clips), M y
) -> float:
    """Return about how far M y is from what it should be, at most, from what K M y is."""
    residuals = product(start, kernel)
    subtract_from(residuals, targets)
    errors = product(residuals, inverse)
    largest = 0.0
    for machine in range(len(errors)):
        for clip in range(errors.shape[1]):
            largest = max(largest, abs(errors[machine, clip]))
    return largest


@compiled
def _leave_folds_out_together(
    shared: _Shared,
    targets: NDArray[np.float64],  # (n_machines, n_clips)
    start: NDArray[np.float64],  # (n_machines, n_clips), s for p = 0
    machines: NDArray[np.int64],  # (n_whole,), those without a clip outside S
    edges: NDArray[np.int64],  # (n_folds + 1,)
    decisions: NDArray[np.float64],  # (n_machines, n_clips), written
    reach: NDArray[np.float64],  # (n_machines, n_clips), written
    duals: NDArray[np.float64],  # (n_machines, n_folds, n_clips), written; or empty
) -> int:
    """Leave each fold out of all machines that share M: one small inverse a fold."""
    n_clips, n_whole = len(shared.inverse), len(machines)
    whole = part(start, machines, span(0, n_clips))  # (n_whole, n_clips)
    allowed = np.empty((n_whole, 2, n_clips))
    nobody = np.zeros(n_clips, np.bool_)
    for place in range(n_whole):
        allowed[place] = -largest_dual(whole[place], nobody) * shared.slacks
    worst = SOLVED
    for fold in range(len(edges) - 1 if n_whole else 0):
        held = span(edges[fold], edges[fold + 1])
        held_inverse = part(shared.inverse, held, held)
        is_precise = invert(held_inverse) and frobenius(held_inverse) * shared.least_pivot < 1
        residuals = product(part(whole, span(0, n_whole), held), held_inverse)
        changes = product(residuals, shared.inverse[edges[fold] : edges[fold + 1]])
        state = _finish_fold(
            shared, targets, whole, machines, edges, fold, allowed, is_precise,
            residuals, changes, decisions, reach, duals,
        )  # fmt: skip
        worst = max(worst, state)
    return worst


@compiled
def _finish_fold(
    shared: _Shared,
    targets: NDArray[np.float64],  # (n_machines, n_clips)
    start: NDArray[np.float64],  # (n_whole, n_clips), s for p = 0
    machines: NDArray[np.int64],  # (n_whole,)
    edges: NDArray[np.int64],  # (n_folds + 1,)
    fold: int,
    allowed: NDArray[np.float64],  # (n_whole, 2, n_clips), least y s of support vectors, of others
    is_precise: bool,
    residuals: NDArray[np.float64],  # (n_whole, n_held), z of the held-out clips
    changes: NDArray[np.float64],  # (n_whole, n_clips), what they take from s; written: s
    decisions: NDArray[np.float64],  # (n_machines, n_clips), those of the fold are written
    reach: NDArray[np.float64],  # (n_machines, n_clips), those of the fold are written
    duals: NDArray[np.float64],  # (n_machines, n_folds, n_clips), those of the fold are written
) -> int:
    """Write what a fold's machines say, unless another clip changes sides, which takes longer."""
    kernel, inverse, _, norms, bounds, least_pivot = shared
    first, last, worst = edges[fold], edges[fold + 1], SOLVED
    nobody, nothing = np.zeros(start.shape[1], np.bool_), np.empty(0)
    for place in range(len(machines)):
        machine, signed = machines[place], changes[place]
        target = targets[machine]
        _go_on(start[place], signed, first, last)
        if not is_precise or count_below(target, signed, allowed[place, 0]):
            state = leave_fold_out(
                kernel, inverse, target, start[place], nobody, edges[fold : fold + 2],
                allowed[place], norms, bounds, least_pivot, decisions[machine], reach[machine],
                duals[machine, fold] if len(duals) else nothing,
            )  # fmt: skip
            worst = max(worst, state)
            continue
        length = measure_length(signed, norms)
        for clip in range(first, last):
            decisions[machine, clip] = target[clip] - residuals[place, clip - first]
            reach[machine, clip] = bounds[clip] * length
        if len(duals):
            for clip in range(len(signed)):
                duals[machine, fold, clip] = signed[clip]
    return worst


@compiled
def _go_on(
    start: NDArray[np.float64],  # (n_clips,)
    signed: NDArray[np.float64],  # (n_clips,), the change; written: what it leads to
    first: int,
    last: int,
) -> None:
    for clip in range(len(start)):
        signed[clip] = start[clip] - signed[clip]
    for clip in range(first, last):
        signed[clip] = 0.0

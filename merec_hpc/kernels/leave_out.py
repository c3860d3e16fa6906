"""Linear SVMs with each subject left out, from one inverse of one Gram matrix.

For L2-loss the dual of an SVM on the clips T is, with K = G + diag(1 / (2 C)), one linear
system on its support vectors S: beta_S = K_SS^-1 y_S, beta = 0 elsewhere, where
y_i beta_i >= 0 on S and y_i f_i >= 1 on the clips of T outside S (f = G beta). Held out or
no support vector is the same to the algebra.

Every machine is solved on all clips first. Where all clips are support vectors (d >> n), the
folds of all machines share M = K^-1 and one small inverse a fold; else the machine has its
own tableau, by way of the clips outside S, or of S where it is a third of them or less.
"""

import numpy as np
from numpy.typing import NDArray

from merec_hpc.kernels.blocks import frobenius, part, product, span, subtract_from, trace
from merec_hpc.kernels.compiled import compiled
from merec_hpc.kernels.fold import leave_fold_out, measure_length
from merec_hpc.kernels.inverse import invert, mirror
from merec_hpc.kernels.pivoting import (
    IMPRECISE,
    SOLVED,
    count_below,
    fill_slacks,
    is_by_support,
    largest_dual,
    settle_all,
)
from merec_hpc.kernels.tableau import fill_tableau, start_signed

_ILL_CONDITIONED = 2.0**23
_BLOCKWISE = 3e5
_TOLERANCE = 1e-8  # of a decision, in units of a margin


@compiled
def leave_folds_out(
    gram: NDArray[np.float64],  # (n_clips or more, n_clips or more), upper triangle
    shifts: NDArray[np.float64],  # (n_clips,), to be added to its rows and columns
    ridges: NDArray[np.float64],  # (n_clips,), 1 / (2 C) of each clip
    targets: NDArray[np.float64],  # (n_machines, n_clips), +1 or -1
    starts: NDArray[np.int64],  # (n_folds + 1,), first clip of each fold, then the end
    decisions: NDArray[np.float64],  # (n_machines, n_clips), those of the folds are written
    reach: NDArray[np.float64],  # (n_machines, n_clips), those of the folds are written
    duals: NDArray[np.float64],  # (n_machines, n_folds, n_clips), beta, written; or empty
    stiffness: NDArray[np.float64],  # (1,), written: |M|, or more
    is_quick: bool,  # whether the Gram matrix has such errors as below
) -> int:
    """Write the decision values of every clip by the SVM that never saw its fold.

    If the Gram matrix has errors e_ij g_i g_j, where g_i is the root of G_ii, a decision's error
    is the sum of e_ij p_i q_j: q_j is g_j beta_j, and p_i is g_i a_i, where a_i is what the
    held-out clip takes from clip i. ``reach`` is an upper bound of |p| |q|: a'Ka is what of
    the held-out clip's K_vv the support vectors do not explain, and |a|^2 <= a'Ka |M|. Where
    errors of 2^-24 might change M by more than half, reach is infinite.

    Returns
    -------
    int
        ``SOLVED``, ``UNSETTLED`` or ``IMPRECISE``.
    """
    n_machines, n_clips = targets.shape
    kernel, inverse = np.empty((n_clips, n_clips)), np.empty((n_clips, n_clips))
    if not _fill_kernel(gram, shifts, ridges, kernel, inverse):
        return IMPRECISE
    norms, bounds = np.empty(n_clips), np.empty(n_clips)
    stiffness[0] = frobenius(inverse)
    _bound(gram, kernel, stiffness[0], norms, bounds)
    if is_quick and not bounds[0] < np.inf:
        return IMPRECISE
    signed = product(targets, inverse)
    # A fold divides by a block of M: its pivots must be far above the errors of M y.
    least = _error_of(kernel, inverse, targets, signed) / _TOLERANCE
    values, slacks = np.empty(n_clips), np.empty((2, n_clips))
    fill_slacks(kernel, inverse, ridges, slacks)
    tableau = np.empty((n_clips, n_clips))
    shared = np.empty(n_machines, np.int64)
    n_shared, unused = 0, np.empty(0)
    worst = SOLVED
    for machine in range(n_machines):
        target, outside = targets[machine], np.zeros(n_clips, np.bool_)
        state, core, small = settle_all(
            kernel, inverse, target, signed[machine], outside, values, slacks
        )
        if state == IMPRECISE:
            return IMPRECISE
        if len(core) == 0:
            shared[n_shared] = machine
            n_shared += 1
            continue
        if is_by_support(outside):
            fill_tableau(kernel, -1.0, core, small, tableau)
        else:
            fill_tableau(inverse, 1.0, core, small, tableau)
        start_signed(tableau, target, outside, signed[machine])
        limits = -largest_dual(values, outside) * slacks
        for fold in range(len(starts) - 1):
            state = leave_fold_out(
                kernel,
                tableau,
                target,
                signed[machine],
                outside,
                starts[fold : fold + 2],
                limits,
                norms,
                bounds,
                least,
                decisions[machine],
                reach[machine],
                duals[machine, fold] if len(duals) else unused,
            )
            worst = max(worst, state)
    state = _leave_folds_out_together(
        kernel,
        inverse,
        targets,
        signed,
        shared[:n_shared],
        starts,
        slacks,
        norms,
        bounds,
        least,
        decisions,
        reach,
        duals,
    )
    return max(worst, state)


@compiled
def _bound(
    gram: NDArray[np.float64],  # (n_clips or more, n_clips or more)
    kernel: NDArray[np.float64],  # (n_clips, n_clips)
    length: float,  # of M
    norms: NDArray[np.float64],  # (n_clips,), written: g
    bounds: NDArray[np.float64],  # (n_clips,), written: of |p|
) -> None:
    total = 0.0
    for clip in range(len(norms)):
        # Double precision, too, rounds: sums of K_ii, and the inverse.
        norms[clip] = np.sqrt(gram[clip, clip] + 2.0**-23 * kernel[clip, clip])
        total += norms[clip] ** 2
    for clip in range(len(norms)):
        bounds[clip] = norms.max() * np.sqrt(length * kernel[clip, clip])
        if length * total > _ILL_CONDITIONED:
            bounds[clip] = np.inf


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
    signed = product(targets, inverse)
    values, slacks = np.empty(n_clips), np.empty((2, n_clips))
    fill_slacks(kernel, inverse, ridges, slacks)
    worst = SOLVED
    for machine in range(n_machines):
        outside = np.zeros(n_clips, np.bool_)
        state, _, _ = settle_all(
            kernel, inverse, targets[machine], signed[machine], outside, values, slacks
        )
        worst = max(worst, state)
        for clip in range(n_clips):
            duals[machine, 0, clip] = 0.0 if outside[clip] else values[clip]
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
    # Block by block the error grows with the square of the condition, by LU with the condition.
    if not trace(kernel) * frobenius(inverse) < _BLOCKWISE:
        exact = np.linalg.inv(kernel)
        for row in range(n_clips):
            for column in range(n_clips):
                inverse[row, column] = exact[row, column]
    return is_definite


@compiled
def _error_of(
    kernel: NDArray[np.float64],  # (n_clips, n_clips)
    inverse: NDArray[np.float64],  # (n_clips, n_clips)
    targets: NDArray[np.float64],  # (n_machines, n_clips)
    dual: NDArray[np.float64],  # (n_machines, n_clips), M y
) -> float:
    """Return about how far M y is from what it should be, at most, from what K M y is."""
    residuals = product(dual, kernel)
    subtract_from(residuals, targets)
    errors = product(residuals, inverse)
    largest = 0.0
    for machine in range(len(errors)):
        for clip in range(errors.shape[1]):
            largest = max(largest, abs(errors[machine, clip]))
    return largest


@compiled
def _leave_folds_out_together(
    kernel: NDArray[np.float64],  # (n_clips, n_clips)
    inverse: NDArray[np.float64],  # (n_clips, n_clips)
    targets: NDArray[np.float64],  # (n_machines, n_clips)
    signed: NDArray[np.float64],  # (n_machines, n_clips)
    shared: NDArray[np.int64],  # (n_shared,), machines without a clip outside S
    starts: NDArray[np.int64],  # (n_folds + 1,)
    slacks: NDArray[np.float64],  # (2, n_clips), of ``fill_slacks``
    norms: NDArray[np.float64],  # (n_clips,), sqrt(G_ii)
    bounds: NDArray[np.float64],  # (n_clips,), of p
    least: float,
    decisions: NDArray[np.float64],  # (n_machines, n_clips), written
    reach: NDArray[np.float64],  # (n_machines, n_clips), written
    duals: NDArray[np.float64],  # (n_machines, n_folds, n_clips), written; or empty
) -> int:
    """Leave each fold out of all machines that share M: one small inverse a fold."""
    n_clips, n_shared = len(inverse), len(shared)
    nobody = np.zeros(n_clips, np.bool_)
    starting, limits = np.empty((n_shared, n_clips)), np.empty((n_shared, 2, n_clips))
    unused = np.empty(0)
    for place in range(n_shared):
        for clip in range(n_clips):
            starting[place, clip] = signed[shared[place], clip]
        limits[place] = -largest_dual(starting[place], nobody) * slacks
    sharing = span(0, n_shared)
    worst = SOLVED
    for fold in range(len(starts) - 1 if n_shared else 0):
        first, last = starts[fold], starts[fold + 1]
        held = span(first, last)
        small = part(inverse, held, held)
        is_precise = invert(small) and frobenius(small) * least < 1
        residuals = product(part(starting, sharing, held), small)  # (n_shared, n_held)
        changes = product(residuals, inverse[first:last])  # (n_shared, n_clips)
        for place in range(n_shared):
            target, values = targets[shared[place]], changes[place]
            _go_on(starting[place], values, first, last)
            if not is_precise or count_below(target, values, limits[place, 0]):
                state = leave_fold_out(
                    kernel,
                    inverse,
                    target,
                    starting[place],
                    nobody,
                    starts[fold : fold + 2],
                    limits[place],
                    norms,
                    bounds,
                    least,
                    decisions[shared[place]],
                    reach[shared[place]],
                    duals[shared[place], fold] if len(duals) else unused,
                )
                worst = max(worst, state)
                continue
            length = measure_length(values, norms)
            for clip in range(first, last):
                decisions[shared[place], clip] = target[clip] - residuals[place, clip - first]
                reach[shared[place], clip] = bounds[clip] * length
            if len(duals):
                for clip in range(n_clips):
                    duals[shared[place], fold, clip] = values[clip]
    return worst


@compiled
def _go_on(
    start: NDArray[np.float64],  # (n_clips,)
    values: NDArray[np.float64],  # (n_clips,), the change; written: what it leads to
    first: int,
    last: int,
) -> None:
    for clip in range(len(start)):
        values[clip] = start[clip] - values[clip]
    for clip in range(first, last):
        values[clip] = 0.0

"""The machines that are trained on all clips, and how far any machine is from its optimum."""

from contextlib import suppress

import numpy as np
from numpy.typing import NDArray

from merec_hpc.kernels.certificate import ROUNDING, take_lacks
from merec_hpc.kernels.leave_out import leave_nothing_out
from merec_hpc.kernels.twofold import multiply_twofold
from merec_hpc.selection.fitness.least_squares import fit_machine, rotate

Values = NDArray[np.float64]


def train_machines(
    chosen: Values, targets: Values, penalties: Values, tolerance: float
) -> tuple[Values, Values, Values]:
    """Train machines on all clips, each right within a tolerance of its largest decision.

    Parameters
    ----------
    chosen
        Features, shape (n_clips, n_features).
    targets
        +1 or -1, shape (n_machines, n_clips).
    penalties
        C of each clip, shape (n_machines, n_clips).

    Returns
    -------
    tuple
        Decisions (n_machines, n_clips), weights (n_machines, n_features) and beta
        (n_machines, n_clips).

    Raises
    ------
    IllConditionedError
        If double precision cannot hold a machine.
    """
    gram = chosen @ chosen.T
    decisions, duals = np.empty_like(targets), np.zeros_like(targets)
    weights = np.empty((len(targets), chosen.shape[1]))
    rotated: Values | None = None
    for machine, (target, C) in enumerate(zip(targets, penalties, strict=True)):
        decisions[machine], is_right = _train_by_gram(gram, target, C, duals[machine], tolerance)
        weights[machine] = duals[machine] @ chosen
        if not is_right:
            rotated = rotate(chosen) if rotated is None else rotated
            found = fit_machine(rotated, target, C)
            duals[machine] = found.dual
            decisions[machine] = multiply_twofold(
                np.ascontiguousarray(rotated.T), found.weights[None], 0.0
            )
            parts = np.stack([found.dual, found.dual_rest])
            weights[machine] = multiply_twofold(np.ascontiguousarray(chosen), parts, 0.0)
    return decisions, weights, duals


def _train_by_gram(
    gram: Values, target: Values, penalties: Values, dual: Values, tolerance: float
) -> tuple[Values, bool]:
    """Write beta; return decisions, and whether they are known to be right."""
    ridges, answer, lacks = 0.5 / penalties, np.empty_like(target), np.empty_like(target)
    found, stiffness = np.zeros((1, 1, len(target))), np.full(1, np.inf)
    with suppress(np.linalg.LinAlgError):
        leave_nothing_out(gram, ridges, target[None], found, stiffness)
    dual[:] = found[0, 0]
    norms = np.sqrt(gram.diagonal())
    own, other, share = take_lacks(gram, ridges, target, 0, 0, dual, norms, answer, lacks)
    reach = np.sqrt((norms**2 + ridges).max() * stiffness[0])
    error = reach * (np.hypot(own, other) + ROUNDING * np.linalg.norm(norms) * share)
    error += ROUNDING * norms.max() * share
    return answer, bool(error <= tolerance * np.abs(answer).max())


def violation(chosen: Values, targets: Values, penalties: Values, duals: Values) -> float:
    """Return the largest violation of the optimality conditions.

    With w = X' beta, it is what 1 - y x w, or 0 if that is negative, and y beta / (2 C) disagree by,
    in units of the machine's largest decision; taken in twice the working precision. A machine
    whose decisions are nothing but rounding does not count: its clips cancel out.

    Parameters
    ----------
    chosen
        The training clips' features, shape (n_clips, n_features).
    targets, penalties, duals
        +1 or -1, C and beta, shape (n_machines, n_clips).
    """
    worst = 0.0
    rows, turned = np.ascontiguousarray(chosen), np.ascontiguousarray(chosen.T)
    lengths = np.linalg.norm(chosen, axis=1)
    for target, C, dual in zip(targets, penalties, duals, strict=True):
        decisions = multiply_twofold(turned, multiply_twofold(rows, dual[None], 0.0)[None], 0.0)
        lacks = np.maximum(1 - target * decisions, 0.0)
        excess = np.abs(lacks - 0.5 * target * dual / C).max()
        largest = np.abs(decisions).max()
        if largest > ROUNDING * lengths.max() * (lengths @ np.abs(dual)):
            worst = max(worst, float(excess / largest))
    return worst

"""How far decisions may be from the exact ones: what the optimality conditions leave open.

With rho what each training clip's condition lacks (y - K beta on the support vectors; outside,
what the margin is below 1; of a beta of the wrong sign, its ridge times it), a held-out clip's
decision is off by about a'rho, where a = K_SS^-1 G_Sv is what it takes from the support vectors.
Rounding of a Gram matrix in double precision, and of its product with beta, are errors alike
(``docs/engine.md``, step 7).
"""

import numpy as np
from numpy.typing import NDArray

from merec_hpc.kernels.blocks import part, places_of, span, subtract
from merec_hpc.kernels.compiled import compiled

ROUNDING = 2.0**-49
"""Of an entry of G times beta, in units of the root of the sum of squares: sums of thousands."""


@compiled
def bound_errors(
    gram: NDArray[np.float64],  # (n_clips, n_clips), G
    ridges: NDArray[np.float64],  # (n_clips,), 1 / (2 C) of each clip
    targets: NDArray[np.float64],  # (n_machines, n_clips), +1 or -1
    edges: NDArray[np.int64],  # (n_folds + 1,), first clip of each fold, then the end
    duals: NDArray[np.float64],  # (n_machines, n_folds, n_clips), beta
    stiffness: float,  # largest eigenvalue of the inverse of K, or above
    decisions: NDArray[np.float64],  # (n_machines, n_clips), those of the folds are written
    errors: NDArray[np.float64],  # (n_machines, n_clips), those of the folds are written
) -> None:
    """Write the decisions that follow from beta, and bounds of their errors.

    |a|^2 is at most K_vv times the stiffness: a'Ka is a part of K_vv.
    """
    norms = np.sqrt(np.diag(gram))
    length = np.sqrt(np.sum(norms**2))
    fitted, lacks = np.empty(len(ridges)), np.empty(len(ridges))
    for machine in range(len(targets)):
        for fold in range(len(edges) - 1):
            first, last = edges[fold], edges[fold + 1]
            dual = duals[machine, fold]
            own, other, share = take_lacks(
                gram, ridges, targets[machine], first, last, dual, norms, fitted, lacks
            )
            rest = np.sqrt(own**2 + other**2)
            for clip in range(first, last):
                most_taken = np.sqrt((gram[clip, clip] + ridges[clip]) * stiffness)
                decisions[machine, clip] = fitted[clip]
                errors[machine, clip] = (
                    most_taken * (rest + ROUNDING * length * share) + ROUNDING * norms[clip] * share
                )


@compiled
def refine_fold(
    gram: NDArray[np.float64],  # (n_clips, n_clips), G
    ridges: NDArray[np.float64],  # (n_clips,), 1 / (2 C) of each clip
    target: NDArray[np.float64],  # (n_clips,)
    first: int,  # clips first..last are held out
    last: int,
    dual: NDArray[np.float64],  # (n_clips,), beta; improved
    stiffness: float,  # as for bound_errors
    decisions: NDArray[np.float64],  # (n_clips,), those of the fold are written
    errors: NDArray[np.float64],  # (n_clips,), those of the fold are written
) -> None:
    """Refine beta once, and bound the errors by what each held-out clip takes indeed."""
    n_clips = len(ridges)
    norms = np.sqrt(np.diag(gram))
    fitted, lacks = np.empty(n_clips), np.empty(n_clips)
    take_lacks(gram, ridges, target, first, last, dual, norms, fitted, lacks)
    support, held = places_of(dual != 0.0, True), span(first, last)
    n_support = len(support)
    kernel = part(gram, support, support)
    right = np.empty((n_support, 1 + last - first))
    right[:, 1:] = part(gram, support, held)
    for place in range(n_support):
        kernel[place, place] += ridges[support[place]]
        right[place, 0] = lacks[support[place]]
    solved = np.linalg.solve(kernel, right)
    for place in range(n_support):
        dual[support[place]] += solved[place, 0]
    own, other, share = take_lacks(gram, ridges, target, first, last, dual, norms, fitted, lacks)
    for clip in range(first, last):
        taken, weighed = 0.0, norms[clip] ** 2
        for place in range(n_support):
            part_taken = solved[place, 1 + clip - first]
            taken += part_taken**2
            weighed += (part_taken * norms[support[place]]) ** 2
        decisions[clip] = fitted[clip]
        errors[clip] = np.sqrt(taken) * own + ROUNDING * np.sqrt(weighed) * share
        if other > 0.0:
            errors[clip] += np.sqrt((gram[clip, clip] + ridges[clip]) * stiffness) * other


@compiled
def take_lacks(
    gram: NDArray[np.float64],  # (n_clips, n_clips), G
    ridges: NDArray[np.float64],  # (n_clips,)
    target: NDArray[np.float64],  # (n_clips,)
    first: int,
    last: int,
    dual: NDArray[np.float64],  # (n_clips,), beta
    norms: NDArray[np.float64],  # (n_clips,), sqrt(G_ii)
    fitted: NDArray[np.float64],  # (n_clips,), written: f = G beta
    lacks: NDArray[np.float64],  # (n_clips,), written: rho
) -> tuple[float, float, float]:
    """Return the length of rho on the support vectors and elsewhere, and of norms times beta."""
    fitted[:] = 0.0
    share, own, other = 0.0, 0.0, 0.0
    for clip in range(len(dual)):
        if dual[clip] != 0.0:
            subtract(fitted, -dual[clip], gram[clip])
            share += (norms[clip] * dual[clip]) ** 2
    for clip in range(len(dual)):
        lacks[clip] = 0.0
        if not first <= clip < last:
            lacks[clip] = _lack(target[clip], fitted[clip], ridges[clip], dual[clip])
            if target[clip] * dual[clip] > 0.0:
                own += lacks[clip] ** 2
            else:
                other += lacks[clip] ** 2
    return np.sqrt(own), np.sqrt(other), np.sqrt(share)


@compiled
def _lack(target: float, fitted: float, ridge: float, dual: float) -> float:
    """Return rho of a clip."""
    if target * dual > 0.0:
        return target - fitted - ridge * dual
    # Not a support vector, or one of the wrong sign.
    return target * max(1.0 - target * fitted, 0.0) - ridge * dual


@compiled
def bound_flips(
    features: NDArray[np.float64],  # (n_features, n_clips), x of each feature
    signs: NDArray[np.float64],  # (n_features,), 1 if it joins G, -1 if it leaves
    squares: NDArray[np.float64],  # (n_features,), by how much a bias changes with each
    norms: NDArray[np.float64],  # (n_clips,), sqrt(G_ii)
    ridges: NDArray[np.float64],  # (n_clips,)
    target: NDArray[np.float64],  # (n_clips,)
    first: int,
    last: int,
    duals: NDArray[np.float64],  # (n_features, n_clips), beta with each feature flipped
    fitted: NDArray[np.float64],  # (n_features, n_clips), G beta; changed to f
    stiffness: NDArray[np.float64],  # (n_features,), as for bound_errors
    errors: NDArray[np.float64],  # (n_features, n_clips), those of the fold are written
) -> None:
    """Do what ``bound_errors`` does for one machine and fold with one feature more or less."""
    n_clips, length = len(target), np.sum(norms**2)
    for feature in range(len(features)):
        x, dual, f = features[feature], duals[feature], fitted[feature]
        sign, square = signs[feature], squares[feature]
        product, total, size, share, rest = 0.0, 0.0, length, 0.0, 0.0
        for clip in range(n_clips):
            product += x[clip] * dual[clip]
            total += dual[clip]
            size += x[clip] ** 2 + square
            share += (norms[clip] ** 2 + x[clip] ** 2 + square) * dual[clip] ** 2
        for clip in range(n_clips):
            f[clip] += sign * (product * x[clip] + square * total)
            if not first <= clip < last:
                rest += _lack(target[clip], f[clip], ridges[clip], dual[clip]) ** 2
        share = ROUNDING * np.sqrt(share)
        lack = np.sqrt(rest) + np.sqrt(size) * share
        for clip in range(first, last):
            change = x[clip] ** 2 + square
            own = max(norms[clip] ** 2 + sign * change + ridges[clip], 0.0)
            errors[feature, clip] = np.sqrt(own * stiffness[feature]) * lack
            errors[feature, clip] += np.sqrt(norms[clip] ** 2 + change) * share

"""One-vs-rest machines on a Gram matrix, and their dual variables.

Without the intercept's term of its own: b added to the Gram matrix is the product of a constant
feature of size sqrt(b), which is regularised as any other.
"""

import numpy as np
from numpy.typing import NDArray

from merec_hpc.kernels.leave_out import leave_nothing_out
from merec_hpc.kernels.pivoting import SOLVED
from merec_hpc.selection.fitness.least_squares import fit_support


def one_vs_rest(labels: NDArray[np.int64], n_classes: int) -> NDArray[np.float64]:
    """Return +1 for the clips of a machine's class and -1 for the rest, (n_machines, n_clips).

    Two classes are one machine: that of the first.
    """
    signs = np.where(np.arange(n_classes)[:, None] == labels, 1.0, -1.0)
    return signs[:1] if n_classes == 2 else signs


def train_duals(
    gram: NDArray[np.float64], C: float, targets: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return what each machine takes of each training clip, (n_machines, n_clips).

    A machine's decision on a clip is the sum of these times the clip's products with the training
    clips. They follow from the machine's decisions f on the training clips: of the squared hinge,
    2 C max(0, 1 - y f) y.

    Parameters
    ----------
    gram
        Of the training clips, the intercept's b added, (n_clips, n_clips).
    C
        Penalty, above 0.
    targets
        +1 or -1, (n_machines, n_clips).
    """
    decisions = np.empty_like(targets)
    ridges = np.full(len(gram), 0.5 / C)
    if leave_nothing_out(gram, ridges, targets, decisions) != SOLVED:
        decisions = decide_slowly(gram, C, targets)
    duals: NDArray[np.float64] = 2 * C * np.maximum(0, 1 - targets * decisions) * targets
    return duals


def decide_slowly(
    gram: NDArray[np.float64], C: float, targets: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return decisions on the training clips, (n_machines, n_clips), at any condition.

    Parameters are those of ``train_duals``.
    """
    sizes, vectors = np.linalg.eigh(gram)
    values = vectors * np.sqrt(np.maximum(sizes, 0))
    everyone, penalties = np.ones(len(gram), np.bool_), np.full(len(gram), C)
    return np.stack(
        [values @ fit_support(values, target, penalties, everyone) for target in targets]
    )


def both_signs(machines: NDArray[np.float64], n_classes: int) -> NDArray[np.float64]:
    """Return one row a class, from one row a machine."""
    return np.concatenate([machines, -machines]) if n_classes == 2 else machines

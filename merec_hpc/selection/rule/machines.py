"""One-vs-rest machines on a Gram matrix, and their dual variables.

Without the intercept's term of its own: b added to the Gram matrix is the product of a constant
feature of size sqrt(b), which is regularised as any other.
"""

from contextlib import suppress

import numpy as np
from numpy.typing import NDArray

from merec_hpc.kernels.leave_out import leave_nothing_out
from merec_hpc.kernels.pivoting import SOLVED
from merec_hpc.selection.fitness.least_squares import fit_machine


def one_vs_rest(labels: NDArray[np.int64], n_classes: int) -> NDArray[np.float64]:
    """Return +1 for the clips of a machine's class and -1 for the rest, (n_machines, n_clips).

    Two classes are one machine: that of the first.
    """
    signs = np.where(np.arange(n_classes)[:, None] == labels, 1.0, -1.0)
    return signs[:1] if n_classes == 2 else signs


def train_duals(
    gram: NDArray[np.float64], C: float, targets: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return what each machine takes of each training clip, its beta, (n_machines, n_clips).

    A machine's decision on a clip is the sum of these times the clip's products with the training
    clips.

    Parameters
    ----------
    gram
        Of the training clips, the intercept's b added, (n_clips, n_clips).
    C
        Penalty, above 0.
    targets
        +1 or -1, (n_machines, n_clips).
    """
    duals, stiffness = np.zeros((len(targets), 1, len(gram))), np.empty(1)
    with suppress(np.linalg.LinAlgError):
        if (
            leave_nothing_out(gram, np.full(len(gram), 0.5 / C), targets, duals, stiffness)
            == SOLVED
        ):
            return duals[:, 0]
    return train_slowly(gram, C, targets)


def train_slowly(
    gram: NDArray[np.float64], C: float, targets: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return ``train_duals`` of the same, at any condition that double precision can hold."""
    sizes, vectors = np.linalg.eigh(gram)
    values, penalties = vectors * np.sqrt(np.maximum(sizes, 0)), np.full(len(gram), C)
    return np.stack([fit_machine(values, target, penalties).dual for target in targets])


def both_signs(machines: NDArray[np.float64], n_classes: int) -> NDArray[np.float64]:
    """Return one row a class, from one row a machine."""
    return np.concatenate([machines, -machines]) if n_classes == 2 else machines

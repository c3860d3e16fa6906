"""Predicted classes, and whether they are certain within a given precision."""

import numpy as np
from numpy.typing import NDArray

from merec_hpc.kernels.compiled import compiled


@compiled
def predict(
    decisions: NDArray[np.float64],  # (n_machines, n_clips)
    reach: NDArray[np.float64],  # (n_machines, n_clips)
    precision: float,  # decisions are known within precision times reach
    is_trained: NDArray[np.bool_],  # (n_clips, n_classes), False for a class without a machine
    predicted: NDArray[np.int64],  # (n_clips,), written
) -> bool:
    """Write the class of the largest decision value of each clip, of equals the first.

    Return whether no class may overtake it, however far behind: any may be known the least.

    Of two classes the first machine decides: its decisions are positive for the first class.
    """
    n_clips, n_classes = is_trained.shape
    is_certain = True
    for clip in range(n_clips):
        best = -1
        for kind in range(n_classes):
            if is_trained[clip, kind] and (
                best < 0 or _value(decisions, kind, clip) > _value(decisions, best, clip)
            ):
                best = kind
        predicted[clip] = best
        if precision > 0:
            for kind in range(n_classes):
                if kind == best or not is_trained[clip, kind]:
                    continue
                margin = _value(decisions, best, clip) - _value(decisions, kind, clip)
                doubt = reach[best % len(reach), clip] + reach[kind % len(reach), clip]
                is_certain &= margin > precision * doubt
    return is_certain


@compiled
def _value(decisions: NDArray[np.float64], kind: int, clip: int) -> float:
    if kind < len(decisions):
        return decisions[kind, clip]
    return -decisions[0, clip]

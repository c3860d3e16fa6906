"""What an ant gathers, one feature after the other."""

import numpy as np
from numpy.typing import NDArray

from merec_hpc.kernels.compiled import compiled


@compiled
def gather_features(
    by_appeal: NDArray[np.int64],  # (n_features,), the most appealing first
    by_clock: NDArray[np.int64],  # (n_features,), the first to ring first
    is_greedy: NDArray[np.bool_],  # (n_wanted,), of each feature that is taken
    mask: NDArray[np.bool_],  # (n_features,), all False; those taken are written
) -> None:
    """Take the next feature of one order or the other that is not yet taken."""
    appealing, ringing = 0, 0
    for greedy in is_greedy:
        if greedy:
            while mask[by_appeal[appealing]]:
                appealing += 1
            mask[by_appeal[appealing]] = True
        else:
            while mask[by_clock[ringing]]:
                ringing += 1
            mask[by_clock[ringing]] = True

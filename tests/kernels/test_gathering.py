"""Gathering against a walk that asks of every feature whether it was taken."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from merec_hpc.kernels.gathering import gather_features


@given(seed=st.integers(0, 10**6), n_features=st.integers(1, 30), share=st.floats(0, 1))
def test_each_takes_the_next_of_its_order(seed: int, n_features: int, share: float) -> None:
    rng = np.random.default_rng(seed)
    by_appeal, by_clock = rng.permutation(n_features), rng.permutation(n_features)
    is_greedy = rng.random(rng.integers(1, n_features + 1)) < share
    taken: list[int] = []
    for greedy in is_greedy:
        order = by_appeal if greedy else by_clock
        taken.append(next(one for one in order.tolist() if one not in taken))
    mask = np.zeros(n_features, np.bool_)
    gather_features(by_appeal, by_clock, is_greedy, mask)
    assert np.flatnonzero(mask).tolist() == sorted(taken)

"""What is set for the same bytes in every run is taken back."""

from contextlib import nullcontext

import pytest
import torch

from merec_hpc.networks.reproducible import reproducible


@pytest.mark.parametrize("fails", [False, True])
def test_torch_is_afterwards_as_it_was(fails: bool) -> None:
    def state() -> tuple[object, ...]:
        return (
            torch.get_num_threads(),
            torch.are_deterministic_algorithms_enabled(),
            torch.is_deterministic_algorithms_warn_only_enabled(),
            torch.backends.cudnn.benchmark,
        )

    torch.set_num_threads(2)
    torch.use_deterministic_algorithms(mode=False)
    torch.backends.cudnn.benchmark = True
    before = state()
    with pytest.raises(KeyboardInterrupt) if fails else nullcontext(), reproducible():
        assert state() == (1, True, True, False)
        if fails:
            raise KeyboardInterrupt
    assert state() == before == (2, False, False, True)

import pytest

from merec_hpc.networks.random_weights import asked_seed, random_weights


@pytest.mark.parametrize("seed", [0, 7, 10**17])
def test_seed_is_read_as_it_was_written(seed: int) -> None:
    assert asked_seed(random_weights(seed)) == seed


@pytest.mark.parametrize("content", [b"", random_weights(1)[:-1], random_weights(1) + b"x"])
def test_other_files_ask_for_nothing(content: bytes) -> None:
    assert asked_seed(content) is None

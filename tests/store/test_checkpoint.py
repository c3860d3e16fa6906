"""States come back as they were; what is torn is not taken."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from merec_hpc.config.selection import GeneticSettings
from merec_hpc.records import History, Population, SearchState
from merec_hpc.store.checkpoint import Checkpoints, read_state, search_key


def make_state(generation: int) -> SearchState:
    rng = np.random.default_rng(generation)

    def population(size: int) -> Population:
        return Population(rng.random((size, 11)) < 0.5, *rng.random((3, size)))

    n_rows = generation + 1
    history = History(
        *rng.random((3, n_rows)),
        *rng.integers(11, size=(2, n_rows)),
        rng.random((n_rows, 11)) < 0.5,
        *rng.random((2, n_rows)),
    )
    islands = [population(4), population(6)]
    states = [dict(np.random.default_rng(seed).bit_generator.state) for seed in (1, 2)]
    return SearchState(generation, islands, states, population(3), history)


def flat(state: SearchState) -> list[object]:
    parts = [*state.islands, state.hall_of_fame, state.history]
    arrays = [np.asarray(value).tolist() for part in parts for value in vars(part).values()]
    return [state.generation, state.rng_states, arrays]


@pytest.fixture
def checkpoints(tmp_path: Path) -> Checkpoints:
    return Checkpoints(tmp_path / "selection.h5.checkpoint", "key", 5)


def test_a_state_comes_back_as_it_was(checkpoints: Checkpoints) -> None:
    assert checkpoints.load() is None
    for generation in (0, 3, 7):
        checkpoints.save(make_state(generation))
        found = checkpoints.load()
        assert found is not None
        assert flat(found) == flat(make_state(generation))
        assert found.history.best_masks.dtype == np.bool_


@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.999])
def test_the_former_counts_where_the_last_is_torn(checkpoints: Checkpoints, share: float) -> None:
    checkpoints.save(make_state(3))
    checkpoints.save(make_state(4))
    content = checkpoints.path.read_bytes()
    checkpoints.path.write_bytes(content[: int(share * len(content))])
    found = checkpoints.load()
    assert found is not None
    assert flat(found) == flat(make_state(3))


@pytest.mark.parametrize("content", [None, b"torn"])
def test_the_former_is_looked_at_where_the_last_is_missing_or_torn(
    checkpoints: Checkpoints, content: bytes | None
) -> None:
    """As while the next one is written."""
    settings = GeneticSettings()
    ours = replace(checkpoints, key=search_key("1", settings, "data"))
    assert read_state(ours.path, settings) is None
    for generation in (3, 4):
        ours.save(make_state(generation))
    found = read_state(ours.path, settings)
    assert found is not None
    assert found.generation == 4
    ours.path.unlink()
    if content is not None:
        ours.path.write_bytes(content)
    found = read_state(ours.path, settings)
    assert found is not None
    assert found.generation == 3


def test_a_flipped_bit_is_noticed(checkpoints: Checkpoints) -> None:
    checkpoints.save(make_state(3))
    content = bytearray(checkpoints.path.read_bytes())
    content[len(content) // 2] ^= 1
    checkpoints.path.write_bytes(content)
    assert checkpoints.load() is None


def test_the_former_counts_where_the_last_is_missing(checkpoints: Checkpoints) -> None:
    checkpoints.save(make_state(3))
    checkpoints.save(make_state(4))
    checkpoints.path.unlink()
    found = checkpoints.load()
    assert found is not None
    assert found.generation == 3


def test_another_key_is_not_taken(
    checkpoints: Checkpoints, caplog: pytest.LogCaptureFixture
) -> None:
    checkpoints.save(make_state(3))
    assert Checkpoints(checkpoints.path, "other", 5).load() is None
    assert "of other settings or data" in caplog.text


def test_nothing_is_left_after_the_end(checkpoints: Checkpoints) -> None:
    checkpoints.save(make_state(3))
    checkpoints.save(make_state(4))
    checkpoints.remove()
    assert list(checkpoints.path.parent.iterdir()) == []

"""A search that was ended in any way at any time goes on to the very bytes of one that was not."""

import json
import os
import signal
import time
from pathlib import Path

import numpy as np
import pytest

from merec_hpc.cli import INTERRUPTED
from merec_hpc.commands import select_genetic
from merec_hpc.config.features import FeatureSettings
from merec_hpc.errors import InterruptedSearchError
from merec_hpc.parallel.signals import StopRequest
from merec_hpc.records import Features, Masks
from merec_hpc.selection.fitness.subject_folds import SubjectFoldFitness
from merec_hpc.store.features import write_features
from merec_hpc.store.selection import read_selection

SETTINGS = {
    "n_islands": 2,
    "n_individuals": 12,
    "n_random_migrants": 3,
    "n_generations": 30,
    "migration_interval": 4,
}


def select(store: Path, output: Path, **changes: object) -> None:
    settings = json.dumps(SETTINGS | changes)
    select_genetic.run(store, [output], settings, "standard", ["s02"], checkpoint_every=1)


def start(store: Path, output: Path, **changes: object) -> int:
    """Select in a child process, and return its number."""
    child = os.fork()
    if child:
        return child
    status = 1
    try:
        select(store, output, **changes)
        status = 0
    except InterruptedSearchError:
        status = INTERRUPTED
    finally:
        os._exit(status)


@pytest.fixture
def store(features: Features, tmp_path: Path) -> Path:
    path = tmp_path / "features.h5"
    write_features(path, features, FeatureSettings(), "0" * 64)
    return path


@pytest.mark.parametrize("n_wanted", [50, pytest.param(200, marks=pytest.mark.longer)])
def test_a_killed_search_ends_in_the_same_bytes(store: Path, tmp_path: Path, n_wanted: int) -> None:
    output = tmp_path / "selection.h5"
    begin = time.monotonic()
    select(store, output)
    expected = output.read_bytes()
    begin = time.monotonic()
    select(store, output)
    duration = time.monotonic() - begin
    rng = np.random.default_rng(0)
    n_kills = n_ends = n_terms = n_torn = 0
    output.unlink()
    while n_kills < n_wanted:
        child = start(store, output)
        time.sleep(rng.uniform(0, 1.3 * duration))
        way = rng.choice(["kill", "term", "torn"])
        os.kill(child, signal.SIGTERM if way == "term" else signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        if os.WIFEXITED(status) and os.WEXITSTATUS(status) == 0:
            assert output.read_bytes() == expected
            assert sorted(path.name for path in tmp_path.iterdir()) == ["features.h5", output.name]
            output.unlink()
            n_ends += 1
            continue
        assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == INTERRUPTED
        n_kills += 1
        n_terms += way == "term"
        checkpoint = output.with_name(output.name + ".checkpoint")
        if way == "torn" and checkpoint.exists():
            content = checkpoint.read_bytes()
            checkpoint.write_bytes(content[: rng.integers(len(content))])
            n_torn += 1
        assert not output.exists() or output.read_bytes() == expected
        output.unlink(missing_ok=True)
    select(store, output)
    assert output.read_bytes() == expected
    assert n_ends >= 1
    assert n_terms > 0.15 * n_wanted
    assert n_torn > 0.15 * n_wanted


def test_a_signal_ends_the_search_between_two_generations(store: Path, tmp_path: Path) -> None:
    output = tmp_path / "selection.h5"
    child = start(store, output)
    while not (checkpoint := output.with_name(output.name + ".checkpoint")).exists():
        time.sleep(0.001)
    os.kill(child, signal.SIGUSR1)
    _, status = os.waitpid(child, 0)
    assert os.WEXITSTATUS(status) == INTERRUPTED
    assert checkpoint.exists()
    assert not output.exists()


def test_other_settings_start_afresh_and_say_so(
    store: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    output, expected = tmp_path / "selection.h5", tmp_path / "expected.h5"
    child = start(store, output)
    while not output.with_name(output.name + ".checkpoint").exists():
        time.sleep(0.001)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    select(store, output, seed=5)
    assert "of other settings or data, the search starts afresh" in caplog.text
    select(store, expected, seed=5)
    assert output.read_bytes() == expected.read_bytes()


def test_folds_that_are_done_are_not_searched_again(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outputs = [tmp_path / "first.h5", tmp_path / "second.h5"]
    arguments = (store, outputs, json.dumps(SETTINGS), "standard", ["s02", "s03"])
    select_genetic.run(*arguments)
    expected = [output.read_bytes() for output in outputs]
    write = select_genetic.write_selection

    def fail_at_the_second(path: Path, *rest: object) -> None:
        if path == outputs[1]:
            raise InterruptedSearchError
        write(path, *rest)

    monkeypatch.setattr(select_genetic, "write_selection", fail_at_the_second)
    with pytest.raises(InterruptedSearchError):
        select_genetic.run(*arguments)
    monkeypatch.undo()
    n_scored: list[int] = []
    score = SubjectFoldFitness.score

    def counted(self: SubjectFoldFitness, masks: Masks, *rest: object) -> np.ndarray:
        n_scored.append(len(masks))
        return score(self, masks, *rest)

    monkeypatch.setattr(SubjectFoldFitness, "score", counted)
    select_genetic.run(*arguments)
    assert n_scored == []
    assert [output.read_bytes() for output in outputs] == expected
    assert sorted(tmp_path.iterdir()) == sorted([store, *outputs])


def test_a_search_with_biases_goes_on_to_the_same_bytes(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    output, expected = tmp_path / "selection.h5", tmp_path / "expected.h5"
    several: dict[str, object] = {"bias": ["none", 0.3], "n_generations": 6}
    select(store, expected, **several)
    assert {0.0, 0.3} == set(read_selection(expected)[0].last.bias)
    monkeypatch.setattr(StopRequest, "__bool__", lambda _: True)  # after every generation
    n_stops = 0
    while not output.exists():
        try:
            select(store, output, **several)
        except InterruptedSearchError:
            n_stops += 1
    assert n_stops == 6
    assert output.read_bytes() == expected.read_bytes()


def test_a_search_for_weights_of_groups_goes_on_to_the_same_bytes(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    output, expected, table = (
        tmp_path / name for name in ("selection.h5", "other.h5", "units.csv")
    )
    rows = [f"feature{number:02d},g{number % 8}" for number in range(30)]
    table.write_text("\n".join(["feature,group", *rows]))
    asked = {"unit": "custom", "unit_table": str(table), "genome": "weights", "n_generations": 6}
    select(store, expected, **asked)
    found, _ = read_selection(expected)
    assert found.last.weights is not None
    assert set(np.unique(found.last.weights**2).round(12)) == {0.0, 0.5, 1.0, 2.0}
    monkeypatch.setattr(StopRequest, "__bool__", lambda _: True)  # after every generation
    n_stops = 0
    while not output.exists():
        try:
            select(store, output, **asked)
        except InterruptedSearchError:
            n_stops += 1
    assert n_stops == 6
    assert output.read_bytes() == expected.read_bytes()


def test_other_groups_start_afresh(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    output, table = tmp_path / "selection.h5", tmp_path / "units.csv"
    asked = {"unit": "custom", "unit_table": str(table), "n_generations": 3}
    for n_groups in (8, 7):
        rows = [f"feature{number:02d},g{number % n_groups}" for number in range(30)]
        table.write_text("\n".join(["feature,group", *rows]))
        with monkeypatch.context() as stop:
            stop.setattr(StopRequest, "__bool__", lambda _: True)
            with pytest.raises(InterruptedSearchError):
                select(store, output, **asked)
        assert ("the search starts afresh" in caplog.text) == (n_groups == 7)


def test_a_front_is_the_same_after_an_end(store: Path, tmp_path: Path) -> None:
    output, two = tmp_path / "selection.h5", ["fitness", "n_features"]
    select(store, output, objectives=two)
    expected = output.read_bytes()
    found = read_selection(output)[0].front
    assert found is not None
    assert len(found.C) > 1
    output.unlink()
    for _ in range(3):
        child = start(store, output, objectives=two)
        while not (checkpoint := output.with_name(output.name + ".checkpoint")).exists():
            time.sleep(0.001)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        assert checkpoint.exists()
    select(store, output, objectives=two)
    assert output.read_bytes() == expected

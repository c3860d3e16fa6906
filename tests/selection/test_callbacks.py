"""Early ends of a search, and its logbook."""

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from merec_hpc.errors import MerecError
from merec_hpc.records import Features
from merec_hpc.selection import callbacks
from merec_hpc.selection.callbacks import EarlyStopping, LogbookSaver
from merec_hpc.selection.estimators import GeneticSelector

BEST = [0.2, 0.5, 0.5, 0.75, 0.75, 0.8125, 0.8125, 0.8125, 0.875]


def end_of(stopping: EarlyStopping, values: list[float] = BEST) -> int | None:
    """The generation after which it ends the search."""
    stopping.begin()
    for generation in range(len(values)):
        if stopping({"best_fitness": np.array(values[: generation + 1])}):
            return generation
    return None


@pytest.mark.parametrize(
    ("patience", "min_delta", "end"),
    [(1, 0.0, 2), (2, 0.0, 7), (3, 0.0, None), (3, 0.0625, 6), (2, 0.0625, 5), (8, 1.0, 8)],
)
def test_patience_ends_with_generations_that_gain_nothing(
    patience: int, min_delta: float, end: int | None
) -> None:
    assert end_of(EarlyStopping(patience=patience, min_delta=min_delta)) == end


@pytest.mark.parametrize(("threshold", "end"), [(0.1, 0), (0.75, 3), (0.76, 5), (1.0, None)])
def test_threshold_ends_when_it_is_reached(threshold: float, end: int | None) -> None:
    assert end_of(EarlyStopping(threshold=threshold)) == end


def test_the_first_rule_that_is_met_counts() -> None:
    assert end_of(EarlyStopping(patience=2, threshold=0.75)) == 3
    assert end_of(EarlyStopping(patience=1, threshold=0.75)) == 2


def test_seconds_count_from_the_beginning_of_each_search(monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = iter([100.0, *np.arange(103.0, 112.0, 3.0), 500.0, *np.arange(503.0, 512.0, 3.0)])
    monkeypatch.setattr(callbacks.time, "monotonic", lambda: next(ticks))
    stopping = EarlyStopping(seconds=9.0)
    assert end_of(stopping) == 2  # after 3, 6 and 9 seconds
    assert end_of(stopping) == 2


def test_another_column_may_decide() -> None:
    stopping = EarlyStopping(threshold=3, column="n_selected")
    assert stopping({"n_selected": np.array([1, 3])})
    with pytest.raises(ValueError, match="column of best_fitness expected, found 'n_selected'"):
        stopping({"best_fitness": np.array([1.0])})


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({}, "patience, threshold or seconds expected"),
        ({"min_delta": 0.1}, "patience, threshold or seconds expected"),
        ({"patience": 0}, "patience at least 1 expected, found 0"),
        ({"patience": 1, "min_delta": -0.1}, "min_delta at least 0 expected, found -0.1"),
        ({"seconds": 0}, "seconds above 0 expected, found 0"),
        ({"threshold": np.nan}, "threshold a number expected, found nan"),
    ],
)
def test_wrong_rules_are_refused(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        EarlyStopping(**wrong)


def test_a_search_ends_early_and_its_logbook_holds_its_history(
    features: Features, tmp_path: Path
) -> None:
    path = tmp_path / "new" / "log.csv"
    selector = GeneticSelector(
        n_individuals=8,
        n_random_migrants=2,
        n_generations=30,
        random_state=0,
        callbacks=[EarlyStopping(patience=2), LogbookSaver(path)],
    )
    selector.fit(features.values, features.labels, groups=features.subjects)
    columns = selector.history_
    assert len(columns["best_fitness"]) < 31
    assert np.ptp(columns["best_fitness"][-3:]) == 0
    header, *rows = csv.reader(path.read_text().splitlines())
    assert header == ["generation", *columns]
    generations = np.arange(len(columns["best_fitness"]))
    expected = np.column_stack([generations, *columns.values()])
    np.testing.assert_array_equal(np.array(rows, float), expected)


def test_a_logbook_that_cannot_be_written_is_said_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(MerecError, match="a file to write expected, found a folder"):
        LogbookSaver(tmp_path)({"best_fitness": np.array([1.0])})

"""Who is told of a search, and who may end it; the rest is in test_estimators."""

from typing import Any

import numpy as np
import pytest

from merec_hpc.records import History
from merec_hpc.selection.watching import columns_of, watcher_of


def history(n_generations: int = 2) -> History:
    series, counts = np.linspace(0, 1, n_generations), np.arange(n_generations)
    masks = np.tile([True, False, True], (n_generations, 1))
    return History(series, series, series, counts, counts, masks, series, series)


def test_columns_are_series_that_nobody_can_change() -> None:
    taken_down = history()
    columns = columns_of(taken_down)
    assert {column.shape for column in columns.values()} == {(2,)}
    assert "best_masks" not in columns
    assert columns["n_selected"].tolist() == [2, 2]
    for column in columns.values():
        column[:] = 7
    assert taken_down.best_fitness.tolist() == [0, 1]


def test_without_anybody_there_is_no_watcher() -> None:
    assert watcher_of([], "step", verbose=False) is None


@pytest.mark.parametrize(
    ("said", "ends"),
    [(True, True), (np.True_, True), (False, False), (None, False), (1, False), ("no", False)],
)
def test_only_true_ends_a_search(said: object, ends: bool) -> None:
    watch = watcher_of([lambda columns: said], "step", verbose=False)
    assert watch is not None
    assert watch(history()) is ends


def test_all_are_told_whoever_ends_it() -> None:
    told: list[str] = []

    def stop(columns: dict[str, Any]) -> None:
        told.append("stop")
        raise StopIteration

    class Second:
        def begin(self) -> None:
            told.append("begin")

        def __call__(self, columns: dict[str, Any]) -> None:
            told.append("second")

    watch = watcher_of([stop, Second()], "step", verbose=False)
    assert watch is not None
    assert told == ["begin"]
    assert watch(history())
    assert told == ["begin", "stop", "second"]


def test_other_errors_of_a_callback_are_its_own() -> None:
    def fails(columns: dict[str, Any]) -> None:
        raise KeyError(*columns)

    watch = watcher_of([fails], "step", verbose=False)
    assert watch is not None
    with pytest.raises(KeyError):
        watch(history())


def test_the_header_is_printed_once(capsys: pytest.CaptureFixture[str]) -> None:
    watch = watcher_of([], "step", verbose=True)
    assert watch is not None
    assert [watch(history(n)) for n in (1, 2)] == [False, False]
    header, *rows = capsys.readouterr().out.splitlines()
    assert header.split()[0] == "step"
    assert [row.split()[0] for row in rows] == ["0", "1"]
    assert len({len(line) for line in (header, *rows)}) == 1

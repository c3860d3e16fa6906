"""Lets others watch a search: callbacks, which may end it, and a table that is printed."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from merec_hpc.records import History

Watcher = Callable[[History], bool]
"""Called after every generation (step, iteration); returns whether the search is to end."""
Columns = Mapping[str, NDArray[Any]]
Callback = Callable[[dict[str, NDArray[Any]]], object]
"""Called with the columns of the history; ``True`` or ``StopIteration`` ends the search."""

_TITLES = ("best", "mean", "training", "selected", "fewest", "most", "C")
_ROW = "{:>10} {:>8.4f} {:>8.4f} {:>8.4f} {:>8} {:>8} {:>8} {:>8g}"


def columns_of(history: History) -> dict[str, NDArray[Any]]:
    """Return what has one number a generation: what a ``DataFrame`` takes.

    The columns of ``History`` but its masks, and ``n_selected``, the features of the best of
    them. Arrays are copies: whoever is given them cannot change the search.
    """
    columns = {name: column.copy() for name, column in vars(history).items() if column.ndim == 1}
    return columns | {"n_selected": history.best_masks.sum(axis=1)}


def watcher_of(callbacks: Sequence[Callback], unit: str, *, verbose: bool) -> Watcher | None:
    """Return what calls the callbacks and prints the table; ``None`` if there is nothing to do.

    All callbacks are called, also where one of them ends the search. The method ``begin`` of
    a callback that has one is called now.

    Parameters
    ----------
    unit
        What a row of the table is: a generation, step or iteration.
    """
    if not callbacks and not verbose:
        return None
    for callback in callbacks:
        begin = getattr(callback, "begin", None)
        if begin is not None:
            begin()

    def watch(history: History) -> bool:
        columns = columns_of(history)
        if verbose:
            _print_last_row(columns, unit)
        said = [_is_enough(callback, dict(columns)) for callback in callbacks]
        return any(said)

    return watch


def _is_enough(callback: Callback, columns: dict[str, NDArray[Any]]) -> bool:
    try:
        said = callback(columns)
    except StopIteration:
        return True
    return isinstance(said, bool | np.bool_) and bool(said)


def _print_last_row(columns: Columns, unit: str) -> None:
    """Print a row, the first one under a header; at once, since a batch log is read meanwhile."""
    place = len(columns["best_fitness"]) - 1
    if place == 0:
        titles = [f"{title:>8}" for title in _TITLES]
        print(f"{unit:>10}", *titles, flush=True)  # noqa: T201  # what it is for
    names = ("best_fitness", "mean_fitness", "training_accuracy")
    counts = ("n_selected", "min_selected", "max_selected", "best_C")
    row = [columns[name][place].item() for name in (*names, *counts)]
    print(_ROW.format(place, *row), flush=True)  # noqa: T201  # as above

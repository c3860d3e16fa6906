"""Callbacks of the estimators: early ends of a search, and a table of its generations.

A callback is anything that is called with the dictionary that ``history_`` will be, one array of
a number per generation for each quantity. If it returns ``True``, or raises ``StopIteration``,
the search ends with what it has found. A callback may have a method ``begin``, which is called
before the search.
"""

import csv
import math
import time
from dataclasses import dataclass, field
from pathlib import Path

from merec_hpc.files.atomic import published
from merec_hpc.selection.watching import Columns


@dataclass(kw_only=True)
class EarlyStopping:
    """End a search that no longer improves, is good enough, or takes too long.

    The first rule that is met ends it; a rule that is ``None`` is never met. All but
    ``seconds`` are deterministic.

    Parameters
    ----------
    patience
        End after so many generations in which the best value grew by no more than
        ``min_delta`` in all; at least 1.
    min_delta
        Growth over ``patience`` generations that does not count; at least 0.
    threshold
        End when the best value is at least this.
    seconds
        End after the first generation that is complete so long after the search began; above 0.
        A generation is never cut short.
    column
        What ``patience`` and ``threshold`` look at: a column of ``history_``.

    Raises
    ------
    ValueError
        If there is no rule, or a value is out of range; when it is called, if there is no such
        column.
    """

    patience: int | None = None
    min_delta: float = 0.0
    threshold: float | None = None
    seconds: float | None = None
    column: str = "best_fitness"
    _start: float = field(default=math.nan, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Check the values."""
        if self.patience is None and self.threshold is None and self.seconds is None:
            msg = "EarlyStopping: patience, threshold or seconds expected, found none of them"
            raise ValueError(msg)
        for name, is_right, expected in (
            ("patience", self.patience is None or self.patience >= 1, "at least 1"),
            ("min_delta", self.min_delta >= 0, "at least 0"),
            ("seconds", self.seconds is None or self.seconds > 0, "above 0"),
            ("threshold", self.threshold is None or not math.isnan(self.threshold), "a number"),
        ):
            if not is_right:
                msg = f"EarlyStopping: {name} {expected} expected, found {getattr(self, name)}"
                raise ValueError(msg)

    def begin(self) -> None:
        """Start the clock."""
        self._start = time.monotonic()

    def __call__(self, history: Columns) -> bool:
        """Return whether a rule is met after the last of these generations."""
        if self.column not in history:
            msg = f"EarlyStopping: column of {', '.join(history)} expected, found '{self.column}'"
            raise ValueError(msg)
        values = history[self.column]
        is_flat = (
            self.patience is not None
            and len(values) > self.patience
            and values.max() - values[: -self.patience].max() <= self.min_delta
        )
        is_good = self.threshold is not None and values.max() >= self.threshold
        is_late = self.seconds is not None and time.monotonic() - self._start >= self.seconds
        return bool(is_flat or is_good or is_late)


@dataclass
class LogbookSaver:
    """Write the generations so far to a CSV file, after each of them.

    One row per generation, its number first, then the columns of ``history_``. The file is
    whole at any time: ``pandas.read_csv`` reads it while the search goes on.

    Parameters
    ----------
    path
        The file. Its folder is made; a former file is replaced.

    Raises
    ------
    MerecError
        When it is called, if the file cannot be written.
    """

    path: str | Path

    def __call__(self, history: Columns) -> None:
        """Write the file."""
        with (
            published(Path(self.path)) as partial,
            partial.open("w", newline="", encoding="utf-8") as file,
        ):
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(["generation", *history])
            columns = [column.tolist() for column in history.values()]
            for generation, row in enumerate(zip(*columns, strict=True)):
                writer.writerow([generation, *row])

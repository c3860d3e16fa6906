"""Compare with paper 1, table by table."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.console import Console
from rich.table import Table

from merec_hpc.config.scaling import parse_scaling
from merec_hpc.errors import MerecError
from merec_hpc.evaluation.predictions import Prediction, read_predictions
from merec_hpc.files.atomic import make_folder
from merec_hpc.files.rows import write_rows
from merec_hpc.metrics import majority_share
from merec_hpc.papers.paper1_tables import (
    DATABASES,
    TITLES,
    Searches,
    Stores,
    TableRow,
    paper_tables,
    sort_stores,
)
from merec_hpc.parallel.threads import limit_library_threads
from merec_hpc.progress import track
from merec_hpc.records import Features
from merec_hpc.runs.recorded import is_normalised
from merec_hpc.store.features import read_features

_LOG_WIDTH = 200  # in a file nothing needs to be cut
_NUMBERS = ("paper", "ours")


def run(
    output: Annotated[Path, typer.Option(help="Folder to write a table (.csv) of each to.")],
    store: Annotated[
        list[Path] | None,
        typer.Option(help="Feature store; repeat it, for other statistics and for LBP-TOP."),
    ] = None,
    predictions: Annotated[
        Path | None,
        typer.Option(help="predictions.csv of a run on an object network, by mu - sigma^2."),
    ] = None,
    mu_predictions: Annotated[
        Path | None, typer.Option(help="The same, of genetic.criterion mu (Table VII).")
    ] = None,
    expression_predictions: Annotated[
        Path | None, typer.Option(help="The same, on an expression network (Table VIII).")
    ] = None,
    database: Annotated[
        str, typer.Option(help=f"What the data are: one of {', '.join(DATABASES)}.")
    ] = "other",
    scaling: Annotated[
        str, typer.Option(help="Of the stores' features, as of merec select; none as in the paper.")
    ] = "none",
) -> None:
    """Write and print paper 1's Tables II to IV and VII to IX, its numbers next to ours.

    Rows that have seen test clips say that they are leaky: they are no results. What was not
    given was not run.
    """
    if database not in DATABASES:
        msg = f"--database: one of {', '.join(DATABASES)} expected, found '{database}'"
        raise MerecError(msg)
    kind = parse_scaling(scaling)
    tables = {
        "--predictions": predictions,
        "--mu-predictions": mu_predictions,
        "--expression-predictions": expression_predictions,
    }
    if not store and not any(tables.values()):
        msg = "--store or --predictions expected, found neither"
        raise MerecError(msg)
    make_folder(output)  # now rather than at the end
    limit_library_threads()
    stores = {str(path): _read_store(path) for path in store or []}
    found = {option: _read(option, path, stores) for option, path in tables.items()}
    searches = Searches(*found.values())
    try:
        made = paper_tables(sort_stores(stores), searches, database, kind)
        n_rows = sum(1 for _ in paper_tables(Stores(), Searches(), database))  # as many of nothing
        rows_of_all = list(track(made, "rows of tables", n_rows))
    except ValueError as error:
        msg = f"--store {next(iter(stores), '')}: {error}"
        raise MerecError(msg) from None
    for name, title in TITLES.items():
        rows_of_one = [row for row in rows_of_all if row.table == name]
        write_rows(output / f"table_{name}.csv", TableRow, rows_of_one)
        _print(f"Table {name}: {title} (accuracy, %)", rows_of_one)
    _print_majority(stores, found)


def _read_store(path: Path) -> Features:
    """Return features; normalised ones are refused: unnormalised ones cannot be made of them."""
    if is_normalised(path):
        msg = f"--store {path}: features.normalised false expected, since tables normalise, found true"
        raise MerecError(msg)
    return read_features(path)


def _read(option: str, path: Path | None, stores: dict[str, Features]) -> list[Prediction]:
    """Return predictions, or none without a path; those of other clips are refused."""
    if path is None:
        return []
    rows = read_predictions(path)
    if not rows:
        msg = f"{option} {path}: predictions expected, found none"
        raise MerecError(msg)
    for store, features in stores.items():
        if {row.clip for row in rows} != set(features.clips.tolist()):
            msg = f"{option} {path}: the clips of {store} expected, found others"
            raise MerecError(msg)
    return rows


def _print_majority(stores: dict[str, Features], found: dict[str, list[Prediction]]) -> None:
    """Print what naming the most frequent class alone would reach, on the clips given."""
    labels: Sequence[str] = []
    for features in stores.values():
        labels = np.asarray(features.class_names[features.labels]).tolist()
    for rows in found.values():
        labels = labels or [row.label for row in rows]
    _console().print(f"majority class: {100 * majority_share(labels):.1f} %", highlight=False)


def _print(title: str, rows: Sequence[TableRow]) -> None:
    table = Table(title=title, title_justify="left")
    for name in ("row", "database", "paper", "ours", "method", "features", "remark"):
        table.add_column(name, overflow="fold", justify="right" if name in _NUMBERS else "left")
    for row in rows:
        numbers = ["-" if value is None else f"{value:.1f}" for value in (row.paper, row.ours)]
        table.add_row(row.row, row.database, *numbers, row.method, row.features, row.remark)
    _console().print(table)


def _console() -> Console:
    console = Console()
    if not console.is_terminal:
        console.width = _LOG_WIDTH
    return console

"""Score predictions."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from merec_hpc.config.base import nearest
from merec_hpc.config.evaluation import EvaluationSettings
from merec_hpc.errors import MerecError
from merec_hpc.evaluation.megc import LoggedClip, logged_clips, read_log, write_log
from merec_hpc.evaluation.predictions import Prediction, read_predictions
from merec_hpc.files.rows import write_rows
from merec_hpc.metrics import METRICS
from merec_hpc.report.comparisons import ComparisonRow, compare_with
from merec_hpc.report.score_table import COMPOSITE, ScoreRow, score_table
from merec_hpc.report.scores import by_method

_LOG_WIDTH = 160  # in a file nothing needs to be cut


def run(
    predictions: Annotated[
        Path, typer.Option(help="predictions.csv of a run, or a log of MEGC (.txt, .log).")
    ],
    output: Annotated[Path | None, typer.Option(help="Table of scores to write.")] = None,
    comparison: Annotated[
        Path | None, typer.Option(help="Table of differences to the reference to write.")
    ] = None,
    reference: Annotated[
        str | None, typer.Option(help="Method to compare with; without it the first.")
    ] = None,
    megc_log: Annotated[
        Path | None, typer.Option(help="Log of MEGC to write, of one method.")
    ] = None,
    method: Annotated[str | None, typer.Option(help="Score this method alone.")] = None,
    database: Annotated[str, typer.Option(help="Name of the data in a log.")] = "all",
) -> None:
    """Score predictions, pooled over folds: all of them, and each database of a composite.

    Intervals are over resampled subjects. Methods are compared with one of them over the same
    subjects, with Holm's correction for their number.
    """
    rows = _read(predictions, method)
    if reference is not None and comparison is None:
        msg = "--reference: --comparison expected with it, without which it does nothing"
        raise MerecError(msg)
    scores = score_table(rows)
    _print(scores)
    if output is not None:
        write_rows(output, ScoreRow, scores)
    if comparison is not None:
        settings = EvaluationSettings()
        write_rows(comparison, ComparisonRow, compare_with(rows, reference, settings))
    if megc_log is not None:
        groups = by_method(rows)
        if len(groups) != 1:
            names = ", ".join(name for name, _ in groups)
            msg = f"--megc-log: one method expected (--method), found {names}"
            raise MerecError(msg)
        write_log(megc_log, logged_clips(rows, database, COMPOSITE))


def _read(path: Path, method: str | None) -> list[Prediction]:
    """Return predictions; those of a log are of one method without a name."""
    if path.suffix in {".txt", ".log"}:
        return [_prediction(clip) for clip in read_log(path)]
    rows = read_predictions(path)
    found = [row for row in rows if method in (None, row.method)]
    if not found:
        near = nearest(method, [row.method for row in rows]) if method else ""
        msg = f"{path}: predictions{f' of {method}' if method else ''} expected, found none{near}"
        raise MerecError(msg)
    return found


def _prediction(clip: LoggedClip) -> Prediction:
    subject = f"{clip.database}_{clip.subject}"
    name = f"{clip.database}_{clip.subject}_{clip.clip}"
    return Prediction("log", "-", 0, subject, subject, name, clip.label, clip.predicted)


def _print(scores: list[ScoreRow]) -> None:
    table = Table()
    for name in ("clips", "method", *METRICS, "precision", "weighted F1", "AUC"):
        table.add_column(name, no_wrap=True)
    for row in scores:
        name = (
            row.method
            if row.classifier in {"-", "linear_svm"}
            else f"{row.method} ({row.classifier})"
        )
        table.add_row(
            f"{row.n_clips} of {row.database}",
            name,
            *(_with_interval(row.scores, metric) for metric in METRICS),
            f"{row.precision:.3f}",
            f"{row.F1_weighted:.3f}",
            "-" if row.AUC is None else f"{row.AUC:.3f}",
        )
    console = Console()
    if not console.is_terminal:
        console.width = _LOG_WIDTH
    console.print(table)
    console.print(f"majority class: {scores[0].majority:.3f}", highlight=False)


def _with_interval(scores: Mapping[str, float], metric: str) -> str:
    low, high = scores[f"{metric}_low"], scores[f"{metric}_high"]
    return f"{scores[metric]:.3f} [{low:.2f}, {high:.2f}]"

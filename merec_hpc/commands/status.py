"""Tell how far an experiment has come."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from merec_hpc.commands.options import ConfigFiles, ConfigKeys
from merec_hpc.runs.configuration import DEFAULT_FILES, read_config
from merec_hpc.runs.experiment import results_folder
from merec_hpc.runs.status import SearchRow, failures, left_over, search_rows, stage_rows

ORDER = ("failed", "interrupted", "searching", "out of date", "waiting", "done")
SHOWN = 40
"""Searches that are listed one by one; more are counted."""


def run(
    configfile: ConfigFiles = DEFAULT_FILES,
    config: ConfigKeys = None,
    sweep: Annotated[bool, typer.Option("--sweep", help="Of the sweep's searches.")] = False,
    everything: Annotated[bool, typer.Option("--all", help="List every search.")] = False,
) -> None:
    """Summarise progress, best fitness, time left and failures, while it runs and after.

    Reads the results, checkpoints and logs in the present folder; it asks no job. "Out of date" is
    what another configuration has made, or what is older than its inputs: it will be made again.
    """
    parsed, folder = read_config(configfile, config or []), Path()
    console = Console(soft_wrap=True)
    console.print(f"[bold]{parsed.experiment}[/bold]: {results_folder(parsed)}")
    table = Table("stage", "done", "out of date")
    for stage in stage_rows(folder, parsed, sweep=sweep):
        wanted = "?" if stage.n_wanted is None else stage.n_wanted
        old = str(stage.n_out_of_date) if stage.n_out_of_date else ""
        table.add_row(stage.stage, f"{stage.n_done} of {wanted}", old)
    console.print(table)
    searches = search_rows(folder, parsed, sweep=sweep)
    _print_searches(console, searches, SHOWN if not everything else len(searches))
    for said in left_over(folder, parsed):
        console.print(f"left over: {said}", markup=False, highlight=False)
    for log, said in failures(folder / "logs", parsed.experiment):
        console.print(f"failed: {log}: {said}", markup=False)


def _print_searches(console: Console, searches: list[SearchRow], most: int) -> None:
    """Print a line for each search, those that need attention first, and how many there are."""
    if not searches:
        return
    order = {name: place for place, name in enumerate(ORDER)}
    table = Table("search", "fold", "state", "generation", "best fitness", "minutes left", "log")
    for row in sorted(searches, key=lambda row: order[row.state])[:most]:
        table.add_row(
            row.search,
            row.fold,
            row.state,
            "" if row.generation is None else f"{row.generation} of {row.n_generations}",
            "" if row.best_fitness is None else f"{row.best_fitness:.4f}",
            "" if row.minutes_left is None else f"{row.minutes_left:.1f}",
            row.said,
        )
    console.print(table)
    counts = {state: sum(row.state == state for row in searches) for state in order}
    said = ", ".join(f"{count} {state}" for state, count in counts.items() if count)
    left = [row.minutes_left for row in searches if row.state == "searching" and row.minutes_left]
    console.print(f"{len(searches)} searches: {said}")
    if left:
        console.print(f"the longest of those under way needs {max(left):.1f} min more")

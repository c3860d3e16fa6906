"""Say what a configuration will cost before anything is submitted."""

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from merec_hpc.commands.options import ConfigFiles, ConfigKeys
from merec_hpc.errors import MerecError
from merec_hpc.parallel.threads import limit_library_threads
from merec_hpc.runs.configuration import DEFAULT_FILES, read_config
from merec_hpc.runs.extent import assumed_extent, find_extent
from merec_hpc.runs.plan import Plan, make_plan

WIDTH = 160


def run(
    configfile: ConfigFiles = DEFAULT_FILES,
    config: ConfigKeys = None,
    ranks: Annotated[int, typer.Option(min=1, help="MPI ranks of a search.")] = 16,
    cores_per_node: Annotated[int, typer.Option(min=1, help="Cores of a node.")] = 64,
    sweep: Annotated[bool, typer.Option("--sweep", help='Plan "snakemake sweep".')] = False,
    clips: Annotated[
        int | None, typer.Option(min=3, help="Clips of a dataset that is not here.")
    ] = None,
    subjects: Annotated[int | None, typer.Option(min=3, help="Its subjects.")] = None,
    classes: Annotated[int, typer.Option(min=2, help="Its classes.")] = 3,
    frames: Annotated[
        int, typer.Option(min=1, help="Frames of a clip whose frames are not known.")
    ] = 40,
) -> None:
    """Print the jobs that are still to run, and the time, memory and disk to expect.

    Counts what Snakemake would run in the present folder. Selectors are timed here and now, on the
    experiment's features if they are there, else on made-up ones of the same shape: run it on the
    kind of node that will do the work.
    """
    limit_library_threads()
    parsed = read_config(configfile, config or [])
    if (clips is None) != (subjects is None):
        msg = "--clips and --subjects expected together, found one of them"
        raise MerecError(msg)
    if clips is not None and subjects is not None:
        extent = assumed_extent(parsed, clips, subjects, classes, frames)
    else:
        extent = find_extent(parsed, frames=frames)
    console = Console(soft_wrap=True)
    if not console.is_terminal:  # a file has room
        console.width = max(console.width, WIDTH)
    console.print(
        f"{len(extent.clips)} clips, {len(extent.subjects)} subjects, {sum(extent.n_frames)} frames, "
        f"{len(extent.folds)} folds ({extent.source})",
        highlight=False,
        markup=False,
    )
    plan = make_plan(parsed, extent, n_ranks=ranks, sweep=sweep)
    console.print(_table(plan))
    console.print(
        f"{plan.n_jobs} jobs to run, {plan.core_hours:.2f} core-hours, "
        f"{plan.core_hours / cores_per_node:.3f} node-hours at {cores_per_node} cores a node, "
        f"at most {plan.peak_mb:.0f} MB a job, {_size(plan.disk_bytes)} on disk",
        highlight=False,
    )
    for note in plan.notes:
        console.print(note, highlight=False, markup=False)


def _table(plan: Plan) -> Table:
    table = Table(
        "rule",
        "jobs",
        "done",
        "cores",
        "minutes a job",
        "MB asked",
        "MB expected",
        "core-hours",
        "disk",
    )
    for row in plan.rules:
        is_due = row.n_jobs > 0
        table.add_row(
            f"{row.rule} {row.part}".rstrip(),
            str(row.n_jobs),
            str(row.n_done),
            str(row.n_cores) if is_due else "",
            f"{row.minutes:.1f}" if is_due else "",
            "" if row.asked_mb is None else str(row.asked_mb),
            f"{row.memory_mb:.0f}" if is_due else "",
            f"{row.core_hours:.2f}" if is_due else "",
            _size(row.disk_bytes) if row.disk_bytes else "",
        )
    return table


def _size(n_bytes: float) -> str:
    """Return a number of bytes in words."""
    megabytes = n_bytes / 1e6
    return f"{megabytes / 1000:.1f} GB" if megabytes >= 1000 else f"{megabytes:.1f} MB"

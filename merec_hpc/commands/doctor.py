"""Check what a run needs of this machine, and say how to mend what is wrong."""

import tempfile
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from merec_hpc.runs.doctor import checks


def run(
    launcher: Annotated[
        str, typer.Option(help="What starts MPI ranks, as `mpi` in slurm/config.yaml.")
    ] = "mpiexec",
    ranks: Annotated[int, typer.Option(min=2, help="Ranks to start.")] = 2,
    scratch: Annotated[
        Path | None, typer.Option(help="Folder for temporary files; without it TMPDIR.")
    ] = None,
    results: Annotated[Path, typer.Option(help="Folder of results.")] = Path("results"),
) -> None:
    """Check launcher, MPI, threads, CUDA, HDF5, scratch and SLURM; status 1 if something is wrong.

    Run it where the work will run: inside a job as well as on the login node.
    """
    console = Console(soft_wrap=True)
    wrong = 0
    for check in checks(launcher, ranks, scratch or Path(tempfile.gettempdir()), results):
        wrong += check.state == "wrong"
        console.print(f"{check.state:5} {check.name}: {check.found}", markup=False, highlight=False)
        if check.mend and check.state != "ok":
            console.print(f"      {check.mend}", markup=False, highlight=False)
    if wrong:
        raise typer.Exit(1)

"""The command ``merec``: one command per rule of the workflow, and some that look."""

import importlib
import logging
import sys
import time

import typer

from merec_hpc import __version__
from merec_hpc.errors import InterruptedSearchError, MerecError
from merec_hpc.parallel.mpi import launched_rank

COMMANDS = (
    "simulate",
    "fetch-weights",
    "index-dataset",
    "register-faces",
    "mean-face",
    "draw-faces",
    "train-active-shape",
    "collect-failures",
    "interpolate-clips",
    "extract-features",
    "select",
    "select-genetic",
    "describe-selection",
    "evaluate-folds",
    "collect-predictions",
    "render-report",
    "collect-sweep",
    "predict",
    "score",
    "paper-tables",
    "run-permutation",
    "audit",
    "plan",
    "status",
    "doctor",
)
"""In the order in which the data flows, then those that look after a run."""

INPUT_ERROR = 2
"""Exit status of a mistake in the input; it is also that of a mistaken command line."""

INTERRUPTED = 75
"""Exit status of work that a signal ended and that the same command resumes (EX_TEMPFAIL)."""

GRACE_S = 2.0


def main() -> None:
    """Run the command line; a ``MerecError`` becomes one line and exit status 2."""
    logging.basicConfig(
        level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(message)s"
    )
    try:
        build_app(sys.argv[1] if len(sys.argv) > 1 else "")()
    except MerecError as error:
        if launched_rank():
            # All ranks make the same mistake: rank 0 says it, and MPI ends the others meanwhile.
            time.sleep(GRACE_S)
        print(f"merec: {error}", file=sys.stderr)
        sys.exit(INPUT_ERROR)
    except InterruptedSearchError as error:
        if launched_rank():
            time.sleep(GRACE_S)
        print(f"merec: {error}", file=sys.stderr)
        sys.exit(INTERRUPTED)


def build_app(wanted: str) -> typer.Typer:
    """Return the application with the wanted command, or with all if it is none of them.

    Importing one command leaves the libraries of the others alone, torch's above all.
    """
    app = typer.Typer(
        name="merec",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_describe)
    for name in [wanted] if wanted in COMMANDS else COMMANDS:
        module = importlib.import_module(f"merec_hpc.commands.{name.replace('-', '_')}")
        app.command(name)(module.run)
    return app


def _show_version(wanted: bool) -> None:
    if wanted:
        print(f"merec_hpc {__version__}")
        raise typer.Exit


def _describe(
    version: bool = typer.Option(
        False,
        "--version",
        callback=_show_version,
        is_eager=True,
        help="Print the version and exit.",
    ),
) -> None:
    """Recognise micro-expressions of subjects that the machine has never seen."""
